/** What the page's timeline brings with it: its tracks, and the commands that save its picture. */
import type { Registry } from '../../commands/registry.ts';
import type { TimelineLayout } from './frame-layout.ts';
import { METRIC_TRACKS } from './metric-tracks.ts';
import { savePicture } from './save-picture.ts';

/** @returns what has to be told how the timeline is divided on the screen: its picture looks the same. */
export function registerTimeline({ model, commands, tracks }: Registry): (layout: TimelineLayout) => void {
  let shownLayout: TimelineLayout | null = null;
  tracks.register(...METRIC_TRACKS);
  commands.register(
    {
      id: 'export-png',
      title: 'Save a picture of the timeline (PNG)',
      group: 'Session',
      keys: [],
      run: () => {
        void savePicture('png', model, shownLayout);
      },
    },
    {
      id: 'export-svg',
      title: 'Save a picture of the timeline (SVG)',
      group: 'Session',
      keys: [],
      run: () => {
        void savePicture('svg', model, shownLayout);
      },
    },
  );
  return (layout) => {
    shownLayout = layout;
  };
}
