import { beforeEach, describe, expect, it } from 'vitest';
import { followLive, seek, setFrameCount, togglePlaying, usePlayback } from './playback-store.ts';

beforeEach(() => {
  usePlayback.setState({ index: -1, count: 0, following: true, playing: false, speed: 1 });
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
