/** Answers the page's questions about the open session, each in line with the work that needs the base model. */
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import type { SpanMark } from '../../../storage/ports.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import { MAX_SCORED_TOKENS } from '../decoding/decoder.ts';
import { EngineError } from '../messages/errors.ts';
import { topTokens } from '../decoding/sampler.ts';
import type { TurnSession } from '../chat/turn.ts';
import { checkBlock } from '../memory/block-span.ts';
import type { BlockSpan } from '../../../core/tree/ids.ts';
import { inspectBlock } from './inspector.ts';
import { searchSimilar } from './nearest-gists.ts';
import type {
  ContinuationScore,
  Query,
  QueryResults,
  SensitivityReport,
  TokenProbability,
} from '../messages/query-messages.ts';
import { counterfactualOf, measureSensitivity } from './sensitivity.ts';
import { searchText, textOfSpan } from './span-text.ts';
import { treeCells } from './tree-cells.ts';

/** What a question may look at. */
export interface QuerySession extends Pick<
  TurnSession,
  'focus' | 'decoder' | 'model' | 'activeConfig' | 'telemetry' | 'exclusive'
> {
  readonly spanMarks: readonly SpanMark[];
}

type Answer = QueryResults[Query['kind']];

/** @throws {EngineError} `bad-span` for a block that the tree does not have, `not-measurable`. */
export async function answerQuery(session: QuerySession, query: Query): Promise<Answer> {
  const { focus, model } = session;
  const { tree } = focus;
  const { tokenizer } = model;
  switch (query.kind) {
    case 'inspect':
      return inspectBlock(focus, tokenizer, session.activeConfig, session.spanMarks, query);
    case 'spanText':
      return textOfSpan(tree, tokenizer, query.start, query.end, query.maxCharacters);
    case 'nextTokens':
      return session.exclusive(() => likelyNextTokens(session, query.count));
    case 'scoreContinuation':
      return session.exclusive(() => scoreText(session, query.text));
    case 'measureSensitivity':
      return session.exclusive(() => noteSensitivity(session, query));
    case 'treeCells':
      return treeCells(tree, focus.step, query.start, query.end, query.cells);
    case 'searchText':
      return searchText(tree, tokenizer, query.query, query.limit, yieldToEvents);
    case 'searchSimilar':
      return searchSimilar(tree, model, query.query, query.limit, yieldToEvents);
  }
}

/** The most likely next tokens given the working context as it is; none for an empty history. */
async function likelyNextTokens(session: QuerySession, count: number): Promise<readonly TokenProbability[]> {
  const { layout } = session.focus;
  if (layout.usedTokens === 0) return [];
  const { logits } = await session.decoder.sync(layout, session.activeConfig.budgetTokens);
  return topTokens(logits, count).map(({ tokenId, probability }) => {
    return { tokenId, text: session.model.tokenizer.tokenText(tokenId), probability };
  });
}

async function scoreText(session: QuerySession, text: string): Promise<ContinuationScore> {
  const { focus, model, decoder, activeConfig } = session;
  const ids = model.tokenizer.encode(text);
  const isScorable = ids.length > 0 && ids.length <= MAX_SCORED_TOKENS && focus.layout.usedTokens > 0;
  if (!isScorable) {
    const why =
      ids.length > MAX_SCORED_TOKENS
        ? `it has ${ids.length} tokens, and at most ${MAX_SCORED_TOKENS} are scored`
        : 'there is nothing to predict it from';
    throw new EngineError('not-measurable', `The continuation cannot be scored: ${why}.`);
  }
  const { nll: nlls } = await decoder.readContinuation(focus.layout, ids, activeConfig.budgetTokens);
  return {
    tokens: Array.from(ids, (id, i) => ({ text: model.tokenizer.tokenText(id), nll: nlls[i]! })),
    meanNll: nlls.reduce((sum, nll) => sum + nll, 0) / nlls.length,
  };
}

/** Measure, and remember the figure in the tree and in the trace. */
async function noteSensitivity(session: QuerySession, block: BlockSpan): Promise<SensitivityReport> {
  const { focus, model, telemetry } = session;
  const { tree, layout, step } = focus;
  checkBlock(tree, block);
  const counterfactual = counterfactualOf(tree, layout, block);
  const positions = positionSchemeOf(session.activeConfig, model.manifest.trainedContextTokens);
  const report = await measureSensitivity(model.base, tree, counterfactual, positions, yieldToEvents);
  const { deltaNll, horizonTokens } = report;
  const { lod, start, end } = block;
  tree.metadata(lod).sensitivity.set(start / tokensPerEntry(lod), deltaNll);
  telemetry.emit({
    ...telemetry.base(step),
    type: 'sensitivity',
    head: 0,
    lod,
    start,
    end,
    horizonTokens,
    deltaNll,
  });
  return report;
}
