/**
 * A question of several sentences, asked sentence by sentence as well: LensNet's few tail gists blur where one tail
 * asks for several things. Owns how the newest question is parted and how the scores are put together.
 */
import type { Scorer } from '../../../core/policies/scorer.ts';
import type { SlotView } from '../../../core/context/slot-view.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LoadedModel } from '../../../nn/ports.ts';

/** A sentence shorter than this asks for nothing by itself. */
const LEAST_PART_TOKENS = 4;
const SENTENCE_END = /[.?!]\s*$/;

interface QuestionTailInput {
  readonly tree: Pick<GistTree, 'provenance' | 'tokenCount' | 'tokens'>;
  readonly model: Pick<LoadedModel, 'tokenizer' | 'manifest'>;
  /** How many tokens a tail holds at most. */
  readonly tailTokens: number;
  /** The first so many sentences count. */
  readonly maxParts: number;
}

/**
 * One tail for each sentence of the newest question, as if the user had asked nothing else: what stood before the
 * question, the chat's prefix, the sentence, and what follows the question. Only what the scorer's tail holds of the
 * question is parted.
 *
 * @returns token ids; none where the tail holds no question, or one of a single sentence.
 */
export function questionTails({
  tree,
  model,
  tailTokens,
  maxParts,
}: QuestionTailInput): readonly Uint32Array[] {
  const { tokenizer, manifest } = model;
  const { tokenCount } = tree;
  const asked = tree.provenance.findLast(({ role }) => role === 'user');
  const seenFrom = Math.max(0, tokenCount - tailTokens);
  if (asked === undefined || asked.end <= seenFrom) return [];
  const question = tree.tokens(asked.start, asked.end);
  const prefix = tokenizer.encodeTemplate(manifest.chat.userPrefix.trimEnd());
  const prefixLength = prefix.every((id, i) => id === question[i]) ? prefix.length : 0;
  const firstSeen = Math.max(prefixLength, seenFrom - asked.start);
  const textEnd = question.findLastIndex((id) => tokenizer.tokenText(id).trim() !== '') + 1;
  const parts = sentencesOf(question.subarray(firstSeen, textEnd), tokenizer);
  if (parts.length < 2) return [];
  const before = tree.tokens(Math.max(0, asked.start - tailTokens), asked.start);
  const after = [...question.subarray(textEnd), ...tree.tokens(asked.end, tokenCount)];
  return parts
    .filter(({ length }) => length >= LEAST_PART_TOKENS)
    .slice(0, maxParts)
    .map((part) => Uint32Array.from([...before, ...prefix, ...part, ...after].slice(-tailTokens)));
}

/** Scores a window by its own tail and by others, and gives every slot its highest score. */
export function scoredByTails(
  scorer: Scorer,
  tails: readonly Uint32Array[],
  embed: (ids: Uint32Array) => Float32Array,
): Scorer {
  return {
    id: scorer.id,
    async score(view: SlotView) {
      const highest = Float32Array.from(await scorer.score(view));
      for (const ids of tails) {
        const scores = await scorer.score({ ...view, tail: embed(ids), tailCount: ids.length });
        // A score that is no number must be seen, wherever it comes from.
        scores.forEach((score, slot) => {
          if (!(score <= highest[slot]!)) highest[slot] = score;
        });
      }
      return highest;
    },
  };
}

/** All of the ids in order, cut behind every sentence's end. */
function sentencesOf(ids: Uint32Array, tokenizer: LoadedModel['tokenizer']): readonly Uint32Array[] {
  const sentences: Uint32Array[] = [];
  let start = 0;
  ids.forEach((id, index) => {
    if (index < ids.length - 1 && !SENTENCE_END.test(tokenizer.tokenText(id))) return;
    sentences.push(ids.subarray(start, index + 1));
    start = index + 1;
  });
  return sentences;
}
