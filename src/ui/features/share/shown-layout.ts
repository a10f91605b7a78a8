/** How the timeline is divided on the screen now, for pictures of it. Told by the timeline, null before it is drawn. */
import type { TimelineLayout } from '../timeline/frame-layout.ts';

let layout: TimelineLayout | null = null;

export function tellShownLayout(next: TimelineLayout): void {
  layout = next;
}

export function shownTimelineLayout(): TimelineLayout | null {
  return layout;
}
