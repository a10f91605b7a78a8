import { beforeAll, expect, it } from 'vitest';
import type { SlotView } from '../../core/context/slot-view.ts';
import { selectBackend } from '../backend/device.ts';
import { memoryReport } from '../backend/memory-report.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import type { FocusHeadsSection, LensNetConfig } from '../model-folder/manifest.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';
import { readFixture } from '../testing/fixture-files.ts';
import { createFixtureLens, lensFixtureInput } from '../testing/fixture-parity.ts';
import { createFocusHeads } from './focus-heads.ts';

beforeAll(() => selectBackend('wasm', { wasmPaths: nodeWasmPaths() }));

const { fixture, weights, io } = readFixture('focus-heads-h3');
const FILE = { weights: 'weights.safetensors', version: 1 };
const LENS_NET = { ...(fixture.config['lensNet'] as LensNetConfig), ...FILE };
const SECTION = { ...(fixture.config['focusHeads'] as Omit<FocusHeadsSection, keyof typeof FILE>), ...FILE };
const open = (changes: Partial<FocusHeadsSection> = {}) =>
  createFocusHeads(
    { hiddenSize: 16, epsilon: 1e-5, lensNet: LENS_NET },
    { ...SECTION, ...changes },
    () => weights,
  );

it('gives each head a LensNet of its own, made when it is first asked for and disposed together', async () => {
  const before = memoryReport().tensors;
  const heads = await open();
  expect(memoryReport().tensors).toBe(before);
  const view = lensFixtureInput(SafetensorsFile.parse(io, 'io')) as SlotView;
  const own = await createFixtureLens(fixture.config, SafetensorsFile.parse(weights, 'weights'));
  const scores = [await own.score(view)];
  for (const head of [0, 1, 2]) scores.push(await heads.lensOf!(head).score(view));
  for (const [a, one] of scores.entries()) {
    for (const other of scores.slice(a + 1)) expect(Array.from(one)).not.toEqual(Array.from(other));
  }
  expect(heads.lensOf!(1)).toBe(heads.lensOf!(1));
  own.dispose();
  heads.dispose();
  expect(memoryReport().tensors).toBe(before);
});

it('has no part that the manifest does not name', async () => {
  const bare = { heads: SECTION.heads, ...FILE };
  const heads = await createFocusHeads(
    { hiddenSize: 16, epsilon: 1e-5, lensNet: LENS_NET },
    bare,
    () => weights,
  );
  expect([heads.lensOf, heads.router, heads.merger]).toEqual([null, null, null]);
});

it.each([
  [{ heads: 4 }, /adapters\.slot_in\.a.*heads 3, but the manifest says 4/],
  [{ adapters: { rank: 5 } }, /adapters\.slot_in\.a.*rank 2, but the manifest says 5/],
  [{ router: { width: 9 } }, /router\.input\.weight/],
  [{ merger: { width: 9 } }, /merger\.input\.weight/],
])('refuses weights of another shape by name: %o', async (changes, message) => {
  await expect(open(changes)).rejects.toThrow(message);
});

it('refuses statistics of another number of heads', async () => {
  const row = { wanted: 0, peak: 0, mean: 0, rawShare: 0 };
  const { router } = await open();
  expect(() => router!(new Float32Array(16), [row, row])).toThrow('for 3 heads, not for 2');
});
