/**
 * What a slot before the recent window is best used for in a text, level by level, at equal budget: a gist, the rarest
 * token of what it covers, nothing, or one more recent raw token.
 */
import { tokensPerEntry, type Lod } from '../../../core/tree/ids.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { GistInput } from '../../../core/parameters/context.ts';
import { positionSchemeOf } from '../../../core/context/position-scheme.ts';
import { entryAt, type Layout, layoutOf } from '../../../core/context/working-context.ts';
import { meanOf } from '../../../base/statistics.ts';
import type { FigureId } from '../../../core/evaluation-report/figures.ts';
import type { WeightedSum } from '../../../base/statistics.ts';
import { AnswerReader, prepareContext } from '../answering/answer-reader.ts';
import { whyUnavailable } from '../answering/answering.ts';
import { rawEntries } from '../baselines/layouts.ts';
import type { EvaluationOptions, EvaluationUnit, UnitPorts } from '../plan/suite.ts';
import { unitKey } from '../plan/suite.ts';
import { withQuestion } from '../memory/history-memory.ts';
import type { CellCounts } from '../report/cell.ts';

/** Where the levels of one length end, and what they cost. */
interface LevelPlace {
  readonly lod: Lod;
  /** The recent window's first token; a multiple of what one gist covers. */
  readonly recentStart: number;
  /** Of the level, newest ones; each costs a slot. */
  readonly gists: number;
}

/**
 * The levels that a history reaches with at least one gist before the recent window. Each ends a little before the
 * history does, so that the gists fall on their bounds and nothing else stands between them and the recent window.
 */
export function levelPlaces(
  historyTokens: number,
  { recentTokens, budgetTokens }: { readonly recentTokens: number; readonly budgetTokens: number },
  maxLod: number,
): LevelPlace[] {
  const places: LevelPlace[] = [];
  for (let lod = 1; lod <= maxLod; lod++) {
    const each = tokensPerEntry(lod);
    const whole = Math.floor((historyTokens - recentTokens) / each);
    const gists = Math.min(whole, budgetTokens - recentTokens);
    if (gists > 0) places.push({ lod: lod as Lod, recentStart: whole * each, gists });
  }
  return places;
}

/**
 * Cells `gists-lodN`, `keywords-lodN`, `nothing-lodN` and `deletion-lodN` of one length in one text.
 *
 * @param ids - the text, with `horizonTokens` behind the history.
 * @param before - the tree of the history but for its newest tokens.
 */
export async function gistsAgainstDeletion(
  historyTokens: number,
  horizonTokens: number,
  ids: Uint32Array,
  before: GistTree,
  unit: EvaluationUnit,
  { config }: EvaluationOptions,
  { model, step }: UnitPorts,
): Promise<CellCounts[]> {
  const { recentTokens, budgetTokens } = config;
  const scheme = positionSchemeOf(config, model.manifest.trainedContextTokens);
  const where = { sharedTokens: ids.length, branch: 0, scheme, offsetTokens: 0 };
  const reader = new AnswerReader(model, () => step(0));
  const newest = ids.slice(before.tokenCount, historyTokens);
  const tree = await withQuestion(before, { userIds: newest, assistantIds: new Uint32Array(0) }, model);
  const cells: CellCounts[] = [];
  try {
    for (const { lod, recentStart, gists } of levelPlaces(historyTokens, config, tree.maxLod)) {
      const end = recentStart + recentTokens;
      const following = ids.slice(end, end + horizonTokens);
      // What stands for gists is asked for here, whatever a run feeds: that is what is measured.
      const nllOf = async (layout: Layout, gistInput: GistInput = 'vector'): Promise<number> => {
        const context = prepareContext(layout, tree, {
          ...where,
          gistInput,
          followingTokens: horizonTokens,
        });
        return meanOf((await reader.read(context, following)).nll);
      };
      const each = tokensPerEntry(lod);
      const asGists = Array.from({ length: gists }, (_, i) => entryAt(lod, recentStart - (gists - i) * each));
      const behindGists = layoutOf([...asGists, ...rawEntries(recentStart, end)]);
      const uses = {
        gists: await nllOf(behindGists),
        keywords: await nllOf(behindGists, 'keyword'),
        nothing: await nllOf(layoutOf(rawEntries(recentStart, end))),
      };
      const deleted = await nllOf(layoutOf(rawEntries(recentStart - gists, end)));
      const why = whyUnavailable('full', end, budgetTokens, true, model);
      const full = why === null ? await nllOf(layoutOf(rawEntries(0, end))) : null;
      const cell = (policy: string, figures: Partial<Record<FigureId, WeightedSum>>): CellCounts => ({
        task: unit.task,
        policy: `${policy}-lod${lod}`,
        templates: null,
        historyTokens,
        budgetTokens: recentTokens + gists,
        heads: 1,
        clusters: [{ cluster: unitKey(unit), n: 1, figures }],
        why: why === null ? {} : { deltaNll: why, gapRecovered: why },
      });
      for (const [policy, nll] of Object.entries(uses)) {
        cells.push(
          cell(policy, {
            nll: [1, nll],
            againstDeletion: [1, nll - deleted],
            ...(full !== null && {
              deltaNll: [1, nll - full],
              gapRecovered: [deleted - full, deleted - nll],
            }),
          }),
        );
      }
      cells.push(
        cell('deletion', { nll: [1, deleted], ...(full !== null && { deltaNll: [1, deleted - full] }) }),
      );
    }
  } finally {
    reader.dispose();
  }
  return cells;
}
