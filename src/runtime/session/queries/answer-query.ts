/** Answers the page's questions about the open session, each in line with the work that needs the base model. */
import { yieldToEvents } from '../../../base/clock.ts';
import { MAX_SCORED_TOKENS } from '../decoding/decoder.ts';
import { EngineError } from '../messages/errors.ts';
import { topTokens } from '../decoding/sampler.ts';
import type { Head } from '../head/head.ts';
import type { SessionSteps } from '../steps/session-steps.ts';
import { inspectBlock } from './inspector.ts';
import { listNodes } from './node-list.ts';
import { bringInLevel, searchSimilar } from './nearest-gists.ts';
import type { ContinuationScore, Query, QueryResults, TokenProbability } from '../messages/query-messages.ts';
import { noteSensitivity } from './sensitivity.ts';
import { reportPruning } from './pruning-report.ts';
import { searchText, textOfSpan, tokensOfSpan } from './span-text.ts';
import { treeCells } from './tree-cells.ts';

/** @throws {EngineError} `bad-span` for a block that the tree does not have, `bad-message` for an unknown head, `not-measurable`. */
export async function answerQuery<Q extends Query>(
  steps: SessionSteps,
  query: Q,
): Promise<QueryResults[Q['kind']]>;
export async function answerQuery(steps: SessionSteps, query: Query): Promise<QueryResults[Query['kind']]> {
  const { focus, model } = steps;
  const { tree } = focus.memory;
  const { tokenizer } = model;
  switch (query.kind) {
    case 'inspect':
      await bringInLevel(tree, Math.max(1, query.lod));
      return inspectBlock(focus.head(query.head), tokenizer, steps.marks.list, query);
    case 'spanText':
      return textOfSpan(tree, tokenizer, query.start, query.end, query.maxCharacters);
    case 'tokens':
      return tokensOfSpan(tree, tokenizer, query.start, query.end);
    case 'nextTokens':
      return steps.exclusive(() => likelyNextTokens(steps, focus.head(query.head), query.count));
    case 'scoreContinuation':
      return steps.exclusive(() => scoreText(steps, focus.head(query.head), query.text));
    case 'measureSensitivity':
      return steps.exclusive(() => noteSensitivity(steps, focus.head(query.head), query));
    case 'planPruning':
      return reportPruning(steps, query.measure);
    case 'treeCells':
      return treeCells(tree, focus.step, query);
    case 'listNodes':
      return listNodes(tree, steps.marks.list, query, yieldToEvents);
    case 'searchText':
      return searchText(tree, tokenizer, query.query, query.limit, yieldToEvents);
    case 'searchSimilar':
      return searchSimilar(tree, model, query.query, query.limit, yieldToEvents);
  }
}

/** The most likely next tokens given the working context as it is; none for an empty history. */
async function likelyNextTokens(
  { model }: SessionSteps,
  { layout, decoder, parameters }: Head,
  count: number,
): Promise<readonly TokenProbability[]> {
  if (layout.usedTokens === 0) return [];
  const { logits } = await decoder.sync(layout, parameters.budgetTokens);
  return topTokens(logits, count).map(({ tokenId, probability }) => {
    return { tokenId, text: model.tokenizer.tokenText(tokenId), probability };
  });
}

async function scoreText(
  { model }: SessionSteps,
  { layout, decoder, parameters }: Head,
  text: string,
): Promise<ContinuationScore> {
  const ids = model.tokenizer.encode(text);
  const isScorable = ids.length > 0 && ids.length <= MAX_SCORED_TOKENS && layout.usedTokens > 0;
  if (!isScorable) {
    const why =
      ids.length > MAX_SCORED_TOKENS
        ? `it has ${ids.length} tokens, and at most ${MAX_SCORED_TOKENS} are scored`
        : 'there is nothing to predict it from';
    throw new EngineError('not-measurable', `The continuation cannot be scored: ${why}.`);
  }
  const { nll: nlls } = await decoder.readContinuation(layout, ids, parameters.budgetTokens);
  return {
    tokens: Array.from(ids, (id, i) => ({ text: model.tokenizer.tokenText(id), nll: nlls[i]! })),
    meanNll: nlls.reduce((sum, nll) => sum + nll, 0) / nlls.length,
  };
}
