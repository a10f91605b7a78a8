/** Runs golden fixtures on a backend inside the page; the test imports it from there. */
import { selectBackend } from '../../src/nn/index.ts';
import { type Fixture, measureParity } from '../../src/nn/fixture-parity.ts';
import { memoryReport } from '../../src/nn/memory-report.ts';
import type { BackendPreference, BackendReport } from '../../src/nn/index.ts';
import { BROWSER_WASM_PATHS } from '../../src/nn/wasm-paths-browser.ts';

export interface PageParity {
  readonly backend: BackendReport;
  /** Largest absolute error per fixture. */
  readonly errors: Record<string, number>;
  readonly leakedTensors: number;
}

async function bytesOf(name: string, file: string): Promise<ArrayBuffer> {
  const response = await fetch(`/tests/fixtures/${name}/${file}`);
  if (!response.ok) throw new Error(`${name}/${file}: ${response.status}`);
  return response.arrayBuffer();
}

export async function runParity(
  preference: BackendPreference,
  names: readonly string[],
): Promise<PageParity> {
  const backend = await selectBackend(preference, { wasmPaths: BROWSER_WASM_PATHS });
  const before = memoryReport().tensors;
  const errors: Record<string, number> = {};
  for (const name of names) {
    const fixture = JSON.parse(new TextDecoder().decode(await bytesOf(name, 'fixture.json'))) as Fixture;
    const weights = await bytesOf(name, 'weights.safetensors');
    errors[name] = await measureParity(fixture, weights, await bytesOf(name, 'io.safetensors'));
  }
  return { backend, errors, leakedTensors: memoryReport().tensors - before };
}
