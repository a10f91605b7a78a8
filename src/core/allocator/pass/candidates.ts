/** Which entries and sibling groups a pass wants to move, in order of preference, and which rules forbid it. */
import { TopList } from '../../../base/top-list.ts';
import { K, tokensPerEntry } from '../../tree/ids.ts';
import { NONE } from '../../context/draft-layout.ts';
import { MAX_REFUSED } from './allocation-pass.ts';
import type { AllocationPass, Candidate } from './allocation-pass.ts';
import type { Thresholds } from './allocator-state.ts';

export interface Candidates {
  /** Highest score first; ties: nearer the cursor first. */
  readonly expansions: readonly Candidate[];
  /** Most negative first; ties: farther from the cursor first. */
  readonly collapses: readonly Candidate[];
}

/** The siblings of one parent that were met so far. */
interface OpenGroup {
  first: number;
  parentIndex: number;
  count: number;
  sum: number;
}

/**
 * Scan the layout once. Only as many candidates are kept as the step could use: each action taken makes at most
 * K others illegal.
 *
 * @param reach - how far from the ends of the scale candidates are taken; refusals are recorded only for what the
 * parameters' own thresholds ask for.
 */
export function collectCandidates(pass: AllocationPass, reach: Thresholds): Candidates {
  const { draft, config, limit, refused } = pass;
  const kept = limit * (K + 1) + MAX_REFUSED;
  const expansions = new TopList<Candidate>(kept);
  const collapses = new TopList<Candidate>(kept);
  const groups: OpenGroup[] = Array.from({ length: pass.tree.maxLod + 1 }, () => ({
    first: NONE,
    parentIndex: NONE,
    count: 0,
    sum: 0,
  }));

  // The rules are looked up only for candidates that one of the lists would keep: most scores are too low.
  const considerExpansion = (node: number, score: number): void => {
    const start = draft.start[node]!;
    const isAsked = score > config.tauExpand;
    if (!expansions.accepts(score, start) && !(isAsked && refused.accepts(score, start))) return;
    const lod = draft.lod[node]!;
    const end = draft.end[node]!;
    const refusal = pass.expandRefusal(node);
    if (refusal === null) {
      if (expansions.accepts(score, start)) expansions.offer({ node, lod, start, end, score }, score, start);
    } else if (isAsked && refused.accepts(score, start)) {
      refused.offer(pass.refusedExpand({ lod, start, end }, score, null, refusal), score, start);
    }
  };
  const considerCollapse = (first: number, score: number): void => {
    const start = draft.start[first]!;
    const isAsked = score < -config.tauCollapse;
    if (!collapses.accepts(-score, -start) && !(isAsked && refused.accepts(-score, start))) return;
    const lod = draft.lod[first]!;
    const end = draft.end[first]!;
    const refusal = pass.collapseRefusal(first);
    if (refusal === null) {
      const candidate = { node: first, lod, start, end, score };
      if (collapses.accepts(-score, -start)) collapses.offer(candidate, -score, -start);
    } else if (isAsked && refused.accepts(-score, start)) {
      refused.offer(pass.refusedCollapse({ lod, start, end }, score, null, refusal), -score, start);
    }
  };
  const closeGroup = (group: OpenGroup): void => {
    const score = group.sum / group.count;
    if (group.count > 0 && score < -reach.tauCollapse) considerCollapse(group.first, score);
  };

  for (let node = draft.first; node !== NONE; node = draft.next[node]!) {
    const lod = draft.lod[node]!;
    const score = draft.score[node]!;
    if (lod === 0) {
      if (score < -reach.tauCollapse && !draft.isOpenTail(node)) considerCollapse(node, score);
      continue;
    }
    if (score > reach.tauExpand) considerExpansion(node, score);
    if (lod >= pass.tree.maxLod) continue;
    const group = groups[lod]!;
    const parentIndex = Math.floor(draft.start[node]! / tokensPerEntry(lod + 1));
    if (group.parentIndex !== parentIndex) {
      closeGroup(group);
      group.parentIndex = parentIndex;
      group.first = node;
      group.count = 0;
      group.sum = 0;
    }
    group.count++;
    group.sum += score;
  }
  for (const group of groups) closeGroup(group);
  return { expansions: expansions.toSorted(), collapses: collapses.toSorted() };
}
