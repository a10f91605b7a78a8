/** The commands that move the playhead of a view and mark what it loops over. */
import type { RunView } from '../model/run-view.ts';
import type { CommandEntry } from './commands.ts';

const FAST_FRAMES = 10;

export function playbackCommands(view: RunView): readonly CommandEntry[] {
  return [
    {
      id: 'play',
      title: 'Play or pause the recording',
      group: 'Playback',
      keys: ['Space'],
      run: () => {
        view.playhead.togglePlaying();
      },
    },
    {
      id: 'back',
      title: 'One step back',
      group: 'Playback',
      keys: ['ArrowLeft'],
      repeats: true,
      run: () => {
        view.seekBy(-1);
      },
    },
    {
      id: 'forward',
      title: 'One step forward',
      group: 'Playback',
      keys: ['ArrowRight'],
      repeats: true,
      run: () => {
        view.seekBy(1);
      },
    },
    {
      id: 'back-fast',
      title: 'Ten steps back',
      group: 'Playback',
      keys: ['Shift+ArrowLeft'],
      repeats: true,
      run: () => {
        view.seekBy(-FAST_FRAMES);
      },
    },
    {
      id: 'forward-fast',
      title: 'Ten steps forward',
      group: 'Playback',
      keys: ['Shift+ArrowRight'],
      repeats: true,
      run: () => {
        view.seekBy(FAST_FRAMES);
      },
    },
    {
      id: 'first',
      title: 'First step',
      group: 'Playback',
      keys: ['Home'],
      run: () => {
        view.seekTo(0);
      },
    },
    {
      id: 'newest',
      title: 'Follow the newest step',
      group: 'Playback',
      keys: ['End'],
      run: () => {
        view.followNewest();
      },
    },
    {
      id: 'previous-action',
      title: 'Previous action',
      group: 'Playback',
      keys: [','],
      repeats: true,
      run: () => {
        view.seekAction(-1);
      },
    },
    {
      id: 'next-action',
      title: 'Next action',
      group: 'Playback',
      keys: ['.'],
      repeats: true,
      run: () => {
        view.seekAction(1);
      },
    },
    {
      id: 'slower',
      title: 'Slower',
      group: 'Playback',
      keys: ['['],
      run: () => {
        view.playhead.changeSpeed(-1);
      },
    },
    {
      id: 'faster',
      title: 'Faster',
      group: 'Playback',
      keys: [']'],
      run: () => {
        view.playhead.changeSpeed(1);
      },
    },
    {
      id: 'loop',
      title: 'Loop the marked range, or the whole run',
      group: 'Playback',
      keys: ['l'],
      run: () => {
        view.playhead.toggleLooping();
      },
    },
    {
      id: 'range-start',
      title: 'Start the range at this step',
      group: 'Playback',
      keys: ['i'],
      run: () => {
        view.playhead.markRangeEnd('first');
      },
    },
    {
      id: 'range-end',
      title: 'End the range at this step',
      group: 'Playback',
      keys: ['o'],
      run: () => {
        view.playhead.markRangeEnd('last');
      },
    },
    {
      id: 'range-clear',
      title: 'Clear the range',
      group: 'Playback',
      keys: ['Shift+L'],
      run: () => {
        view.playhead.clearRange();
      },
    },
  ];
}
