import { beforeEach, describe, expect, it } from 'vitest';
import {
  advanced,
  clearRange,
  followLive,
  markRange,
  markRangeEnd,
  seek,
  setFrameCount,
  toggleLooping,
  togglePlaying,
  usePlayback,
} from './playback-store.ts';

beforeEach(() => {
  usePlayback.setState(usePlayback.getInitialState());
});

describe('playback', () => {
  it('stays on the newest frame while following, and not after a seek', () => {
    setFrameCount(10);
    expect(usePlayback.getState().index).toBe(9);
    seek(4);
    setFrameCount(20);
    expect(usePlayback.getState()).toMatchObject({ index: 4, following: false });
    followLive();
    expect(usePlayback.getState()).toMatchObject({ index: 19, following: true });
  });

  it('clamps seeks and ignores them in an empty run', () => {
    seek(3);
    expect(usePlayback.getState().index).toBe(-1);
    setFrameCount(5);
    seek(99);
    expect(usePlayback.getState().index).toBe(4);
    seek(-3);
    expect(usePlayback.getState().index).toBe(0);
  });

  it('plays from the start when it stands at the end', () => {
    setFrameCount(5);
    togglePlaying();
    expect(usePlayback.getState()).toMatchObject({ playing: true, index: 0, following: false });
    togglePlaying();
    expect(usePlayback.getState().playing).toBe(false);
  });
});

describe('looping', () => {
  const playhead = { index: 8, count: 100, range: { first: 5, last: 9 }, looping: true };

  it('wraps within the range however far a tick reaches, and over the whole run without one', () => {
    expect(advanced(playhead, 1)).toBe(9);
    expect(advanced(playhead, 2)).toBe(5);
    expect(advanced(playhead, 2 + 5 * 7)).toBe(5);
    expect(advanced({ ...playhead, range: null, index: 99 }, 1)).toBe(0);
    expect(advanced({ ...playhead, looping: false, index: 98 }, 2)).toBeNull();
    expect(advanced({ ...playhead, index: 5, range: { first: 5, last: 5 } }, 3)).toBe(5);
    for (const index of [0, 4, 10, 12]) expect(advanced({ ...playhead, index }, 1)).toBe(5);
  });

  it('takes ends in any order and from the playhead, and clamps them', () => {
    setFrameCount(50);
    markRange(30, -4);
    expect(usePlayback.getState()).toMatchObject({ range: { first: 0, last: 30 }, looping: true });
    seek(20);
    markRangeEnd('first');
    expect(usePlayback.getState().range).toEqual({ first: 20, last: 30 });
    seek(10);
    markRangeEnd('last');
    expect(usePlayback.getState().range).toEqual({ first: 10, last: 10 });
    clearRange();
    expect(usePlayback.getState()).toMatchObject({ range: null, looping: false });
  });

  it('starts in the range when the playhead stands outside, and drops a range that the run does not have', () => {
    setFrameCount(50);
    markRange(10, 20);
    seek(40);
    togglePlaying();
    expect(usePlayback.getState()).toMatchObject({ index: 10, playing: true });
    toggleLooping();
    expect(usePlayback.getState().range).not.toBeNull();
    setFrameCount(60);
    expect(usePlayback.getState().range).toEqual({ first: 10, last: 20 });
    setFrameCount(15);
    expect(usePlayback.getState().range).toBeNull();
  });
});
