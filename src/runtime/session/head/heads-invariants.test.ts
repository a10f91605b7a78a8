import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { applyLayoutFrame } from '../../../core/trace/layout-delta.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { K, tokensPerEntry } from '../../../core/tree/ids.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { FocusHeads } from '../../../nn/ports.ts';
import {
  bootEngine,
  branchEnded,
  type EngineFixture,
  ingest,
  open,
  prose,
} from '../../testing/engine-fixture.ts';
import { createFakeModel } from '../../testing/fake-model.ts';

/** Four heads, and rules that let go of everything that nothing holds. */
const START = {
  heads: 4,
  budgetTokens: 768,
  // Of the whole run; as much stays out of the cold tier as the share leaves, so that nothing else keeps a block but a head.
  recentTokens: 384,
  stagingBudgetTokens: 0,
  stagingEveryTokens: 64,
  maxNewTokens: 4,
  pruneIdleSteps: 0,
  pruneKeepAccesses: 1000,
  pruneMaxShare: 0.9,
};

const CHANGES = [
  { heads: 2 },
  { heads: 4, headCues: '' },
  { headCues: 'plain', diversityGain: 0 },
  { diversityGain: 0.6, mutedHeads: '1' },
  { mutedHeads: '', router: 'utility-gated', headTopK: 2 },
  { stagingBudgetTokens: 0 },
  { stagingBudgetTokens: 2048 },
  { budgetTokens: 1024, stagingBudgetTokens: 1024 },
  { headCues: 'plain, learned', router: 'learned', headTopK: 1 },
  { merger: 'learned' },
  { stagingLens: 'lensnet-g' },
  { heads: 8, budgetTokens: 1024 },
] as const;
/** The first of those that ask for learned parts. */
const LEARNED = 8;
/** Works for any number of heads, whatever was asked for before. */
const AT_THE_END = {
  budgetTokens: 1024,
  headCues: '',
  mutedHeads: '',
  router: 'static',
  merger: 'confident',
  stagingBudgetTokens: 2048,
};

/** The fake model with everything that two and four heads can have learned. */
function learnedModel() {
  const model = createFakeModel();
  const adapted: FocusHeads = {
    lensOf: () => model.lensNet,
    router: (_query, statistics) => statistics.map(({ wanted }, head) => wanted + head / 10),
    merger: (_hidden, entropy, utility) => utility - entropy,
  };
  return {
    ...model,
    stagingLensNet: model.lensNet,
    focusHeads: new Map([
      [2, adapted],
      [4, adapted],
    ]),
  };
}

/** What a trace says: every head's layout, and what is in the cold tier. */
interface Told {
  readonly layouts: ReadonlyMap<number, readonly LayoutEntry[]>;
  /** Frames that break a rule, in words. */
  readonly broken: readonly string[];
}

async function told(fixture: EngineFixture, id: string): Promise<Told> {
  const { events } = await fixture.engine.handle({ kind: 'readRun', sessionId: id });
  return toldBy(events);
}

function toldBy(events: readonly TelemetryEvent[]): Told {
  const layouts = new Map<number, readonly LayoutEntry[]>();
  const cold = new Set<string>();
  const broken: string[] = [];
  for (const event of events) {
    if (event.type === 'violation') broken.push(JSON.stringify(event));
    if (event.type === 'prune') {
      for (const { lod, first, count } of event.runs) {
        for (let row = first; row < first + count; row++) {
          if (event.action === 'prune') cold.add(`${lod}:${row}`);
          else cold.delete(`${lod}:${row}`);
        }
      }
    }
    if (event.type !== 'refocus') continue;
    const { head, step, budgetTokens } = event;
    const entries = applyLayoutFrame(layouts.get(head) ?? [], event.layout);
    layouts.set(head, entries);
    const used = entries.reduce((sum, [lod, start, end]) => sum + (lod === 0 ? end - start : 1), 0);
    const where = `head ${head} at step ${step}`;
    if (used > budgetTokens) broken.push(`${where} holds ${used} of ${budgetTokens}`);
    entries.forEach(([lod, start, end], i) => {
      if (cold.has(`${lod}:${start / tokensPerEntry(lod)}`))
        broken.push(`${where} holds cold ${lod}:${start}`);
      if (i > 0 && entries[i - 1]![2] !== start) broken.push(`${where} has a gap before ${start}`);
      if (start % K !== 0 || end <= start) broken.push(`${where} has ${start} to ${end}`);
    });
  }
  return { layouts, broken };
}

