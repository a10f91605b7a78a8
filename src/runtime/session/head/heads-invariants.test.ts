import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STAGING_HEAD } from '../../../core/heads/head-specs.ts';
import { applyLayoutFrame } from '../../../core/trace/layout-delta.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { K, tokensPerEntry } from '../../../core/tree/ids.ts';
import { bootEngine, type EngineFixture, ingest, open, prose } from '../../testing/engine-fixture.ts';

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
] as const;

/** What a trace says: every head's layout, and what is in the cold tier. */
interface Told {
  readonly layouts: ReadonlyMap<number, readonly LayoutEntry[]>;
  /** Frames that break a rule, in words. */
  readonly broken: readonly string[];
}

function told(fixture: EngineFixture): Told {
  const layouts = new Map<number, readonly LayoutEntry[]>();
  const cold = new Set<string>();
  const broken: string[] = [];
  for (const event of fixture.events()) {
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
      arbitrary: fc.record({ kind: fc.constantFrom('prune', 'restore', 'ask', 'reload', 'refocus') }),
    },
  );

  it('keep every invariant, and none shows what is in the cold tier', { timeout: 60_000 }, async () => {
    let pruned = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 4, maxLength: 10 }), fc.nat(1000), async (ops, seed) => {
        const fixture = await bootEngine();
        const { engine } = fixture;
        const id = await open(fixture, START);
        await ingest(fixture, prose(1700, seed));
        for (const act of [{ kind: 'prune' } as const, ...ops]) {
          if (act.kind === 'expand' || act.kind === 'collapse') {
            const { kind: action, head, at } = act;
            const entries = told(fixture).layouts.get(head) ?? [];
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
          }
        }
        await engine.handle({ kind: 'setConfig', changes: { heads: 4, stagingBudgetTokens: 2048 } });
        await engine.handle({ kind: 'refocus' });
        const { layouts, broken } = told(fixture);
        expect(broken).toEqual([]);
        expect([0, 1, 2, 3, STAGING_HEAD].every((head) => layouts.has(head))).toBe(true);
        await engine.dispose();
      }),
      { numRuns: 6 },
    );
    expect(pruned).toBeGreaterThan(0);
  });

  it('keep what any of them holds out of the cold tier', async () => {
    const fixture = await bootEngine();
    const { engine } = fixture;
    await open(fixture, START);
    await ingest(fixture, prose(2600));
    const gist = told(fixture)
      .layouts.get(3)!
      .find(([lod]) => lod === 1)!;
    const [, start, end] = gist;
    await engine.handle({ kind: 'act', action: 'expand', lod: 1, start, end, head: 3 });
    const { layouts } = told(fixture);
    const isRaw = (head: number) => layouts.get(head)!.some(([lod, from]) => lod === 0 && from === start);
    expect([0, 1, 2, 3].map(isRaw)).toEqual([false, false, false, true]);
    const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
    expect(runs.length).toBeGreaterThan(0);
    await engine.handle({ kind: 'prune', runs: [...runs] });
    expect(
      runs.some(({ lod, first, count }) => lod === 0 && first <= start / K && start / K < first + count),
    ).toBe(false);
    await engine.handle({ kind: 'refocus' });
    expect(told(fixture).broken).toEqual([]);
    // What one head opened is no reason for another to show it.
    expect(
      told(fixture)
        .layouts.get(0)!
        .some(([lod, from]) => lod === 0 && from === start),
    ).toBe(false);
  });
});
