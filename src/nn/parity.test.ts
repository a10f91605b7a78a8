/** Holds the networks to PyTorch's golden fixtures on the backends that run under Node. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectBackend } from './device.ts';
import { type Fixture, measureParity } from './fixture-parity.ts';
import { nodeWasmPaths } from './wasm-paths-node.ts';

const FIXTURES = join(import.meta.dirname, '../../tests/fixtures');

function bytesOf(name: string, file: string): ArrayBuffer {
  return new Uint8Array(readFileSync(join(FIXTURES, name, file))).buffer;
}

const fixtures = readdirSync(FIXTURES)
  .filter((name) => existsSync(join(FIXTURES, name, 'weights.safetensors')))
  .map((name) => JSON.parse(readFileSync(join(FIXTURES, name, 'fixture.json'), 'utf8')) as Fixture);

describe.each(['cpu', 'wasm'] as const)('%s', (backend) => {
  beforeAll(() => selectBackend(backend, { wasmPaths: nodeWasmPaths() }));

  it.each(fixtures)('agrees with PyTorch on $name', async (fixture) => {
    const weights = bytesOf(fixture.name, 'weights.safetensors');
    const error = await measureParity(fixture, weights, bytesOf(fixture.name, 'io.safetensors'));
    console.info(`${backend} ${fixture.name}: largest absolute error ${error.toExponential(1)}`);
    expect(error).toBeLessThanOrEqual(fixture.tolerance);
  });
});
