/** Makes the figures of a cell from its counts, and merges the reports of partial runs. Pure. */
import { hashUint32 } from '../../../base/rng.ts';
import { FIGURES, type FigureDescription, type FigureId } from '../../../core/evaluation-report/figures.ts';
import {
  type Bin,
  type BinCounts,
  type Cell,
  type CellKey,
  type ClusterCounts,
  type EvaluationReport,
  ReportError,
  type Suite,
} from '../../../core/evaluation-report/report.ts';
import {
  bootstrapInterval,
  clusteredProportionInterval,
  type Interval,
  totalOf,
  type WeightedSum,
} from '../../../base/statistics.ts';

/** Nats per case: below this the denominator of a ratio is noise, and the ratio is undefined. */
const MIN_DENOMINATOR = 0.02;

/** A cell before its figures are made. */
export interface CellCounts extends CellKey {
  readonly clusters: readonly ClusterCounts[];
  /** Reasons known beforehand, such as a history beyond the base's range; by figure. */
  readonly why?: Readonly<Record<string, string>>;
}

/** The figures of a cell; the same clusters in any order give the same cell. */
export function cellOf(suite: string, counts: CellCounts): Cell {
  const clusters = [...counts.clusters].sort((a, b) => compare(a.cluster, b.cluster));
  const { task, policy, templates, historyTokens, budgetTokens, heads } = counts;
  const n = clusters.reduce((sum, cluster) => sum + cluster.n, 0);
  const seed = seedOf(`${suite} ${keyOf(counts)}`);
  const figures: Partial<Record<FigureId, number | null>> = {};
  const intervals: Partial<Record<FigureId, Interval>> = {};
  const why: Record<string, string> = {};
  const known = counts.why ?? {};
  for (const figure of FIGURES) {
    const units = clusters.map((cluster) => cluster.figures[figure.id]).filter((unit) => unit !== undefined);
    if (units.length === 0 && !figure.core && known[figure.id] === undefined) continue;
    const problem = undefinedWhy(suite, figure, units, n);
    if (problem === null) {
      const [weight, sum] = totalOf(units);
      figures[figure.id] = sum / weight;
      const interval = intervalOf(figure.kind, units, hashUint32(seed, FIGURES.indexOf(figure)));
      if (interval !== null) intervals[figure.id] = interval;
    } else {
      figures[figure.id] = null;
      // A reason given beforehand explains why nothing was counted; what was counted speaks for itself.
      why[figure.id] = (units.length === 0 ? known[figure.id] : undefined) ?? problem;
    }
  }
  return {
    task,
    policy,
    templates,
    historyTokens,
    budgetTokens,
    heads,
    n,
    ...(figures as Pick<Cell, FigureId>),
    answeredCi95: intervals.answered ?? null,
    ci95: (figures.accuracy == null ? intervals.nll : intervals.accuracy) ?? null,
    intervals,
    why,
    distances: binsOf(clusters, 'distances', seed),
    positions: binsOf(clusters, 'positions', seed),
    clusters,
  };
}

function undefinedWhy(
  suite: string,
  figure: FigureDescription,
  units: readonly WeightedSum[],
  n: number,
): string | null {
  if (units.length === 0) return `Not measured by the ${suite} suite with this policy.`;
  const [weight] = totalOf(units);
  if (figure.id === 'readingGivenRouted' && weight === 0) return 'No question had its blocks raw.';
  if (weight === 0) return 'There was nothing to measure it on.';
  const isNllRatio = figure.id === 'gapRecovered' || figure.id === 'regret';
  if (isNllRatio && weight < MIN_DENOMINATOR * n) {
    return `The denominator is ${(weight / n).toFixed(4)} nats, below ${MIN_DENOMINATOR}.`;
  }
  return null;
}

function intervalOf(
  kind: FigureDescription['kind'],
  units: readonly WeightedSum[],
  seed: number,
): Interval | null {
  return kind === 'proportion'
    ? clusteredProportionInterval(units.filter(([weight]) => weight > 0))
    : bootstrapInterval(units, seed);
}

