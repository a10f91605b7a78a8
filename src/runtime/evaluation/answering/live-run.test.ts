import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { SlotView } from '../../../core/context/slot-view.ts';
import { systemClock } from '../../../base/clock.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { caseOfText } from '../cases/evaluation-case.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { LiveRun } from './live-run.ts';

it('a question gets its block although what must pay for it was opened a refocus before', async () => {
  const model = createFakeModel();
  // Wants the blocks 2 and 3 until the question, then block 7 alone.
  let wanted = [2, 3];
  const score = ({ entries, entryOfSlot }: SlotView) =>
    Promise.resolve(
      Float32Array.from(entryOfSlot, (index) => (wanted.includes(entries[index]!.start / 32) ? 0.9 : -0.5)),
    );
  const lens = { ...model, lensNet: { ...model.lensNet, score } };
  const ids = Uint32Array.from({ length: 640 }, (_, i) => 97 + (i % 26));
  const history = await rememberHistory(lens, ids, undefined, () => Promise.resolve());
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 208, recentTokens: 64 };
  const pause = () => Promise.resolve();
  const run = await LiveRun.settle('lensnet', lens, history, config, systemClock, pause);
  wanted = [7];
  const item = caseOfText(lens, 'q', 'a', { kind: 'in-order', values: ['a'] }, [
    { start: 7 * 32, end: 8 * 32 },
  ]);
  const { latency, layout } = await run.answer(item.asked, item.gold);
  expect(latency).not.toBeNull();
  expect(layout.entries.some(({ lod, start }) => lod === 0 && start === 7 * 32)).toBe(true);
});