describe('heads and staging under random histories and acts', () => {
  const op = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('ingest'), size: fc.integer({ min: 1, max: 300 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('expand', 'collapse'),
        head: fc.integer({ min: 0, max: 3 }),
        at: fc.nat(400),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('change'), which: fc.nat(CHANGES.length - 1) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('prune', 'restore', 'ask', 'reload', 'refocus'),
      }),
    },
  );

  it('keep every invariant, and none shows what is in the cold tier', { timeout: 60_000 }, async () => {
    let pruned = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(op, { minLength: 4, maxLength: 10 }),
        fc.nat(1000),
        fc.constantFrom(1, 2, 4, 8),
        async (ops, seed, heads) => {
          const fixture = await bootEngine({ model: learnedModel() });
          const { engine } = fixture;
          let id = await open(fixture, START);
          await ingest(fixture, prose(1700, seed));
          const half = ops.length >> 1;
          const learns = { kind: 'change', which: LEARNED + (seed % 3) } as const;
          const acts = [
            { kind: 'prune' } as const,
            learns,
            ...ops.slice(0, half),
            { kind: 'branch' } as const,
            ...ops.slice(half),
          ];
          for (const act of acts) {
            if (act.kind === 'expand' || act.kind === 'collapse') {
              const { kind: action, head, at } = act;
              const entries = (await told(fixture, id)).layouts.get(head) ?? [];
              if (entries.length === 0) continue;
              const [lod, start, end] = entries[at % entries.length]!;
              // What is not legal there is refused, and changes nothing.
              await engine.handle({ kind: 'act', action, lod, start, end, head }).catch(() => undefined);
              continue;
            }
            switch (act.kind) {
              case 'ingest':
                await ingest(fixture, prose(act.size, seed + 7));
                break;
              case 'change': {
                const changes = CHANGES[act.which]!;
                // What does not go together is refused by name, and changes nothing.
                await engine.handle({ kind: 'setConfig', changes }).catch(() => undefined);
                break;
              }
              case 'prune': {
                const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
                if (runs.length > 0) await engine.handle({ kind: 'prune', runs: [...runs] });
                pruned += runs.length;
                break;
              }
              case 'restore':
                await engine.handle({ kind: 'restorePruned' });
                break;
              case 'ask':
                await engine.handle({ kind: 'ask', text: 'Who keeps the light? And where is the rope?' });
                break;
              case 'reload':
                await engine.handle({ kind: 'openSession', sessionId: id });
                break;
              case 'refocus':
                await engine.handle({ kind: 'refocus' });
                break;
              case 'branch': {
                // From about the middle; the branch is what goes on.
                const { events } = await engine.handle({ kind: 'readRun', sessionId: id });
                const step = Math.ceil(events.at(-1)!.step / 2);
                const changes = {};
                const { state } = await engine.handle({
                  kind: 'branchSession',
                  sessionId: id,
                  step,
                  title: 'B',
                  changes,
                });
                expect((await branchEnded(fixture)).phase).toBe('done');
                id = state.record.id;
                break;
              }
            }
          }
          await engine.handle({ kind: 'setConfig', changes: { ...AT_THE_END, heads } });
          await engine.handle({ kind: 'refocus' });
          const { layouts, broken } = await told(fixture, id);
          expect(broken).toEqual([]);
          for (let head = 0; head < heads; head++) expect(layouts.has(head)).toBe(true);
          expect(layouts.has(STAGING_HEAD)).toBe(true);
          await engine.dispose();
        },
      ),
      { numRuns: 8 },
    );
    expect(pruned).toBeGreaterThan(0);
  });

  it('keep what any of them holds out of the cold tier', async () => {
    const fixture = await bootEngine();
    const { engine } = fixture;
    const id = await open(fixture, START);
    await ingest(fixture, prose(2600));
    const gist = (await told(fixture, id)).layouts.get(3)!.find(([lod]) => lod === 1)!;
    const [, start, end] = gist;
    await engine.handle({ kind: 'act', action: 'expand', lod: 1, start, end, head: 3 });
    const { layouts } = await told(fixture, id);
    const isRaw = (head: number) => layouts.get(head)!.some(([lod, from]) => lod === 0 && from === start);
    expect([0, 1, 2, 3].map(isRaw)).toEqual([false, false, false, true]);
    const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
    expect(runs.length).toBeGreaterThan(0);
    await engine.handle({ kind: 'prune', runs: [...runs] });
    expect(
      runs.some(({ lod, first, count }) => lod === 0 && first <= start / K && start / K < first + count),
    ).toBe(false);
    await engine.handle({ kind: 'refocus' });
    const after = await told(fixture, id);
    expect(after.broken).toEqual([]);
    // What one head opened is no reason for another to show it.
    expect(after.layouts.get(0)!.some(([lod, from]) => lod === 0 && from === start)).toBe(false);
  });
});
