import { beforeEach, describe, expect, it } from 'vitest';
import { Playhead, advanced } from './playhead.ts';

let playhead: Playhead;

beforeEach(() => {
  playhead = new Playhead();
});

describe('playback', () => {
  it('stays on the newest frame while following, and not after a seek', () => {
    playhead.setFrameCount(10);
    expect(playhead.state.index).toBe(9);
    playhead.seek(4);
    playhead.setFrameCount(20);
    expect(playhead.state).toMatchObject({ index: 4, following: false });
    playhead.followNewest();
    expect(playhead.state).toMatchObject({ index: 19, following: true });
  });

  it('clamps seeks and ignores them in an empty run', () => {
    playhead.seek(3);
    expect(playhead.state.index).toBe(-1);
    playhead.setFrameCount(5);
    playhead.seek(99);
    expect(playhead.state.index).toBe(4);
    playhead.seek(-3);
    expect(playhead.state.index).toBe(0);
  });

  it('plays from the start when it stands at the end', () => {
    playhead.setFrameCount(5);
    playhead.togglePlaying();
    expect(playhead.state).toMatchObject({ playing: true, index: 0, following: false });
    playhead.togglePlaying();
    expect(playhead.state.playing).toBe(false);
  });
});

describe('looping', () => {
  const place = { index: 8, count: 100, range: { first: 5, last: 9 }, looping: true };

  it('wraps within the range however far a tick reaches, and over the whole run without one', () => {
    expect(advanced(place, 1)).toBe(9);
    expect(advanced(place, 2)).toBe(5);
    expect(advanced(place, 2 + 5 * 7)).toBe(5);
    expect(advanced({ ...place, range: null, index: 99 }, 1)).toBe(0);
    expect(advanced({ ...place, looping: false, index: 98 }, 2)).toBeNull();
    expect(advanced({ ...place, index: 5, range: { first: 5, last: 5 } }, 3)).toBe(5);
    for (const index of [0, 4, 10, 12]) expect(advanced({ ...place, index }, 1)).toBe(5);
  });

  it('takes ends in any order and from the playhead, and clamps them', () => {
    playhead.setFrameCount(50);
    playhead.markRange(30, -4);
    expect(playhead.state).toMatchObject({ range: { first: 0, last: 30 }, looping: true });
    playhead.seek(20);
    playhead.markRangeEnd('first');
    expect(playhead.state.range).toEqual({ first: 20, last: 30 });
    playhead.seek(10);
    playhead.markRangeEnd('last');
    expect(playhead.state.range).toEqual({ first: 10, last: 10 });
    playhead.clearRange();
    expect(playhead.state).toMatchObject({ range: null, looping: false });
  });

  it('starts in the range when the playhead stands outside, and drops a range that the run does not have', () => {
    playhead.setFrameCount(50);
    playhead.markRange(10, 20);
    playhead.seek(40);
    playhead.togglePlaying();
    expect(playhead.state).toMatchObject({ index: 10, playing: true });
    playhead.toggleLooping();
    expect(playhead.state.range).not.toBeNull();
    playhead.setFrameCount(60);
    expect(playhead.state.range).toEqual({ first: 10, last: 20 });
    playhead.setFrameCount(15);
    expect(playhead.state.range).toBeNull();
  });
});

describe('playing on', () => {
  it('follows the run from its end on, and changes speed within what is offered', () => {
    playhead.setFrameCount(5);
    playhead.seek(2);
    playhead.togglePlaying();
    expect(playhead.playOn(1)).toBe(true);
    expect(playhead.state).toMatchObject({ index: 3, playing: true });
    expect(playhead.playOn(9)).toBe(false);
    expect(playhead.state).toMatchObject({ index: 4, following: true, playing: false });
    for (let i = 0; i < 20; i++) playhead.changeSpeed(-1);
    expect(playhead.state.speed).toBe(0.25);
  });

  it('stays on its frame when a replaced run has it elsewhere', () => {
    playhead.setFrameCount(10);
    playhead.seek(4);
    playhead.setFrameCount(20, 9);
    expect(playhead.state).toMatchObject({ count: 20, index: 9, following: false });
  });
});
