/** A head's score: what its policy says, what its cue adds, and what heads before it take off. */
import type { SlotView } from '../context/slot-view.ts';
import type { Scorer } from '../policies/scorer.ts';
import { K } from '../tree/ids.ts';

/** The policy's score with the cue's, times the gain, within -1 and 1. */
export function withCue(scorer: Scorer, cue: Scorer | null, gain: number): Scorer {
  if (cue === null || gain === 0) return scorer;
  return {
    id: scorer.id,
    async score(view) {
      const [own, added] = await Promise.all([scorer.score(view), cue.score(view)]);
      return own.map((score, slot) => limit(score + gain * added[slot]!));
    },
  };
}

/**
 * Takes `gain` off a span's score, times the share of its blocks that other heads hold raw already: it is not opened
 * again, and closes before what this head alone shows.
 *
 * @param heldBlocks - by index; asked at every scoring.
 */
export function withoutHeld(scorer: Scorer, heldBlocks: () => ReadonlySet<number>, gain: number): Scorer {
  if (gain === 0) return scorer;
  return {
    id: scorer.id,
    async score(view: SlotView) {
      const own = await scorer.score(view);
      const held = [...heldBlocks()].sort((a, b) => a - b);
      if (held.length === 0) return own;
      const scores = Float32Array.from(own);
      let slot = 0;
      let at = 0;
      for (const { start, end, cost } of view.entries) {
        while (at < held.length && held[at]! * K < start) at++;
        let count = 0;
        while (at + count < held.length && held[at + count]! * K < end) count++;
        const share = (count * K) / Math.max(K, end - start);
        if (count > 0) {
          for (let i = slot; i < slot + cost; i++) scores[i] = limit(scores[i]! - gain * Math.min(1, share));
        }
        slot += cost;
      }
      return scores;
    },
  };
}

/** A score that is no number must be seen, wherever it comes from: it stays one. */
function limit(score: number): number {
  return Math.max(-1, Math.min(1, score));
}
