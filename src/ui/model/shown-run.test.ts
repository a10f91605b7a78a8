/** A recording stands in front of the session's run, which goes on behind it. */
import { expect, it } from 'vitest';
import { sampleRefocus } from '../../core/testing/sample-events.ts';
import { Run } from './run.ts';
import { ShownRun } from './shown-run.ts';

it('shows a recording in front of the live run, and the live run again', () => {
  const written = [
    { start: 0, end: 32, role: 'document', documentId: 'd', title: 'D', wallClockMs: 0 },
  ] as const;
  const shown = new ShownRun(() => []);
  const recorded = new Run();
  recorded.append([sampleRefocus({ step: 1 }), sampleRefocus({ step: 2 })]);
  let told = 0;
  shown.subscribe(() => told++);
  shown.live.append([sampleRefocus({ step: 1 })]);
  shown.showRecorded(recorded, written);
  expect([told, shown.run.frameCount, shown.provenance, shown.isLive]).toEqual([2, 2, written, false]);
  // What the session does behind a recording is not news to whoever looks at the recording.
  shown.live.append([sampleRefocus({ step: 2 }), sampleRefocus({ step: 3 })]);
  expect([told, shown.run]).toEqual([2, recorded]);
  shown.showLive();
  shown.showLive();
  expect([told, shown.run.frameCount, shown.provenance]).toEqual([3, 3, []]);
});
