/** Holds the networks to PyTorch's golden fixtures on the backends that run under Node. */
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from '../backend/device.ts';
import { fixtureNames, readFixture } from './fixture-files.ts';
import { measureParity } from './fixture-parity.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';

describe.each(['cpu', 'wasm'] as const)('%s', (backend) => {
  beforeAll(() => selectBackend(backend, { wasmPaths: nodeWasmPaths() }));

  it.each(fixtureNames())('agrees with PyTorch on %s', async (name) => {
    const { fixture, weights, io } = readFixture(name);
    const error = await measureParity(fixture, weights, io);
    console.info(`${backend} ${name}: largest absolute error ${error.toExponential(1)}`);
    expect(error).toBeLessThanOrEqual(fixture.tolerance);
  });
});
