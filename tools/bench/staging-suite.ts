/** What the staging context costs by its width: a refocus of it, and what that comes to for each token that it serves. */
import { systemClock } from '../../src/base/clock.ts';
import { Rng } from '../../src/base/rng.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import { protectedStart } from '../../src/core/context/moves.ts';
import { entryAt, layoutOf } from '../../src/core/context/working-context.ts';
import { headConfig, STAGING_HEAD } from '../../src/core/heads/head-specs.ts';
import { K } from '../../src/core/tree/ids.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import { Staging } from '../../src/runtime/session/head/staging.ts';
import { Memory } from '../../src/runtime/session/memory/memory.ts';
import { TelemetryRecorder } from '../../src/runtime/session/telemetry/telemetry-recorder.ts';
import { configWith } from '../command-line.ts';
import { longHistory } from './headless-run.ts';
import { type BenchRow, processorMs, rowOf } from './measure.ts';

/** Up to the widest that the parameter takes. */
const ENTRIES = [4096, 16_384, 65_536, 100_000] as const;
const ORIGIN = { role: 'document', documentId: 'bench', title: 'Bench', wallClockMs: 0 } as const;

export async function stagingSuite(model: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const entries of ENTRIES) {
    const { refocusMs, servedTokens } = await refocuses(model, entries, rounds);
    const perToken = refocusMs.map((ms) => ms / servedTokens);
    rows.push(
      rowOf(`refocus of staging, ${entries} slots`, refocusMs, 'ms'),
      rowOf(`staging a token, ${entries} slots`, perToken, 'ms'),
      rowOf(
        `staging a slot, ${entries} slots`,
        refocusMs.map((ms) => (1000 * ms) / entries),
        'µs',
      ),
    );
  }
  return rows;
}

/** Processor time of refocuses at the shipped cadence, over a history whose gists fill the staging context. */
async function refocuses(model: LoadedModel, slots: number, rounds: number) {
  const config = configWith(model, { stagingBudgetTokens: slots });
  const { recentTokens, budgetTokens } = headConfig(config, STAGING_HEAD);
  const tree = longHistory(model, (slots - 2 * recentTokens) * K, 0);
  const { tokenCount } = tree;
  const recentStart = protectedStart(tokenCount, { recentTokens, budgetTokens });
  const blocks = Array.from({ length: tokenCount / K }, (_, block) => block * K);
  const layout = layoutOf(blocks.map((start) => entryAt(start < recentStart ? 1 : 0, start)));
  const telemetry = new TelemetryRecorder(systemClock);
  const memory = new Memory(tree, model, telemetry);
  const staging = new Staging({
    state: {
      layout,
      allocator: INITIAL_ALLOCATOR_STATE,
      seenTo: null,
      refocusMs: 0,
      servedTokens: 0,
      isSettled: false,
    },
    memory,
    model,
    telemetry,
    config,
    around: {
      newestStep: () => 0,
      heldBefore: () => new Set(),
      decoders: () => [],
      staged: () => null,
    },
  });
  const rng = new Rng(1);
  const refocusMs: number[] = [];
  // The first builds the index of the history's words, and does not count.
  for (let round = 0; round <= rounds; round++) {
    const ids = Uint32Array.from({ length: config.stagingEveryTokens }, () => rng.nextInt(1000));
    for (const piece of memory.pieces(ids)) {
      memory.append(piece, ORIGIN, round);
      await memory.makeGists(round);
    }
    const from = processorMs();
    await staging.refocusIfDue('block', round);
    if (round > 0) refocusMs.push(processorMs() - from);
  }
  return { refocusMs, servedTokens: config.stagingEveryTokens };
}
