/** Where a link leads, and that its place is shown when the run gets there, unless the reader went elsewhere. */
import { beforeEach, describe, expect, it, test } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { sampleRefocus } from '../../../core/testing/sample-events.ts';
import type { SessionRecord, SessionState } from '../../../runtime/engine/protocol/protocol.ts';
import { currentRun } from '../../model/current-run.ts';
import { seek, usePlayback } from '../../model/playback-store.ts';
import { useProblems } from '../../model/problem-store.ts';
import { useSession } from '../../model/session-store.ts';
import { useTracks } from '../timeline/tracks-store.ts';
import { useView } from '../../model/view-store.ts';
import { INITIAL_ARRANGEMENT } from '../timeline/tracks.ts';
import { applyView, isWaiting, linkOfPage, targetOf } from './page-link.ts';

const example = { title: 'Chronicle', config: DEFAULT_RUN_CONFIG };
const record = (id: string, title: string, config = DEFAULT_RUN_CONFIG) =>
  ({ id, title, config }) as unknown as SessionRecord;

function addSteps(from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    currentRun.append([sampleRefocus({ step, timeMs: step, cursor: step * 32 })]);
  }
}

describe('a link leads', () => {
  const sessions = [record('a', 'Mine'), record('b', 'Chronicle'), record('c', 'Chronicle')];

  it('to its own session, to one made alike, or to a new one', () => {
    expect(targetOf({ session: 'a', example: 'x' }, sessions, example)).toEqual({ kind: 'session', id: 'a' });
    expect(targetOf({ session: 'z', example: 'x' }, sessions, example)).toEqual({ kind: 'session', id: 'b' });
    const config = { ...DEFAULT_RUN_CONFIG, seed: 7 };
    expect(targetOf({ example: 'x' }, sessions, { ...example, config })).toEqual({
      kind: 'example',
      isSubstitute: false,
    });
    expect(targetOf({ example: 'needle' }, sessions, example)).toEqual({ kind: 'preset', id: 'needle' });
  });

  it('to the example, openly, when its text is in another browser', () => {
    expect(targetOf({ session: 'z' }, sessions, example)).toEqual({ kind: 'example', isSubstitute: true });
  });
});

describe('the place of a link', () => {
  const link = { step: 8, tokens: [32, 128] as const, block: { lod: 1, start: 64, end: 96 } };

  beforeEach(() => {
    currentRun.reset();
    usePlayback.setState(usePlayback.getInitialState());
    useView.setState(useView.getInitialState());
    useProblems.setState({ problems: [] });
    useSession.setState({ phase: 'ready', session: null, running: true });
  });

  it('is shown once the run gets there', () => {
    addSteps(1, 5);
    applyView(link);
    expect(isWaiting()).toBe(true);
    expect(usePlayback.getState().following).toBe(true);
    addSteps(6, 9);
    expect(isWaiting()).toBe(false);
    expect(usePlayback.getState()).toMatchObject({ index: 7, following: false });
    expect(useView.getState()).toMatchObject({
      tokens: { start: 32, end: 128 },
      autoTokens: false,
      selection: link.block,
    });
  });

  it('is given up when the reader goes elsewhere', () => {
    addSteps(1, 5);
    applyView(link);
    seek(2);
    addSteps(6, 9);
    expect(usePlayback.getState().index).toBe(2);
    expect(isWaiting()).toBe(false);
  });

  it('is the end, with words, when the run stops before it', () => {
    addSteps(1, 5);
    applyView(link);
    const session = { activity: 'idle', pendingTokens: 0 } as SessionState;
    useSession.setState({ running: false, session });
    expect(usePlayback.getState()).toMatchObject({ index: 4, following: false });
    expect(useProblems.getState().problems[0]?.message).toContain('ends at step 5');
  });
});

test('tracks go with a link; a link of version 1 leaves the arrangement alone', () => {
  useSession.setState({ session: null });
  const own = { ...INITIAL_ARRANGEMENT, hidden: ['heat'] };
  const sent = { ...INITIAL_ARRANGEMENT, pinned: ['score'] };
  useTracks.setState({ arrangement: own });
  applyView({ tracks: 'own' });
  expect(linkOfPage().tracks).toEqual(own);
  applyView({ tracks: sent });
  expect(linkOfPage().tracks).toEqual(sent);
  applyView({});
  expect(useTracks.getState().arrangement).toBe(INITIAL_ARRANGEMENT);
  expect(linkOfPage().tracks).toBeUndefined();
});
