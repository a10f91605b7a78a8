/** Heads on the shipped weights and the project's own kernels: one of them, or several that are alike, read as one window does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { MERGERS } from '../../src/core/parameters/heads.ts';
import type { RunConfig } from '../../src/core/trace/config.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { defaultsOf } from '../../src/runtime/engine/engine.ts';
import { readMerged } from '../../src/runtime/session/decoding/merged-reading.ts';
import { emptyFocus, MultiHeadFocus } from '../../src/runtime/session/head/multi-head-focus.ts';
import { TelemetryRecorder } from '../../src/runtime/session/telemetry/telemetry-recorder.ts';
import { openModel, root } from '../../tools/open-model.ts';

const ORIGIN = { role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 } as const;
const OPEN_MS = 300_000;
/** As many are decoded beside the first, each after a token of every head's own. */
const DECODED = 3;

let model: LoadedModel;
let ids: Uint32Array;

beforeAll(async () => {
  ({ model } = await openModel('tiny', 'wasm'));
  const text = readFileSync(join(root, 'public/examples/harbour-chronicle.txt'), 'utf8');
  ids = model.tokenizer.encode(text).subarray(0, 1500);
}, OPEN_MS);

afterAll(() => {
  model.dispose();
});

async function focusOn(changes: Partial<RunConfig>): Promise<MultiHeadFocus> {
  const config = { ...defaultsOf(model), recentTokens: 96, headCues: 'plain', diversityGain: 0, ...changes };
  const focus = new MultiHeadFocus(emptyFocus(model), model, new TelemetryRecorder(systemClock), config);
  await focus.appendByBlocks(ids, ORIGIN);
  return focus;
}

/** What a focus predicts, and after each of some more tokens. */
async function predictions(focus: MultiHeadFocus): Promise<Float32Array[]> {
  const told: Float32Array[] = [];
  for (let more = 0; more <= DECODED; more++) {
    if (more > 0) await focus.append(ids.subarray(more, more + 1), ORIGIN);
    told.push((await focus.predict()).logits.slice());
  }
  return told;
}

it.each(MERGERS)('merged by %s, one head says what it says alone, bit for bit', async (merger) => {
  const focus = await focusOn({ heads: 1, budgetTokens: 256 });
  try {
    const { id, decoder, layout, parameters } = focus.head();
    const alone = (await focus.predict()).logits.slice();
    decoder.reset();
    const taking = [{ id, decoder, layout, budgetTokens: parameters.budgetTokens, utility: 0 }];
    const { logits, weights } = await readMerged(model.base, taking, merger, null);
    expect(logits).toEqual(alone);
    expect([...weights]).toEqual([1]);
    expect(new Set(alone).size).toBeGreaterThan(100);
  } finally {
    focus.dispose();
  }
});

it('four that are alike say what one window of their size says, bit for bit, token after token', async () => {
  const one = await focusOn({ heads: 1, budgetTokens: 256 });
  const four = await focusOn({ heads: 4, budgetTokens: 1024 });
  try {
    for (const { layout } of four.heads) expect(layout).toEqual(one.head().layout);
    expect(await predictions(four)).toEqual(await predictions(one));
  } finally {
    one.dispose();
    four.dispose();
  }
});
