import { describe, expect, it } from 'vitest';
import type { TelemetryEventOf } from '../../../core/trace/telemetry.ts';
import { K } from '../../../core/tree/ids.ts';
import { countNodes, spanOfRun } from '../../../core/tree/node-runs.ts';
import {
  type EngineFixture,
  bootEngine,
  branchEnded,
  frames,
  ingest,
  open,
  prose,
} from '../../testing/engine-fixture.ts';

/** Everything unprotected may go. */
const EAGER = {
  pruneIdleSteps: 0,
  pruneKeepAccesses: 1000,
  pruneMaxShare: 0.9,
  budgetTokens: 512,
  recentTokens: 64,
};

const prunings = (fixture: EngineFixture): TelemetryEventOf<'prune'>[] =>
  fixture.events().filter((event) => event.type === 'prune');

async function session(config = {}) {
  const fixture = await bootEngine();
  const id = await open(fixture, { ...EAGER, temperature: 1, seed: 3, maxNewTokens: 30, ...config });
  await ingest(fixture, prose(9000));
  return { fixture, engine: fixture.engine, id };
}

describe('pruning', () => {
  it('changes nothing while it is only looked at', async () => {
    const { engine } = await session();
    const report = await engine.handle({ kind: 'planPruning', measure: 0 });
    expect(report.levels[0]!.nodes).toBeGreaterThan(100);
    expect(report.bytes).toBe(report.levels[0]!.nodes * K * 4);
    expect(report.levels[0]!.measured).toBeNull();
    const again = await engine.handle({ kind: 'planPruning', measure: 0 });
    expect(again).toEqual(report);
  });

  it('measures what would be lost, and keeps what turns out to matter', async () => {
    const { engine } = await session({ pruneMaxDeltaNll: 0 });
    const before = await engine.handle({ kind: 'planPruning', measure: 0 });
    const report = await engine.handle({ kind: 'planPruning', measure: 6 });
    const measured = report.levels[0]!.measured!;
    expect(measured.nodes).toBeGreaterThan(0);
    expect(measured.maxDeltaNll).toBeLessThanOrEqual(0);
    expect(countNodes(report.runs)).toBeLessThanOrEqual(countNodes(before.runs));
  });

  it('takes detail away from focus, not from text, and says so in the trace', async () => {
    const { fixture, engine } = await session();
    const { runs, bytes } = await engine.handle({ kind: 'planPruning', measure: 0 });
    const { cold } = await engine.handle({ kind: 'prune', runs: [...runs] });
    expect(cold).toEqual({ nodes: countNodes(runs), bytes });
    const [event] = prunings(fixture);
    expect(event).toMatchObject({ action: 'prune', reason: 'manual' });
    expect(event!.runs.reduce((sum, run) => sum + run.bytes, 0)).toBe(bytes);
    const { start } = spanOfRun(runs[0]!);
    const block = { lod: 1, start, end: start + K };
    const report = await engine.handle({ kind: 'inspect', ...block });
    expect(report.text).toBe(prose(9000).slice(start, start + K));
    expect(report.canExpand.legal).toBe(false);
    await engine.handle({ kind: 'restorePruned' });
    expect(prunings(fixture).at(-1)).toMatchObject({ action: 'restore' });
    expect(prunings(fixture).at(-1)!.runs).toEqual(event!.runs);
  });

  it('gives back what the staging context asks for, and a branch does the same', async () => {
    const staged = { stagingBudgetTokens: 4096, stagingEveryTokens: 64, tauExpand: 0.05 };
    const { fixture, engine, id } = await session(staged);
    const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
    await engine.handle({ kind: 'prune', runs: [...runs] });
    const step = frames(fixture).at(-1)!.step;
    await ingest(fixture, prose(600, 900));
    const restored = prunings(fixture).filter(({ action }) => action === 'restore');
    expect(restored.length).toBeGreaterThan(0);
    expect(restored.every(({ reason }) => reason === 'rules')).toBe(true);
    expect(countNodes(restored.flatMap((event) => event.runs))).toBeLessThan(countNodes(runs));
    // Every step that gave something back was one of staging's.
    const staging = new Set(frames(fixture).flatMap(({ head, step: own }) => (head === 8 ? [own] : [])));
    expect(restored.every(({ step: own }) => staging.has(own))).toBe(true);
    const { state } = await engine.handle({
      kind: 'branchSession',
      sessionId: id,
      step,
      title: 'B',
      changes: {},
    });
    await branchEnded(fixture);
    const { events } = await engine.handle({ kind: 'readRun', sessionId: state.record.id });
    const again = events.filter(
      (event): event is TelemetryEventOf<'prune'> => event.type === 'prune' && event.action === 'restore',
    );
    expect(again.map(({ step: own, runs: back }) => [own, back])).toEqual(
      restored.map(({ step: own, runs: back }) => [own, back]),
    );
  });

  it('goes on after a reload with the same tokens as without one', async () => {
    const outcomes: unknown[] = [];
    for (const reload of [false, true]) {
      // Nothing expands, so that gists may follow their blocks.
      const { fixture, engine, id } = await session({ policy: 'recency' });
      for (let round = 0; round < 3; round++) {
        const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
        await engine.handle({ kind: 'prune', runs: [...runs] });
      }
      expect(prunings(fixture).some(({ runs }) => runs.some(({ lod }) => lod === 1))).toBe(true);
      const { engine: reopened } = fixture;
      if (reload) {
        const { damage, state } = await reopened.handle({ kind: 'openSession', sessionId: id });
        expect(damage).toEqual([]);
        expect(state.cold.nodes).toBeGreaterThan(100);
      }
      await ingest(fixture, prose(600, 50));
      const { answer } = await reopened.handle({ kind: 'ask', text: 'Who keeps the light?' });
      await reopened.handle({ kind: 'restorePruned' });
      const { neighbours } = await reopened.handle({ kind: 'inspect', lod: 1, start: 64, end: 96 });
      expect(fixture.events().filter(({ type }) => type === 'violation')).toEqual([]);
      const last = frames(fixture).at(-1)!;
      outcomes.push({ answer: { ...answer, createdAt: 0 }, scores: last.scores, neighbours });
    }
    expect(outcomes[1]).toEqual(outcomes[0]);
  });

  it('leaves pins and tags alone, and is off until it is asked for', async () => {
    const { fixture, engine } = await session();
    expect(prunings(fixture)).toEqual([]);
    await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: 320, end: 352 });
    await engine.handle({ kind: 'act', action: 'tag', name: 'pier', lod: 2, start: 1024, end: 2048 });
    const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
    for (const span of [
      { start: 320, end: 352 },
      { start: 1024, end: 2048 },
    ]) {
      const touched = runs.map(spanOfRun).filter(({ start, end }) => start < span.end && span.start < end);
      expect(touched).toEqual([]);
    }
  });

  it('prunes by itself where the parameters ask for it', async () => {
    const { fixture } = await session({ pruneEverySteps: 50 });
    expect(prunings(fixture).length).toBeGreaterThan(2);
    expect(prunings(fixture).every(({ reason, step }) => reason === 'rules' && step % 50 === 0)).toBe(true);
    expect(fixture.events().filter(({ type }) => type === 'violation')).toEqual([]);
  });

  it('comes along into a branch as far as it had come', async () => {
    const { fixture, engine, id } = await session();
    const { step } = await engine.handle({ kind: 'refocus' });
    const { runs } = await engine.handle({ kind: 'planPruning', measure: 0 });
    const pruned = await engine.handle({ kind: 'prune', runs: [...runs] });
    await ingest(fixture, prose(400, 9));
    const branch = async (at: number) => {
      const { state } = await engine.handle({
        kind: 'branchSession',
        sessionId: id,
        step: at,
        title: 'Branch',
        changes: {},
      });
      return state.cold.nodes;
    };
    expect(await branch(step - 5)).toBe(0);
    expect(await branch(step + 5)).toBe(pruned.cold.nodes);
  });
});