function binsOf(clusters: readonly ClusterCounts[], curve: 'distances' | 'positions', seed: number): Bin[] {
  const byBin = new Map<number, WeightedSum[]>();
  for (const cluster of clusters) {
    for (const [log2, weight, sum] of cluster[curve] ?? []) {
      const units = byBin.get(log2) ?? [];
      if (weight > 0) units.push([weight, sum]);
      byBin.set(log2, units);
    }
  }
  return [...byBin]
    .filter(([, units]) => units.length > 0)
    .sort(([a], [b]) => a - b)
    .map(([log2, units]) => {
      const [n, sum] = totalOf(units);
      const kind = curve === 'distances' ? 'proportion' : 'mean';
      return { log2, n, value: sum / n, ci95: intervalOf(kind, units, hashUint32(seed, log2)) };
    });
}

/** Add one case to the bins of a curve. */
export function addToBins(bins: readonly BinCounts[], tokens: number, value: number): BinCounts[] {
  const log2 = Math.floor(Math.log2(Math.max(tokens, 1)));
  const at = bins.findIndex(([known]) => known === log2);
  if (at < 0) return [...bins, [log2, 1, value]];
  const [, weight, sum] = bins[at]!;
  return bins.with(at, [log2, weight + 1, sum + value]);
}

/**
 * One report of several partial ones, its cells in an order that depends on what they are only: whole runs pass
 * through here too, so that merged shards equal them. A cluster that two parts counted alike counts once.
 *
 * @param anyCommit - parts of several commits may come together, which the caller knows to measure the same; the
 * report then names all of them.
 * @throws {ReportError} `not-mergeable` when model, seed, backend or commit differ, or one cluster was counted
 * differently in two parts.
 */
export function mergeReports(parts: readonly EvaluationReport[], anyCommit = false): EvaluationReport {
  const [first] = parts;
  if (first === undefined) throw new ReportError('not-mergeable', 'There is no report to merge.');
  for (const part of parts) {
    for (const field of ['model', 'seed', 'backend', 'commit'] as const) {
      if (part[field] === first[field] || (field === 'commit' && anyCommit)) continue;
      throw new ReportError(
        'not-mergeable',
        `The reports differ in ${field}: ${first[field] ?? 'unknown'} and ${part[field] ?? 'unknown'}.`,
        'Merge only parts of one run.',
      );
    }
  }
  const suites = new Map<string, Map<string, CellCounts>>();
  for (const { suite, cells } of parts.flatMap((part) => part.suites)) {
    const known = suites.get(suite) ?? new Map<string, CellCounts>();
    suites.set(suite, known);
    for (const cell of cells) {
      const key = keyOf(cell);
      const other = known.get(key);
      known.set(key, other === undefined ? cell : joined(other, cell));
    }
  }
  const merged = [...suites].map(([suite, cells]): Suite => ({
    suite,
    cells: [...cells.values()].sort(byKey).map((cell) => cellOf(suite, cell)),
  }));
  const commits = [...new Set(parts.map(({ commit }) => commit ?? 'unknown'))];
  return { ...first, commit: commits.length === 1 ? first.commit : commits.join(', '), suites: merged };
}

/** Names a cell within its suite. */
export function keyOf({ task, policy, templates, historyTokens, budgetTokens, heads }: CellKey): string {
  return JSON.stringify([task, policy, templates, historyTokens, budgetTokens, heads]);
}

function byKey(a: CellKey, b: CellKey): number {
  return (
    compare(a.task, b.task) ||
    a.historyTokens - b.historyTokens ||
    a.budgetTokens - b.budgetTokens ||
    compare(a.templates ?? '', b.templates ?? '') ||
    a.heads - b.heads ||
    compare(a.policy, b.policy)
  );
}

/** By code units, so that the order is the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function joined(a: CellCounts, b: CellCounts): CellCounts {
  const clusters = new Map(a.clusters.map((cluster) => [cluster.cluster, cluster]));
  for (const cluster of b.clusters) {
    const known = clusters.get(cluster.cluster);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(cluster)) {
      throw new ReportError(
        'not-mergeable',
        `Cluster ${cluster.cluster} of ${a.task} · ${a.policy} · ${a.historyTokens} tokens was counted differently in two reports.`,
        'Merge only parts of one run.',
      );
    }
    clusters.set(cluster.cluster, cluster);
  }
  return { ...a, clusters: [...clusters.values()], why: { ...a.why, ...b.why } };
}

function seedOf(text: string): number {
  return hashUint32(...Array.from(text, (character) => character.codePointAt(0)!));
}
