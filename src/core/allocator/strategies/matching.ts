/** The best set of moves at once: a knapsack over the legal moves, within budget and action limit. */
import { EXPANSION_COST } from '../../context/moves.ts';
import type { LayoutEntry } from '../../trace/telemetry.ts';
import { parentSpan } from '../../tree/ids.ts';
import type { AllocationPass, Candidate } from '../pass/allocation-pass.ts';
import { collectCandidates } from '../pass/candidates.ts';
import type { StrategyMoves } from '../pass/strategy.ts';

/** A candidate with its place in its queue. */
interface Ranked {
  readonly candidate: Candidate;
  readonly rank: number;
}

/** Moves of which one option at most can be taken: a group collapses, or some of its members expand. */
interface Choice {
  readonly options: readonly Option[];
}

interface Option {
  readonly value: number;
  readonly expansions: readonly Ranked[];
  readonly collapses: readonly Ranked[];
}

/**
 * An expansion is worth its score less τ_expand, a collapse minus its score less τ_collapse; collapses that are
 * worth less than nothing are taken where the expansion that they pay for is worth more. Every move costs or
 * refunds K - 1 tokens, so a dynamic programme over (expansions, collapses) taken so far finds the exact optimum.
 */
export function takeBestSet(pass: AllocationPass): StrategyMoves {
  const { config } = pass;
  // A score is at most 1: every unit that may collapse can pay.
  const found = collectCandidates(pass, { tauExpand: config.tauExpand, tauCollapse: -1.01 });
  const ranked = (candidates: readonly Candidate[]): Ranked[] =>
    candidates.map((candidate, index) => ({ candidate, rank: index + 1 }));
  const expansions = ranked(found.expansions);
  const collapses = ranked(found.collapses);
  const best = solve(pass, choicesOf(pass, expansions, collapses));
  take(pass, best);
  pass.refuseExpansions(expansions.filter((move) => !best.expansions.includes(move)));
  for (const { candidate, rank } of collapses) {
    const isTaken = best.collapses.some((move) => move.rank === rank);
    if (!isTaken && candidate.score < -config.tauCollapse) {
      pass.refuse('collapse', candidate, rank, { reason: 'action-limit' });
    }
  }
  return { taken: best.expansions.length + best.collapses.length };
}

function choicesOf(
  { config, limit }: AllocationPass,
  expansions: readonly Ranked[],
  collapses: readonly Ranked[],
): Choice[] {
  const expand = (moves: readonly Ranked[]): Option => ({
    value: moves.reduce((sum, { candidate }) => sum + candidate.score - config.tauExpand, 0),
    expansions: moves,
    collapses: [],
  });
  const collapse = (move: Ranked): Option => ({
    value: -move.candidate.score - config.tauCollapse,
    expansions: [],
    collapses: [move],
  });
  const groupOf = ({ candidate: { lod, start } }: Ranked): string => `${lod} ${parentSpan(lod, start).start}`;
  const members = new Map<string, Ranked[]>();
  for (const group of collapses) if (group.candidate.lod > 0) members.set(groupOf(group), []);
  const free = expansions.filter((move) => {
    const group = members.get(groupOf(move));
    group?.push(move);
    return group === undefined;
  });
  return [
    ...free.map((move) => ({ options: [expand([move])] })),
    ...collapses.map((move) => {
      const rivals = move.candidate.lod > 0 ? members.get(groupOf(move))!.slice(0, limit) : [];
      return { options: [collapse(move), ...rivals.map((_, last) => expand(rivals.slice(0, last + 1)))] };
    }),
  ];
}

/** The option of every choice that together are worth most; of equals the fewest moves. */
function solve({ limit, freeTokens }: AllocationPass, choices: readonly Choice[]): Option {
  const width = limit + 1;
  const value = new Float64Array(width * width).fill(-Infinity);
  value[0] = 0;
  const taken = choices.map(() => new Uint8Array(width * width));
  choices.forEach(({ options }, index) => {
    for (let e = limit; e >= 0; e--) {
      for (let c = limit - e; c >= 0; c--) {
        options.forEach((option, o) => {
          const fromE = e - option.expansions.length;
          const fromC = c - option.collapses.length;
          if (fromE < 0 || fromC < 0) return;
          const reached = value[fromE * width + fromC]! + option.value;
          if (reached <= value[e * width + c]!) return;
          value[e * width + c] = reached;
          taken[index]![e * width + c] = o + 1;
        });
      }
    }
  });
  let [bestE, bestC] = [0, 0];
  for (let e = 0; e <= limit; e++) {
    for (let c = 0; e + c <= limit; c++) {
      const fits = (e - c) * EXPANSION_COST <= freeTokens;
      if (fits && value[e * width + c]! > value[bestE * width + bestC]! + 1e-12) [bestE, bestC] = [e, c];
    }
  }
  const picked: Option[] = [];
  for (let index = choices.length - 1, e = bestE, c = bestC; index >= 0; index--) {
    const option = choices[index]!.options[taken[index]![e * width + c]! - 1];
    if (option === undefined) continue;
    picked.push(option);
    e -= option.expansions.length;
    c -= option.collapses.length;
  }
  const inOrder = (a: Ranked, b: Ranked): number => a.rank - b.rank;
  return {
    value: value[bestE * width + bestC]!,
    expansions: picked.flatMap(({ expansions }) => expansions).sort(inOrder),
    collapses: picked.flatMap(({ collapses }) => collapses).sort(inOrder),
  };
}

/** Each expansion after as many collapses as it needs, then the collapses that pay for nothing. */
function take(pass: AllocationPass, { expansions, collapses }: Option): void {
  const waiting = [...collapses];
  for (const { candidate, rank } of expansions) {
    const paidBy: LayoutEntry[] = [];
    while (pass.freeTokens < EXPANSION_COST) {
      const payer = waiting.shift()!;
      paidBy.push(pass.collapse(payer.candidate.node, { reason: 'paid-for-expansion', rank: payer.rank }));
    }
    pass.expand(candidate.node, { reason: 'score-above-tau', rank, paidBy });
  }
  for (const { candidate, rank } of waiting) {
    pass.collapse(candidate.node, { reason: 'score-below-tau', rank });
  }
}
