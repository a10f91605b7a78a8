/** The scores of one step squeezed into a column: what a heatmap row shows. Pure. */
import { SCORE_CLASSES, scoreClass } from '../../view/palette.ts';

/** Neighbouring cells of one colour, in pixels from the column's left edge. */
export interface HeatRun {
  readonly from: number;
  readonly to: number;
  readonly scoreIndex: number;
}

const CELL_WIDTH = 2;
const NEUTRAL = (SCORE_CLASSES - 1) / 2;

/**
 * One cell a block where they fit, else the strongest score of those that share a cell: a lone block that
 * wants to expand must not vanish among neutral ones. Neutral cells are left out.
 */
export function heatRuns(scores: ArrayLike<number>, width: number): readonly HeatRun[] {
  const cells = Math.min(scores.length, Math.floor(width / CELL_WIDTH));
  const runs: HeatRun[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const end = Math.floor(((cell + 1) * scores.length) / cells);
    let strongest = 0;
    for (let i = Math.floor((cell * scores.length) / cells); i < end; i++) {
      if (Math.abs(scores[i]!) > Math.abs(strongest)) strongest = scores[i]!;
    }
    const scoreIndex = scoreClass(strongest);
    if (scoreIndex === NEUTRAL) continue;
    const from = (cell * width) / cells;
    const to = ((cell + 1) * width) / cells;
    const last = runs.at(-1);
    if (last?.scoreIndex === scoreIndex && last.to === from) runs[runs.length - 1] = { ...last, to };
    else runs.push({ from, to, scoreIndex });
  }
  return runs;
}
