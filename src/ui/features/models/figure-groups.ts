/** Sorts a manifest's figures by the first two parts of their dotted names: suite and task. Pure. */
import type { BootReport } from '../../../runtime/engine/protocol/protocol.ts';

export type ModelFigure = BootReport['model']['figures'][number];

export interface FigureGroup {
  readonly title: string;
  /** Named by what follows the title. */
  readonly figures: readonly ModelFigure[];
}

/** Names of fewer than three parts stand alone. The order is that of the manifest. */
export function groupFigures(figures: readonly ModelFigure[]): {
  readonly single: readonly ModelFigure[];
  readonly groups: readonly FigureGroup[];
} {
  const single: ModelFigure[] = [];
  const groups = new Map<string, ModelFigure[]>();
  for (const figure of figures) {
    const [suite, task, ...rest] = figure.name.split('.');
    if (rest.length === 0) {
      single.push(figure);
      continue;
    }
    const title = `${suite!} · ${task!}`;
    const own = groups.get(title) ?? [];
    own.push({ ...figure, name: rest.join(' · ') });
    groups.set(title, own);
  }
  return { single, groups: Array.from(groups, ([title, own]) => ({ title, figures: own })) };
}
