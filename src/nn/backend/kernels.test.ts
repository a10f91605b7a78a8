import { beforeAll, describe, expect, it } from 'vitest';
import { measureInPlaceError } from '../testing/in-place-parity.ts';
import { selectBackend } from './device.ts';
import { memoryReport } from './memory-report.ts';
import { nodeWasmPaths } from './wasm-paths-node.ts';

describe.each(['cpu', 'wasm'] as const)('kernels on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend(backend, { wasmPaths: nodeWasmPaths() });
  });

  it('write into the rows asked for, leave the others as they were, and make nothing new', async () => {
    const { tensors } = memoryReport();
    expect(await measureInPlaceError()).toBeLessThanOrEqual(1e-6);
    expect(memoryReport().tensors).toBe(tensors);
  });
});
