/** The list of all metric tracks: shown or hidden, pinned, in which order. */
import { ArrowDown, ArrowUp, Columns3, Pin } from 'lucide-react';
import { IconButton } from '../../widgets/icon-button.tsx';
import { Popover } from '../../widgets/popover.tsx';
import {
  type TrackArrangement,
  listedTracks,
  moveTrack,
  toggleHidden,
  togglePinned,
} from '../../model/track-arrangement.ts';
import { useRunView, useTracks } from '../../view/hooks.ts';

export function TrackMenu() {
  return (
    <Popover label="Tracks" className="icon-button" button={<Columns3 size={16} aria-hidden />}>
      {() => <TrackList />}
    </Popover>
  );
}

function TrackList() {
  const { tracks } = useRunView();
  const arrangement = useTracks((state) => state.arrangement);
  return (
    <>
      <ul className="track-list" aria-label="Tracks in order">
        {listedTracks(arrangement).map((id) => (
          <TrackRow key={id} id={id} arrangement={arrangement} />
        ))}
      </ul>
      <p className="muted small">Pinned tracks stay in place when the others scroll.</p>
      <button
        type="button"
        className="link"
        disabled={arrangement === tracks.initial}
        onClick={() => {
          tracks.arrange(() => tracks.initial);
        }}
      >
        Restore the first arrangement
      </button>
    </>
  );
}

function TrackRow({ id, arrangement }: { readonly id: string; readonly arrangement: TrackArrangement }) {
  const { tracks } = useRunView();
  const track = tracks.registered.find((each) => each.id === id);
  if (!track) return null;
  const isPinned = arrangement.pinned.includes(id);
  const isFixed = (by: 1 | -1) => moveTrack(arrangement, id, by) === arrangement;
  const move = (by: 1 | -1) => () => {
    tracks.arrange((now) => moveTrack(now, id, by));
  };
  return (
    <li>
      <label title={track.sentence}>
        <input
          type="checkbox"
          checked={!arrangement.hidden.includes(id)}
          onChange={() => {
            tracks.arrange((now) => toggleHidden(now, id));
          }}
        />
        {track.name}
      </label>
      <IconButton
        icon={Pin}
        label={isPinned ? `Unpin ${track.name}` : `Pin ${track.name}`}
        pressed={isPinned}
        onClick={() => {
          tracks.arrange((now) => togglePinned(now, id));
        }}
      />
      <IconButton icon={ArrowUp} label={`Move ${track.name} up`} disabled={isFixed(-1)} onClick={move(-1)} />
      <IconButton
        icon={ArrowDown}
        label={`Move ${track.name} down`}
        disabled={isFixed(1)}
        onClick={move(1)}
      />
    </li>
  );
}
