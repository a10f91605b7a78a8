import { describe, expect, it } from 'vitest';
import { isSoftwareAdapter, kernelModule, releaseBackend, selectBackend } from './device.ts';
import { BackendError } from '../errors.ts';
import { nodeWasmPaths } from './wasm-paths-node.ts';

const info = (vendor: string, architecture: string, description = '') => ({
  vendor,
  architecture,
  device: '',
  description,
});

describe('selectBackend under Node', () => {
  const options = { wasmPaths: nodeWasmPaths() };

  it('takes WASM where there is no WebGPU, and says so', async () => {
    expect(await selectBackend('auto', options)).toEqual({
      id: 'wasm',
      reason: 'WASM runs because this environment has no WebGPU.',
      adapter: null,
      isSoftwareAdapter: false,
      wasOverridden: false,
    });
  });

  it('runs without its own kernels where there is no SIMD for them, and says so', async () => {
    const { tfjs } = nodeWasmPaths();
    const kernels = { plain: () => Promise.resolve(new Uint8Array(8)) };
    expect(await selectBackend('auto', { wasmPaths: { tfjs, kernels } })).toMatchObject({
      id: 'wasm',
      reason:
        'WASM runs because this environment has no WebGPU. It runs without its own kernels, and slower, because this browser has no WASM SIMD.',
    });
    expect(kernelModule()).toBeNull();
    await selectBackend('auto', options);
    expect(kernelModule()).toBeInstanceOf(WebAssembly.Module);
  });

  it('honours a preference, and refuses one that cannot be had', async () => {
    expect(await selectBackend('cpu', options)).toMatchObject({ id: 'cpu', wasOverridden: true });
    await expect(selectBackend('webgpu', options)).rejects.toThrow(BackendError);
    await expect(selectBackend('webgpu', options)).rejects.toThrow(/this environment has no WebGPU/);
  });
});

it('releasing without a device does nothing', () => {
  expect(releaseBackend).not.toThrow();
});

describe('isSoftwareAdapter', () => {
  it.each([
    info('google', 'swiftshader'),
    info('mesa', 'llvmpipe'),
    info('', '', 'llvmpipe (LLVM 15.0.6, 256 bits)'),
    info('microsoft', 'warp'),
    { ...info('nvidia', 'ampere'), isFallbackAdapter: true },
  ])('sees through $vendor $architecture $description', (adapter) => {
    expect(isSoftwareAdapter(adapter)).toBe(true);
  });

  it.each([info('nvidia', 'ampere'), info('apple', 'metal-3'), info('intel', 'gen-12lp'), info('', '')])(
    'takes $vendor $architecture for real',
    (adapter) => {
      expect(isSoftwareAdapter(adapter)).toBe(false);
    },
  );
});
