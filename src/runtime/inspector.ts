/** Answers questions about one block without changing anything: its text, its counters, its legal moves. */
import { CooldownTable } from '../core/cooldowns.ts';
import type { RunConfig } from '../core/config.ts';
import { type Lod, K, tokensPerEntry } from '../core/ids.ts';
import {
  LEGALITY,
  collapseLegality,
  expandLegality,
  explainLegality,
  parentSpan,
  protectedStart,
} from '../core/legality.ts';
import type { GistTree } from '../core/tree.ts';
import { entryAt, entryIndexAt, indexOfEntry } from '../core/working-context.ts';
import type { Tokenizer } from '../nn/ports.ts';
import type { SpanMark } from '../storage/ports.ts';
import { EngineError } from './errors.ts';
import type { FocusLoop } from './focus-loop.ts';
import type { BlockReport, TokenProbability } from './protocol.ts';
import { topTokens } from './sampler.ts';
import type { TurnSession } from './turn.ts';

/** Tokens of a block whose texts are listed one by one; the text of a longer block is cut there. */
const LISTED_TOKENS = 2048;
const NEIGHBOURS = 5;
const NEIGHBOUR_CHARACTERS = 160;

export interface BlockSpan {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Check a span that came from outside against the tree.
 *
 * @throws {EngineError} `bad-span` if the tree has no such block.
 */
export function checkBlock(tree: GistTree, { lod, start, end }: BlockSpan): void {
  const span = tokensPerEntry(lod);
  const isKnown = lod === 0 ? start < tree.tokenCount : start / span < tree.countAt(lod);
  const isAligned =
    start % span === 0 && end === Math.min(start + span, lod === 0 ? tree.tokenCount : Infinity);
  if (isKnown && isAligned) return;
  throw new EngineError(
    'bad-span',
    `The history of ${tree.tokenCount} tokens has no LOD${lod} block at ${start}..${end}.`,
    'Nothing was changed.',
    'Choose a block that is shown.',
  );
}

/** The text of tokens `start..end-1`, cut to a number of characters. */
export function textOfSpan(
  tree: GistTree,
  tokenizer: Tokenizer,
  start: number,
  end: number,
  maxCharacters: number,
): { readonly text: string; readonly truncated: boolean } {
  const last = Math.min(end, tree.tokenCount);
  if (start >= last) return { text: '', truncated: false };
  // A token is one character or more, apart from the pieces of a split one.
  const until = Math.min(last, start + maxCharacters + 8);
  const text = tokenizer.decode(tree.tokens(start, until));
  const truncated = until < last || text.length > maxCharacters;
  return { text: text.slice(0, maxCharacters), truncated };
}

export function inspectBlock(
  focus: FocusLoop,
  tokenizer: Tokenizer,
  config: RunConfig,
  marks: readonly SpanMark[],
  block: BlockSpan,
): BlockReport {
  const { tree, layout } = focus;
  checkBlock(tree, block);
  const { start, end } = block;
  const lod = block.lod as Lod;
  const node = tree.node(lod, start / tokensPerEntry(lod));
  const shown = tree.tokens(start, Math.min(end, start + LISTED_TOKENS));
  const index = indexOfEntry(layout, lod, start);
  const holder = layout.entries[entryIndexAt(layout, start)];
  const state = focus.allocatorState;
  const cooldowns = new CooldownTable(state, state.step + 1, config.cooldownSteps);
  const parent = lod < tree.maxLod ? parentSpan(lod, start) : null;
  return {
    lod,
    start,
    end,
    text: tokenizer.decode(shown),
    tokenTexts: Array.from(shown, (id) => tokenizer.tokenText(id)),
    inWorkingContext: index >= 0,
    currentLod: holder?.lod ?? null,
    provenance: tree.provenanceOf(start, end),
    gistVersion: node.gistVersion,
    createdAtStep: node.createdAtStep,
    accessCount: node.accessCount,
    lastAccessStep: node.lastAccessStep,
    expansions: node.expansions,
    collapses: node.collapses,
    residencySteps: index >= 0 ? layout.residency[index]! : 0,
    pinned: marks.some((mark) => mark.start < end && start < mark.end),
    cooldownLeft: Math.max(
      cooldowns.left(lod, start, 'expand'),
      parent === null ? 0 : cooldowns.left(parent.lod, parent.start, 'collapse'),
    ),
    canExpand: expansionVerdict(focus, config, lod, start, index),
    canCollapse: collapseVerdict(focus, config, index),
    neighbours: nearestGists(tree, tokenizer, lod, start),
  };
}

/** The most likely next tokens given the working context as it is; none for an empty history. */
export async function likelyNextTokens(
  session: Pick<TurnSession, 'focus' | 'decoder' | 'model' | 'activeConfig'>,
  count: number,
): Promise<readonly TokenProbability[]> {
  const { layout } = session.focus;
  if (layout.usedTokens === 0) return [];
  const { logits } = await session.decoder.sync(layout, session.activeConfig.budgetTokens);
  return topTokens(logits, count).map(({ tokenId, probability }) => {
    return { tokenId, text: session.model.tokenizer.tokenText(tokenId), probability };
  });
}

const NOT_SHOWN = { legal: false, why: 'It is not in the working context at this level.' };

function expansionVerdict(
  focus: FocusLoop,
  config: RunConfig,
  lod: Lod,
  start: number,
  index: number,
): BlockReport['canExpand'] {
  if (index < 0) return NOT_SHOWN;
  const code = expandLegality(entryAt(lod, start), focus.tree, config.budgetTokens - focus.layout.usedTokens);
  const why =
    code === LEGALITY.noBudget
      ? 'The budget has no room for its children: other blocks would have to collapse for it.'
      : explainLegality(code);
  // By hand it may still be tried: the lowest-scored blocks pay for it.
  return { legal: code === LEGALITY.legal || code === LEGALITY.noBudget, why };
}

function collapseVerdict(focus: FocusLoop, config: RunConfig, index: number): BlockReport['canCollapse'] {
  if (index < 0) return NOT_SHOWN;
  const { layout, tree } = focus;
  const code = collapseLegality(layout, index, tree, protectedStart(layout.cursor, config));
  return { legal: code === LEGALITY.legal, why: explainLegality(code) };
}

/** The gists of the same level that point the same way; a raw block is compared by its LOD1 gist. */
function nearestGists(
  tree: GistTree,
  tokenizer: Tokenizer,
  lod: Lod,
  start: number,
): BlockReport['neighbours'] {
  const level = Math.max(1, lod) as Lod;
  const span = K ** level;
  const count = tree.countAt(level);
  const own = Math.floor(start / span);
  if (own >= count) return [];
  const d = tree.hiddenSize;
  const query = new Float32Array(d);
  tree.readGists(level, own, 1, query);
  const queryNorm = Math.hypot(...query);
  const row = new Float32Array(d);
  const best: { index: number; cosine: number }[] = [];
  for (let index = 0; index < count; index++) {
    if (index === own) continue;
    tree.readGists(level, index, 1, row);
    let dot = 0;
    let squares = 0;
    for (let j = 0; j < d; j++) {
      dot += row[j]! * query[j]!;
      squares += row[j]! * row[j]!;
    }
    const cosine = dot / (Math.sqrt(squares) * queryNorm + 1e-12);
    if (best.length === NEIGHBOURS && cosine <= best[NEIGHBOURS - 1]!.cosine) continue;
    const at = best.findIndex((other) => other.cosine < cosine);
    best.splice(at < 0 ? best.length : at, 0, { index, cosine });
    best.length = Math.min(best.length, NEIGHBOURS);
  }
  return best.map(({ index, cosine }) => {
    const { text } = textOfSpan(tree, tokenizer, index * span, (index + 1) * span, NEIGHBOUR_CHARACTERS);
    return { start: index * span, end: (index + 1) * span, cosine, text };
  });
}
