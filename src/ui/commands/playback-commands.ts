/** The commands that move the playhead and mark what it loops over. */
import {
  SPEEDS,
  clearRange,
  followLive,
  markRangeEnd,
  toggleLooping,
  togglePlaying,
  usePlayback,
} from '../model/playback-store.ts';
import { useView } from '../model/view-store.ts';
import type { CommandEntry } from './command-entry.ts';
import { seekAction, seekBy, seekTo } from './view-actions.ts';

const FAST_FRAMES = 10;

export const PLAYBACK_COMMANDS = [
  {
    id: 'play',
    title: 'Play or pause the recording',
    group: 'Playback',
    keys: ['Space'],
    run: togglePlaying,
  },
  {
    id: 'back',
    title: 'One step back',
    group: 'Playback',
    keys: ['ArrowLeft'],
    repeats: true,
    run: () => {
      seekBy(-1);
    },
  },
  {
    id: 'forward',
    title: 'One step forward',
    group: 'Playback',
    keys: ['ArrowRight'],
    repeats: true,
    run: () => {
      seekBy(1);
    },
  },
  {
    id: 'back-fast',
    title: 'Ten steps back',
    group: 'Playback',
    keys: ['Shift+ArrowLeft'],
    repeats: true,
    run: () => {
      seekBy(-FAST_FRAMES);
    },
  },
  {
    id: 'forward-fast',
    title: 'Ten steps forward',
    group: 'Playback',
    keys: ['Shift+ArrowRight'],
    repeats: true,
    run: () => {
      seekBy(FAST_FRAMES);
    },
  },
  {
    id: 'first',
    title: 'First step',
    group: 'Playback',
    keys: ['Home'],
    run: () => {
      seekTo(0);
    },
  },
  {
    id: 'live',
    title: 'Follow live',
    group: 'Playback',
    keys: ['End'],
    run: () => {
      followLive();
      useView.setState({ autoSteps: true });
    },
  },
  {
    id: 'previous-action',
    title: 'Previous action',
    group: 'Playback',
    keys: [','],
    repeats: true,
    run: () => {
      seekAction(-1);
    },
  },
  {
    id: 'next-action',
    title: 'Next action',
    group: 'Playback',
    keys: ['.'],
    repeats: true,
    run: () => {
      seekAction(1);
    },
  },
  {
    id: 'slower',
    title: 'Slower',
    group: 'Playback',
    keys: ['['],
    run: () => {
      changeSpeed(-1);
    },
  },
  {
    id: 'faster',
    title: 'Faster',
    group: 'Playback',
    keys: [']'],
    run: () => {
      changeSpeed(1);
    },
  },
  {
    id: 'loop',
    title: 'Loop the marked range, or the whole run',
    group: 'Playback',
    keys: ['l'],
    run: toggleLooping,
  },
  {
    id: 'range-start',
    title: 'Start the range at this step',
    group: 'Playback',
    keys: ['i'],
    run: () => {
      markRangeEnd('first');
    },
  },
  {
    id: 'range-end',
    title: 'End the range at this step',
    group: 'Playback',
    keys: ['o'],
    run: () => {
      markRangeEnd('last');
    },
  },
  { id: 'range-clear', title: 'Clear the range', group: 'Playback', keys: ['Shift+L'], run: clearRange },
] as const satisfies readonly CommandEntry[];

function changeSpeed(direction: 1 | -1): void {
  usePlayback.setState(({ speed }) => {
    const at = SPEEDS.findIndex((candidate) => candidate === speed);
    return { speed: SPEEDS[Math.min(Math.max(at + direction, 0), SPEEDS.length - 1)]! };
  });
}
