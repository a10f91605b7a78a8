/** Names of the metric tracks and their values at the shown step. */
import { useRef } from 'react';
import { currentRun } from '../run/current-run.ts';
import { useShownFrame } from '../run/shown-frame.ts';
import type { TimelineLayout } from './frame-layout.ts';

export function TrackHeaders({ layout }: { readonly layout: TimelineLayout }) {
  const values = useRef<(HTMLElement | null)[]>([]);
  useShownFrame((frame) => {
    layout.tracks.forEach(({ track }, i) => {
      const cell = values.current[i];
      if (cell) cell.textContent = frame ? track.words(frame, currentRun) : '–';
    });
  });
  return (
    <dl className="track-headers">
      {layout.tracks.map(({ track, x, width }, i) => (
        <div key={track.id} style={{ left: x - 4, width: width + 8 }} title={track.sentence}>
          <dt>{track.label}</dt>
          <dd
            className="tabular"
            ref={(element) => {
              values.current[i] = element;
            }}
          />
        </div>
      ))}
    </dl>
  );
}
