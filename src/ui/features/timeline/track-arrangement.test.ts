import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layoutTimeline } from './frame-layout.ts';
import {
  type TrackArrangement,
  listedTracks,
  moveTrack,
  placeTrack,
  tidyArrangement,
  toggleHidden,
  togglePinned,
} from '../../model/track-arrangement.ts';
import { initialArrangement } from '../../model/tracks.ts';
import { METRIC_TRACKS } from './metric-tracks.ts';

const INITIAL = initialArrangement(METRIC_TRACKS);
const layoutAt = (width: number, arrangement: TrackArrangement, scrolled: number) =>
  layoutTimeline(width, 400, { registered: METRIC_TRACKS, state: { arrangement, scrolled } });

const some: TrackArrangement = { order: ['a', 'b', 'c', 'd'], hidden: [], pinned: ['c'] };

describe('the arrangement of tracks', () => {
  it('lists pinned tracks first and moves each within its group', () => {
    expect(listedTracks(some)).toEqual(['c', 'a', 'b', 'd']);
    expect(listedTracks(moveTrack(some, 'd', -1))).toEqual(['c', 'a', 'd', 'b']);
    expect(moveTrack(some, 'a', -1)).toBe(some);
    expect(moveTrack(some, 'd', 1)).toBe(some);
    expect(listedTracks(togglePinned(some, 'd'))).toEqual(['c', 'd', 'a', 'b']);
  });

  it('puts a dragged track where it was dropped, in that group', () => {
    expect(listedTracks(placeTrack(some, 'd', 'a'))).toEqual(['c', 'd', 'a', 'b']);
    expect(listedTracks(placeTrack(some, 'a', 'd'))).toEqual(['c', 'b', 'd', 'a']);
    expect(placeTrack(some, 'b', 'c')).toMatchObject({ order: ['b', 'c', 'a', 'd'], pinned: ['c', 'b'] });
  });

  it('names every track once, whatever was stored and done', () => {
    const id = fc.constantFrom(...INITIAL.order);
    const act = fc.oneof(
      fc.record({ do: fc.constant('move' as const), id, by: fc.constantFrom(1 as const, -1 as const) }),
      fc.record({ do: fc.constant('place' as const), id, at: id }),
      fc.record({ do: fc.constant('pin' as const), id }),
      fc.record({ do: fc.constant('hide' as const), id }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(id), fc.array(act, { maxLength: 12 }), (junk, pinned, acts) => {
        let now = tidyArrangement(
          typeof junk === 'object' && junk !== null ? Object.assign({}, junk, { pinned }) : junk,
          INITIAL,
        );
        for (const each of acts) {
          if (each.do === 'move') now = moveTrack(now, each.id, each.by);
          else if (each.do === 'place') now = placeTrack(now, each.id, each.at);
          else now = each.do === 'pin' ? togglePinned(now, each.id) : toggleHidden(now, each.id);
        }
        expect([...now.order].sort()).toEqual([...INITIAL.order].sort());
        expect(new Set(listedTracks(now)).size).toBe(now.order.length);
      }),
    );
  });
});

it('shows a track that came after what was stored only if it begins shown', () => {
  const stored = { order: ['a'], hidden: ['a'], pinned: [] };
  const initial = { order: ['a', 'b', 'c'], hidden: ['c'], pinned: [] };
  expect(tidyArrangement(stored, initial)).toEqual({
    order: ['a', 'b', 'c'],
    hidden: ['a', 'c'],
    pinned: [],
  });
  expect(tidyArrangement({ ...stored, order: ['a', 'c'] }, initial).hidden).toEqual(['a']);
});

describe('the room of tracks', () => {
  const pinned = togglePinned(INITIAL, 'latency');
  const idsAt = (width: number, scrolled: number) =>
    layoutAt(width, pinned, scrolled).tracks.map(({ track }) => track.id);

  it('keeps pinned tracks in view while the others scroll to their end and no further', () => {
    const start = layoutAt(390, pinned, 0);
    expect(start.tracks[0]!.track.id).toBe('latency');
    expect(start.tracksBehind).toBeGreaterThan(0);
    const seen = new Set(idsAt(390, 0));
    for (let scrolled = 1; scrolled < 20; scrolled++) {
      expect(idsAt(390, scrolled)[0]).toBe('latency');
      for (const id of idsAt(390, scrolled)) seen.add(id);
    }
    expect(layoutAt(390, pinned, 99).tracksBehind).toBe(0);
    const shown = INITIAL.order.filter((id) => !INITIAL.hidden.includes(id));
    expect([...seen].sort()).toEqual(shown.sort());
  });

  it('leaves the matrix its room and places tracks without overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 320, max: 2600 }), fc.nat(12), (width, scrolled) => {
        const { tracks, left, matrixWidth } = layoutAt(width, pinned, scrolled);
        expect(matrixWidth).toBeGreaterThan(width * 0.4);
        let end = left + matrixWidth;
        for (const track of tracks) {
          expect(track.x).toBeGreaterThan(end);
          end = track.x + track.width;
        }
        expect(end).toBeLessThanOrEqual(width + 0.001);
      }),
    );
  });

  it('leaves out hidden tracks', () => {
    const hidden = toggleHidden(INITIAL, 'utilisation');
    expect(layoutAt(1200, hidden, 0).tracks.map(({ track }) => track.id)).not.toContain('utilisation');
  });
});
