/**
 * A question of several sentences, asked sentence by sentence as well: LensNet's few tail gists blur where one tail
 * asks for several things. Owns how the newest question is parted and how the scores are put together.
 */
import type { HistoryWords } from '../../../core/lexical/history-words.ts';
import type { Scorer } from '../../../core/policies/scorer.ts';
import type { SlotView } from '../../../core/context/slot-view.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { LoadedModel } from '../../../nn/ports.ts';

/** A sentence shorter than this asks for nothing by itself. */
const LEAST_PART_TOKENS = 4;
const SENTENCE_END = /[.?!]\s*$/;

/** One sentence of the newest question. */
interface QuestionPart {
  /** What the scorer's tail would hold if the user had asked nothing else. */
  readonly tail: Uint32Array;
  /** The sentence, behind the chat's prefix. */
  readonly query: Uint32Array;
}

interface QuestionPartsInput {
  readonly tree: Pick<GistTree, 'provenance' | 'tokenCount' | 'tokens'>;
  readonly tokenizer: LoadedModel['tokenizer'];
  /** What the chat writes before a question. */
  readonly userPrefix: string;
  /** How many tokens a tail holds at most. */
  readonly tailTokens: number;
  /** The first so many sentences count. */
  readonly maxParts: number;
}

/**
 * The sentences of the newest question, each as if the user had asked nothing else: its tail is what stood before the
 * question, the chat's prefix, the sentence, and what follows the question. Only what the scorer's tail holds of the
 * question is parted.
 *
 * @returns none where the tail holds no question, or one of a single sentence.
 */
export function questionParts({
  tree,
  tokenizer,
  userPrefix,
  tailTokens,
  maxParts,
}: QuestionPartsInput): readonly QuestionPart[] {
  const { tokenCount } = tree;
  const asked = tree.provenance.findLast(({ role }) => role === 'user');
  const seenFrom = Math.max(0, tokenCount - tailTokens);
  if (asked === undefined || asked.end <= seenFrom) return [];
  const question = tree.tokens(asked.start, asked.end);
  const prefix = tokenizer.encodeTemplate(userPrefix.trimEnd());
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
    .map((part) => ({
      tail: Uint32Array.from([...before, ...prefix, ...part, ...after].slice(-tailTokens)),
      query: Uint32Array.from([...prefix, ...part]),
    }));
}

/** Scores a window by one part of the question alone. @param words - where the scorer reads words. */
export function scoredByPart(
  scorer: Scorer,
  part: QuestionPart,
  embed: (ids: Uint32Array) => Float32Array,
  words: HistoryWords | null,
): Scorer {
  return { id: scorer.id, score: (view) => scorer.score(viewOfPart(view, part, embed, words)) };
}

/** The view as it would be if the part were all that was asked. */
function viewOfPart(
  view: SlotView,
  part: QuestionPart,
  embed: (ids: Uint32Array) => Float32Array,
  words: HistoryWords | null,
): SlotView {
  const asked = words?.askedAt(view.cursor, view.tailCount);
  const lexical = asked === undefined ? null : words!.features(view.entries, { ...asked, ...part });
  return { ...view, tail: embed(part.tail), tailCount: part.tail.length, lexical };
}

/**
 * Scores a window by its own tail and by parts of the question, and gives every slot its highest score.
 *
 * @param words - where the scorer reads words.
 */
export function scoredByParts(
  scorer: Scorer,
  parts: readonly QuestionPart[],
  embed: (ids: Uint32Array) => Float32Array,
  words: HistoryWords | null,
): Scorer {
  return {
    id: scorer.id,
    async score(view: SlotView) {
      const highest = Float32Array.from(await scorer.score(view));
      for (const part of parts) {
        const scores = await scorer.score(viewOfPart(view, part, embed, words));
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
