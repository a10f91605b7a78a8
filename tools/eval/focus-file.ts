/** The picture of focus against full context, for a run and for what several runs were merged to. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EvaluationReport } from '../../src/core/evaluation-report/report.ts';
import { EVALUATION_POLICIES, isLive } from '../../src/runtime/evaluation/baselines/policies.ts';
import { focusPlotOf } from '../../src/runtime/evaluation/report/focus-plot.ts';

/** Draws the first policy of the page that was asked beside full context, LensNet before the others; says so where none was. */
export function writeFocusPlot(file: string, report: EvaluationReport): void {
  const policies = EVALUATION_POLICIES.map(({ id }) => id).filter((id) => isLive(id));
  const first = [...policies].sort((a, b) => Number(b === 'lensnet') - Number(a === 'lensnet'));
  for (const policy of first) {
    const svg = focusPlotOf(report, policy);
    if (svg === null) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, svg);
    return;
  }
  console.error(
    '--focus-plot: nothing was asked of both full and a policy of the page, so nothing was drawn.',
  );
}
