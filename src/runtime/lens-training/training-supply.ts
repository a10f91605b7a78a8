/** What a session offers to learn from: places whose moves can be measured, and sentences to ask about. */
import { Rng } from '../../base/rng.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import { K } from '../../core/tree/ids.ts';
import type { LoadedModel } from '../../nn/ports.ts';
import { chatWords } from '../session/chat-words/chat-words.ts';
import { type ClozePlace, type Sentence, chooseClozePlaces, findSentences } from './cloze-places.ts';
import { LEAST_STATES, type LensSupply, type LensTrainingOptions } from './messages.ts';
import {
  type FoundStates,
  HORIZON_TOKENS,
  type SampledState,
  chooseStates,
  findStates,
} from './sampled-states.ts';

/** Blocks behind the protected window without which there is nothing to look back at. */
const LEAST_OLD_BLOCKS = 4;

interface Found {
  readonly tokens: number;
  readonly states: FoundStates;
  readonly sentences: readonly Sentence[];
}

export class TrainingSupply {
  private found: Found | null = null;

  /** @param session - borrowed; the tree may grow, and the parameters change. */
  constructor(
    private readonly session: {
      readonly model: LoadedModel;
      readonly tree: GistTree;
      readonly config: () => RunConfig;
    },
  ) {}

  /** @param isFrozen - a run goes on: what was found when it began stays. */
  report(isFrozen: boolean): LensSupply {
    const { states, sentences } = this.find(isFrozen);
    const { answers, recurrences, blocks } = states;
    const tokens = this.session.tree.tokenCount;
    const reach = tokens - this.firstCursor;
    return {
      tokens,
      neededTokens: Math.ceil(this.firstCursor / K) * K + LEAST_STATES * HORIZON_TOKENS,
      answers: answers.length,
      recurrences: recurrences.length,
      blocks: blocks.length,
      sentences: sentences.filter(({ end }) => end <= reach).length,
    };
  }

  /** What a run learns from, in order; `answers` are all of the history. The same seed chooses the same. */
  choose({ states, questions, seed }: Pick<LensTrainingOptions, 'states' | 'questions' | 'seed'>): {
    readonly sampled: readonly SampledState[];
    readonly cloze: readonly ClozePlace[];
    readonly answers: readonly SampledState[];
  } {
    const found = this.find(false);
    const rng = new Rng(seed);
    const rules = {
      tokenCount: this.session.tree.tokenCount,
      distanceTokens: this.firstCursor,
      count: questions,
    };
    return {
      sampled: chooseStates(found.states, states, rng.split(1)),
      cloze: chooseClozePlaces(found.sentences, rules, rng.split(3)),
      answers: found.states.answers,
    };
  }

  /** First cursor with something to look back at. */
  private get firstCursor(): number {
    const { recentTokens, budgetTokens } = this.session.config();
    return Math.min(recentTokens, budgetTokens) + LEAST_OLD_BLOCKS * K;
  }

  private find(isFrozen: boolean): Found {
    const { tree, model, config } = this.session;
    const tokens = tree.tokenCount;
    if (this.found === null || (this.found.tokens !== tokens && !isFrozen)) {
      const { assistantPrefix, stop } = chatWords(model, config());
      const states = findStates(tree, {
        firstCursor: this.firstCursor,
        answerPrefix: model.tokenizer.encodeTemplate(assistantPrefix),
        isAnswerEnd: (id) => stop.some((end) => model.tokenizer.tokenText(id).includes(end)),
        distantTokens: config().recentTokens,
      });
      this.found = {
        tokens,
        states,
        sentences: findSentences(tree, model.tokenizer.createStreamDecoder()),
      };
    }
    return this.found;
  }
}
