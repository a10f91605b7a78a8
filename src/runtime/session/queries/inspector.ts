/** Tells everything about one block without changing anything: its text, its counters, its legal moves. */
import { CooldownTable } from '../../../core/allocator/pass/allocator-state.ts';
import { type Lod, tokensPerEntry, parentSpan } from '../../../core/tree/ids.ts';
import { explainObstacle, isForbidden, moveRules, refuse } from '../../../core/context/moves.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import { entryIndexAt, indexOfEntry } from '../../../core/context/working-context.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { SpanMark } from '../../../storage/ports.ts';
import { checkBlock } from '../memory/block-span.ts';
import type { BlockSpan } from '../../../core/tree/ids.ts';
import type { Head } from '../head/head.ts';
import { describeGists, nearestGists } from './nearest-gists.ts';
import type { BlockReport, GistMatch, MoveVerdict } from '../messages/query-messages.ts';

/** The text of a longer block is cut there. */
const LISTED_TOKENS = 2048;
const NEIGHBOURS = 5;

export function inspectBlock(
  head: Head,
  tokenizer: Tokenizer,
  marks: readonly SpanMark[],
  block: BlockSpan,
): BlockReport {
  const { tree, layout, parameters } = head;
  checkBlock(tree, block);
  const { start, end } = block;
  const lod = block.lod as Lod;
  const node = tree.node(lod, start / tokensPerEntry(lod));
  const shown = tree.tokens(start, Math.min(end, start + LISTED_TOKENS));
  const index = indexOfEntry(layout, lod, start);
  const holder = layout.entries[entryIndexAt(layout, start)];
  const state = head.allocatorState;
  const cooldowns = new CooldownTable(state.cooldowns, state.step + 1, parameters.cooldownSteps);
  const parent = lod < tree.maxLod ? parentSpan(lod, start) : null;
  return {
    lod,
    start,
    end,
    spanId: node.spanId,
    parent: node.parent === null ? null : parent,
    text: tokenizer.decode(shown),
    inWorkingContext: index >= 0,
    currentLod: holder?.lod ?? null,
    provenance: tree.provenanceOf(start, end),
    gistVersion: node.gistVersion,
    isStale: node.gistVersion !== null && node.gistVersion !== tree.gistVersion,
    createdAtStep: node.createdAtStep,
    accessCount: node.accessCount,
    lastAccessStep: node.lastAccessStep,
    expansions: node.expansions,
    collapses: node.collapses,
    residencySteps: index >= 0 ? layout.residency[index]! : 0,
    sensitivity: node.sensitivity,
    pinned: marks.some((mark) => mark.kind === 'pin' && mark.start < end && start < mark.end),
    forbidden: isForbidden(tree, lod, start),
    hidden: tree.hidden.holdsBlocks(start, end),
    tag: marks.find((mark) => mark.kind === 'tag' && mark.lod === lod && mark.start === start)?.name ?? null,
    cooldownLeft: Math.max(
      cooldowns.left(lod, start, 'expand'),
      parent === null ? 0 : cooldowns.left(parent.lod, parent.start, 'collapse'),
    ),
    canExpand: expansionVerdict(head, index),
    canCollapse: collapseVerdict(head, index),
    neighbours: neighboursOf(tree, tokenizer, lod, start),
  };
}

const NOT_SHOWN = { legal: false, why: 'It is not in the working context at this level.' };

function expansionVerdict({ tree, layout, parameters: config }: Head, index: number): MoveVerdict {
  if (index < 0) return NOT_SHOWN;
  const freeTokens = config.budgetTokens - layout.usedTokens;
  const obstacle = refuse(layout, 'expand', index, { ...moveRules(layout, tree, config), freeTokens });
  const why =
    obstacle === 'no-budget'
      ? 'The budget has no room for its children: other blocks would have to collapse for it.'
      : explainObstacle(obstacle);
  // By hand it may still be tried: the lowest-scored blocks pay for it.
  return { legal: obstacle === null || obstacle === 'no-budget', why };
}

function collapseVerdict({ tree, layout, parameters: config }: Head, index: number): MoveVerdict {
  if (index < 0) return NOT_SHOWN;
  const obstacle = refuse(layout, 'collapse', index, moveRules(layout, tree, config));
  return { legal: obstacle === null, why: explainObstacle(obstacle) };
}

/** The gists of the same level that point the same way; a raw block is compared by its LOD1 gist. */
function neighboursOf(tree: GistTree, tokenizer: Tokenizer, lod: Lod, start: number): readonly GistMatch[] {
  const level = Math.max(1, lod) as Lod;
  const own = Math.floor(start / tokensPerEntry(level));
  if (own >= tree.countAt(level)) return [];
  const query = new Float32Array(tree.hiddenSize);
  tree.readGists(level, own, 1, query);
  return describeGists(tree, tokenizer, level, nearestGists(tree, level, query, NEIGHBOURS, own));
}
