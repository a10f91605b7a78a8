/** Which metric tracks are shown, in which order, and which stay in place when the others scroll. Pure. */

/** Ids of tracks. `order` names every track once; pinned ones come first when shown. */
export interface TrackArrangement {
  readonly order: readonly string[];
  readonly hidden: readonly string[];
  readonly pinned: readonly string[];
}

/** All tracks as the list of tracks shows them: pinned ones first, each group in order. */
export function listedTracks({ order, pinned }: TrackArrangement): readonly string[] {
  return [...order.filter((id) => pinned.includes(id)), ...order.filter((id) => !pinned.includes(id))];
}

export function toggleHidden(arrangement: TrackArrangement, id: string): TrackArrangement {
  return { ...arrangement, hidden: toggled(arrangement.hidden, id) };
}

export function togglePinned(arrangement: TrackArrangement, id: string): TrackArrangement {
  return { ...arrangement, pinned: toggled(arrangement.pinned, id) };
}

/** Swap a track with its neighbour in the list; pinned and other tracks keep to their own group. */
export function moveTrack(arrangement: TrackArrangement, id: string, by: 1 | -1): TrackArrangement {
  const listed = listedTracks(arrangement);
  const other = listed[listed.indexOf(id) + by];
  if (other === undefined || arrangement.pinned.includes(other) !== arrangement.pinned.includes(id)) {
    return arrangement;
  }
  const order = arrangement.order.map((each) => (each === id ? other : each === other ? id : each));
  return { ...arrangement, order };
}

/** Put a track where another stands; it joins that one's group. */
export function placeTrack(arrangement: TrackArrangement, id: string, at: string): TrackArrangement {
  if (id === at) return arrangement;
  const listed = listedTracks(arrangement);
  const forward = listed.indexOf(id) < listed.indexOf(at);
  const order = listed.filter((each) => each !== id);
  order.splice(order.indexOf(at) + (forward ? 1 : 0), 0, id);
  const isPinned = arrangement.pinned.includes(at);
  const pinned = arrangement.pinned.filter((each) => each !== id);
  return { ...arrangement, order, pinned: isPinned ? [...pinned, id] : pinned };
}

/** What was stored, as far as it still makes sense: unknown tracks are dropped, new ones come last, as they begin. */
export function tidyArrangement(stored: unknown, initial: TrackArrangement): TrackArrangement {
  if (typeof stored !== 'object' || stored === null) return initial;
  const { order, hidden, pinned } = stored as Partial<Record<keyof TrackArrangement, unknown>>;
  const known = (ids: unknown): string[] =>
    Array.isArray(ids) ? initial.order.filter((id) => ids.includes(id)).sort(by(ids)) : [];
  const listed = known(order);
  const hiddenNew = initial.hidden.filter((id) => !listed.includes(id));
  return {
    order: [...new Set([...listed, ...initial.order])],
    hidden: Array.isArray(hidden) ? [...new Set([...known(hidden), ...hiddenNew])] : initial.hidden,
    pinned: Array.isArray(pinned) ? known(pinned) : initial.pinned,
  };
}

function by(ids: readonly unknown[]): (a: string, b: string) => number {
  return (a, b) => ids.indexOf(a) - ids.indexOf(b);
}

function toggled(ids: readonly string[], id: string): readonly string[] {
  return ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id];
}
