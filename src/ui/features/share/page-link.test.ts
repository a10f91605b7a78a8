/** Where a link leads, and that its place is shown when the run gets there, unless the reader went elsewhere. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { sampleRefocus } from '../../../core/testing/sample-events.ts';
import type { SessionRecord, SessionState } from '../../../runtime/engine/protocol/protocol.ts';
import { type Model, createModel } from '../../model/model.ts';
import { fakeEngine } from '../../model/testing/fake-engine.ts';
import type { Track } from '../../model/tracks.ts';
import { PageLink, targetOf } from './page-link.ts';

let model: Model;
let pageLink: PageLink;

beforeEach(() => {
  model = createModel(fakeEngine().port);
  model.mirror.setState({ phase: 'ready', session: null, running: true });
  pageLink = new PageLink(model);
});

const example = { title: 'Chronicle', config: DEFAULT_RUN_CONFIG };
const record = (id: string, title: string, config = DEFAULT_RUN_CONFIG) =>
  ({ id, title, config }) as unknown as SessionRecord;

function addSteps(from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    model.shown.live.append([sampleRefocus({ step, timeMs: step, cursor: step * 32 })]);
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

  it('is shown once the run gets there', () => {
    addSteps(1, 5);
    pageLink.show(link);
    expect(pageLink.isWaiting).toBe(true);
    expect(model.view.playhead.state.following).toBe(true);
    addSteps(6, 9);
    expect(pageLink.isWaiting).toBe(false);
    expect(model.view.playhead.state).toMatchObject({ index: 7, following: false });
    expect(model.view.viewport.state).toMatchObject({
      tokens: { start: 32, end: 128 },
      autoTokens: false,
      selection: link.block,
    });
  });

  it('is given up when the reader goes elsewhere', () => {
    addSteps(1, 5);
    pageLink.show(link);
    model.view.playhead.seek(2);
    addSteps(6, 9);
    expect(model.view.playhead.state.index).toBe(2);
    expect(pageLink.isWaiting).toBe(false);
  });

  it('is the end, with words, when the run stops before it', () => {
    addSteps(1, 5);
    pageLink.show(link);
    const session = { activity: 'idle', pendingTokens: 0 } as SessionState;
    model.mirror.setState({ running: false, session });
    expect(model.view.playhead.state).toMatchObject({ index: 4, following: false });
    expect(model.problems.store.getState().problems[0]?.message).toContain('ends at step 5');
  });

  it('names what lies beyond the run, and shows the rest', () => {
    addSteps(1, 5);
    pageLink.show({
      tokens: [9000, 9100],
      rows: [50, 60],
      block: { lod: 1, start: 9600, end: 9632 },
      step: 2,
    });
    model.mirror.setState({
      phase: 'ready',
      running: false,
      session: { activity: 'idle', pendingTokens: 0 } as SessionState,
    });
    const told = model.problems.store.getState().problems.at(-1)!;
    expect(told.title).toBe('3 parts of the link were not used');
    for (const value of ['1-9600-9632', '9000-9100', '50-60']) expect(told.message).toContain(value);
    expect(model.view.viewport.state.selection).toBeNull();
    expect(model.view.playhead.state.index).toBe(1);
  });
});

it('tracks go with a link; a link of version 1 leaves the arrangement alone', () => {
  model.mirror.setState({ session: null });
  const { tracks } = model.view;
  const track: Omit<Track, 'id'> = {
    ...{ label: '', name: '', sentence: '', kind: 'bar', columns: 1, min: 0, max: 1, band: null },
    values: () => null,
    words: () => '',
  };
  tracks.register(...['heat', 'score'].map((id) => ({ ...track, id })));
  const own = { ...tracks.initial, hidden: ['heat'] };
  const sent = { ...tracks.initial, pinned: ['score'] };
  tracks.show(own);
  pageLink.show({ tracks: 'own' });
  expect(pageLink.read().tracks).toEqual(own);
  pageLink.show({ tracks: sent });
  expect(pageLink.read().tracks).toEqual(sent);
  pageLink.show({});
  expect(tracks.state.arrangement).toBe(tracks.initial);
  expect(pageLink.read().tracks).toBeUndefined();
});
