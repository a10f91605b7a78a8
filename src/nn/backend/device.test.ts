import { afterEach, describe, expect, it, vi } from 'vitest';
import { isSoftwareAdapter, kernelModule, kernelPool, releaseBackend, selectBackend } from './device.ts';
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
      threads: { count: 1, reason: 'One thread does the work because that was chosen by hand.' },
    });
  });

  it('runs without its own kernels where there is no SIMD for them, and says so', async () => {
    const { tfjs, kernels: own } = nodeWasmPaths();
    const kernels = { ...own, plain: () => Promise.resolve(new Uint8Array(8)) };
    expect(await selectBackend('auto', { wasmPaths: { tfjs, kernels } })).toMatchObject({
      id: 'wasm',
      reason:
        'WASM runs because this environment has no WebGPU. It runs without its own kernels, and slower, because this browser has no WASM SIMD.',
      threads: null,
    });
    expect(kernelModule()).toBeNull();
    await selectBackend('auto', options);
    expect(kernelModule()).toBeInstanceOf(WebAssembly.Module);
  });

  it('starts as many threads as were asked for, ends them with the next backend, and says why there are none', async () => {
    const { threads } = await selectBackend('wasm', { ...options, threads: 3 });
    expect(threads).toEqual({ count: 3, reason: '3 threads share the work, as was chosen by hand.' });
    const pool = kernelPool()!;
    expect(pool.threads).toBe(3);
    expect((await selectBackend('cpu', { ...options, threads: 3 })).threads).toBeNull();
    expect([kernelPool(), pool.threads]).toEqual([null, 1]);
    const startThread = (): never => {
      throw new Error('no more workers');
    };
    const { tfjs, kernels } = options.wasmPaths;
    const wasmPaths = { tfjs, kernels: { ...kernels, startThread } };
    expect((await selectBackend('wasm', { wasmPaths, threads: 2 })).threads).toEqual({
      count: 1,
      reason: 'One thread does the work because more could not be started (no more workers).',
    });
    expect(kernelPool()).toBeNull();
  });

  it('honours a preference, and refuses one that cannot be had', async () => {
    expect(await selectBackend('cpu', options)).toMatchObject({ id: 'cpu', wasOverridden: true });
    await expect(selectBackend('webgpu', options)).rejects.toThrow(BackendError);
    await expect(selectBackend('webgpu', options)).rejects.toThrow(/this environment has no WebGPU/);
  });
});

describe('selectBackend where WebGPU is there, but of no use', () => {
  const options = { wasmPaths: nodeWasmPaths() };
  afterEach(() => vi.unstubAllGlobals());

  const limits = { maxBufferSize: 1, maxStorageBufferBindingSize: 1 };
  const card = { limits, features: new Set(), info: info('acme', 'lux') };
  it.each([
    ['offers no adapter', () => null, 'WebGPU offers no adapter'],
    [
      'refuses to give one',
      () => Promise.reject(new Error('driver is blocked')),
      'WebGPU refused an adapter (driver is blocked)',
    ],
    [
      'has an adapter without what is asked of its device',
      () => ({ ...card, requestDevice: () => Promise.reject(new Error('no such limit')) }),
      'WebGPU failed (no such limit)',
    ],
    [
      'has a renderer in software',
      () => ({ ...card, info: info('mesa', 'llvmpipe') }),
      'the WebGPU adapter (mesa llvmpipe) is a software renderer',
    ],
  ])('takes WASM where it %s, and says so in one sentence', async (_, requestAdapter, why) => {
    const gpu = { requestAdapter: async () => requestAdapter(), wgslLanguageFeatures: new Set() };
    vi.stubGlobal('navigator', { gpu });
    const { id, reason } = await selectBackend('auto', options);
    expect([id, reason]).toEqual(['wasm', `WASM runs because ${why}.`]);
    await expect(selectBackend('webgpu', options)).rejects.toThrow(
      /^WebGPU was chosen by hand but cannot start: /,
    );
    expect(kernelModule()).toBeInstanceOf(WebAssembly.Module);
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
