/** Several heads against one window of the same total budget: how fast an answer comes, refocuses included. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import { emptyLayout } from '../../src/core/context/working-context.ts';
import { type Lod, K } from '../../src/core/tree/ids.ts';
import { GistTree } from '../../src/core/tree/gist-tree.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { defaultsOf } from '../../src/runtime/engine/engine.ts';
import { MultiHeadFocus } from '../../src/runtime/session/head/multi-head-focus.ts';
import { TelemetryRecorder } from '../../src/runtime/session/telemetry/telemetry-recorder.ts';
import { root } from '../open-model.ts';
import { type BenchRow, compare, processorMs, rowOf } from './measure.ts';

const HISTORY_TOKENS = 4096;
const HEAD_COUNTS = [2, 4, 8] as const;
const ORIGIN = { role: 'document', documentId: 'bench', title: 'Bench', wallClockMs: 0 } as const;

export async function headsSuite(model: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const text = readFileSync(join(root, 'public/examples/harbour-chronicle.txt'), 'utf8');
  const ids = model.tokenizer.encode(text).subarray(0, HISTORY_TOKENS);
  const one = await focusOn(model, ids, 1);
  const rows: BenchRow[] = [];
  for (const heads of HEAD_COUNTS) {
    const several = await focusOn(model, ids, heads);
    rows.push(
      await compare({
        name: `decode ${K} tokens with ${heads} heads, one refocus`,
        rounds,
        ours: () => decode(several),
        peer: () => decode(one),
        peerName: 'one window of the same total budget',
      }),
      rowOf(
        `speed with ${heads} heads, processor time`,
        await speeds(one, several, rounds),
        'of one window’s',
      ),
    );
    several.dispose();
  }
  one.dispose();
  return rows;
}

async function focusOn(model: LoadedModel, ids: Uint32Array, heads: number): Promise<MultiHeadFocus> {
  const tree = new GistTree({
    hiddenSize: model.base.hiddenSize,
    maxLod: model.manifest.maxLod as Lod,
    gistVersion: model.gistNet.version,
  });
  const start = { tree, heads: [{ layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE }] };
  const config = { ...defaultsOf(model), heads };
  const focus = new MultiHeadFocus(start, model, new TelemetryRecorder(systemClock), config);
  await focus.appendByBlocks(ids, ORIGIN, undefined, HISTORY_TOKENS);
  return focus;
}

/** What one window takes of its processor over what several take for as many tokens, in turn: other programs do not count. */
async function speeds(one: MultiHeadFocus, several: MultiHeadFocus, rounds: number): Promise<number[]> {
  const costOf = async (focus: MultiHeadFocus): Promise<number> => {
    const from = processorMs();
    await decode(focus);
    return processorMs() - from;
  };
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) shares.push((await costOf(one)) / (await costOf(several)));
  return shares;
}

/** A block's worth of the likeliest tokens, each appended before the next is predicted. */
async function decode(focus: MultiHeadFocus): Promise<void> {
  for (let token = 0; token < K; token++) {
    const { logits } = await focus.predict();
    const next = logits.reduce((best, logit, id) => (logit > logits[best]! ? id : best), 0);
    await focus.append(Uint32Array.of(next), ORIGIN);
    if (focus.memory.tree.tokenCount % K === 0) await focus.refocus('block');
  }
}
