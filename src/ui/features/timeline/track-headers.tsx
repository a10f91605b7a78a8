/** Names of the metric tracks and their values at the shown step; here tracks are pinned, moved and scrolled. */
import { ChevronLeft, ChevronRight, Pin } from 'lucide-react';
import { type KeyboardEvent, useRef } from 'react';
import type { Tracks } from '../../model/tracks.ts';
import { useRunView } from '../../view/hooks.ts';
import { useShownFrame } from '../../view/shown-frame.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatPlural } from '../../words/format.ts';
import type { TimelineLayout } from './frame-layout.ts';
import { moveTrack, placeTrack, toggleHidden, togglePinned } from '../../model/track-arrangement.ts';

const DRAGGED_TYPE = 'application/x-megacontext-track';

export function TrackHeaders({ layout }: { readonly layout: TimelineLayout }) {
  const view = useRunView();
  const values = useRef<(HTMLElement | null)[]>([]);
  const { tracks, tracksBefore, tracksBehind } = layout;
  useShownFrame((frame) => {
    tracks.forEach(({ track }, i) => {
      const cell = values.current[i];
      if (!cell) return;
      const words = frame ? track.words(frame, view.run, view.shownIndex) : { why: 'No step is shown yet.' };
      cell.textContent = typeof words === 'string' ? words : '–';
      cell.title = typeof words === 'string' ? '' : words.why;
    });
  });
  const end = tracks.at(-1);
  return (
    <>
      <dl className="track-headers">
        {tracks.map(({ track, x, width, pinned }, i) => (
          <div
            key={track.id}
            style={{ left: x - 4, width: width + 8 }}
            onDragOver={(event) => {
              if (event.dataTransfer.types.includes(DRAGGED_TYPE)) event.preventDefault();
            }}
            onDrop={(event) => {
              const dragged = event.dataTransfer.getData(DRAGGED_TYPE);
              if (!tracks.some((placed) => placed.track.id === dragged)) return;
              event.preventDefault();
              event.stopPropagation();
              view.tracks.arrange((arrangement) => placeTrack(arrangement, dragged, track.id));
            }}
          >
            <dt>
              <button
                type="button"
                draggable
                aria-pressed={pinned}
                aria-label={`${track.label}: ${track.name}, ${pinned ? 'pinned' : 'not pinned'}. Arrow keys move it, Delete hides it.`}
                title={`${track.sentence}\nClick pins it in place; drag or arrow keys move it; Delete hides it.`}
                onClick={() => {
                  view.tracks.arrange((arrangement) => togglePinned(arrangement, track.id));
                }}
                onKeyDown={(event) => {
                  actOnTrack(event, track.id, view.tracks);
                }}
                onDragStart={(event) => {
                  event.dataTransfer.setData(DRAGGED_TYPE, track.id);
                  event.dataTransfer.effectAllowed = 'move';
                }}
              >
                {pinned && <Pin size={10} aria-hidden />}
                {track.label}
              </button>
            </dt>
            <dd
              className="tabular"
              ref={(element) => {
                values.current[i] = element;
              }}
            />
          </div>
        ))}
      </dl>
      {end && tracksBefore + tracksBehind > 0 && (
        <div className="track-scroll" style={{ right: layout.width - end.x - end.width }}>
          <IconButton
            icon={ChevronLeft}
            label={`${formatPlural(tracksBefore, 'track')} to the left`}
            disabled={tracksBefore === 0}
            onClick={() => {
              view.tracks.scroll(tracksBefore - 1);
            }}
          />
          <IconButton
            icon={ChevronRight}
            label={`${formatPlural(tracksBehind, 'track')} to the right`}
            disabled={tracksBehind === 0}
            onClick={() => {
              view.tracks.scroll(tracksBefore + 1);
            }}
          />
        </div>
      )}
    </>
  );
}

function actOnTrack(event: KeyboardEvent, id: string, tracks: Tracks): void {
  if (event.key === 'ArrowLeft') tracks.arrange((arrangement) => moveTrack(arrangement, id, -1));
  else if (event.key === 'ArrowRight') tracks.arrange((arrangement) => moveTrack(arrangement, id, 1));
  else if (event.key === 'Delete') tracks.arrange((arrangement) => toggleHidden(arrangement, id));
  else return;
  event.preventDefault();
}
