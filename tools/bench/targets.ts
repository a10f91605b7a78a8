/** What speed is aimed at, beside the figures of the table that `table.ts` writes: must, measured, met. Pure. */
import { modelOf, type TableRow } from './table.ts';

interface Target {
  readonly what: string;
  /** Of which the figure is one, by the beginning of its name. */
  readonly suite: string;
  readonly figure: string;
  readonly isLeast: boolean;
  readonly must: number;
}

const least = (what: string, suite: string, figure: string, must: number): Target => ({
  what,
  suite,
  figure,
  isLeast: true,
  must,
});
const most = (what: string, suite: string, figure: string, must: number): Target => ({
  ...least(what, suite, figure, must),
  isLeast: false,
});

const RATIO = ', against llama.cpp';
const OVERHEAD = 'focus overhead of 32 tokens, budget';
const TARGETS: readonly Target[] = [
  least(
    'SmolLM2 decode at 512 slots, times the peer’s',
    'peers',
    `decode at 512 slots, a token${RATIO}`,
    1.8,
  ),
  least('at 2,048 slots', 'peers', `decode at 2048 slots, a token${RATIO}`, 1.3),
  least('SmolLM2 prefill of 512 slots, times the peer’s', 'peers', `prefill 512 slots, a token${RATIO}`, 4.5),
  most('memory of the renderer with SmolLM2, MiB', 'peers', 'resident memory of the renderer', 667),
  least('ingest by the block, tokens per CPU second', 'ingest', 'ingest, refocus cadence block', 900),
  least('ingest by 1,024, tokens per CPU second', 'ingest', 'ingest, refocus cadence 1024', 4000),
  most('1,000,000 tokens ingested, s of processor time', 'ingest', 'ingest of 1000000 tokens, automatic: processor', 300), // prettier-ignore
  most('focus overhead of 32 tokens, tiny base, 2,048 slots, %', 'refocus', `${OVERHEAD} 2048`, 15),
  most('8,192 slots, %', 'refocus', `${OVERHEAD} 8192`, 15),
  most('the same of SmolLM2, 2,048 slots, %', 'refocus', `${OVERHEAD} 2048 · Smollm2`, 15),
  most('8,192 slots of it, %', 'refocus', `${OVERHEAD} 8192 · Smollm2`, 15),
  most('decode behind 1,000,000 tokens over 8,192', 'history-growth', 'decode a token, history of 1000000 over 8192', 1.05), // prettier-ignore
  least('first token over 32,768 tokens, times as fast as full prefill', 'first-token', 'prefill of all over first token', 20), // prettier-ignore
  most('worker script, kB gzip', 'bundle', 'engine worker, gzip', 240),
  most('first load without weights, kB gzip', 'bundle', 'first load without weights, gzip', 600),
  most('142,000 stored tokens to a full timeline, ms', 'open', '142', 1500),
  most('its longest task, ms', 'open', '142…: longest task', 50),
];

/** The suites that give the figures, each once. */
export const TARGET_SUITES: readonly string[] = [...new Set(TARGETS.map(({ suite }) => suite))];

const HEAD = ['| aim | must | measured | met |', '|---|---|---|---|'];

function figureOf({ suite, figure }: Target, rows: readonly TableRow[]): TableRow | undefined {
  const [beginning, end = ''] = figure.split('…');
  const isOfShipped = modelOf({ name: figure }) === '';
  return rows.find(
    (row) =>
      row.suite === suite &&
      row.name.startsWith(beginning!) &&
      row.name.endsWith(end) &&
      (modelOf(row) === '') === isOfShipped,
  );
}

/** A line for every aim, with what was measured of it last. */
export function targetLines(rows: readonly TableRow[]): readonly string[] {
  return TARGETS.map((target) => {
    const { what, isLeast, must } = target;
    const found = figureOf(target, rows);
    const limit = `${isLeast ? '≥' : '≤'} ${must.toLocaleString('en')}`;
    if (found === undefined) return `| ${what} | ${limit} | not measured | – |`;
    const isMet = isLeast ? found.value >= must : found.value <= must;
    return `| ${what} | ${limit} | ${found.value.toLocaleString('en')} | ${isMet ? 'yes' : 'no'} |`;
  });
}

/** The text with the lines in place of those that it has; at its end where it has none. */
export function withTargets(markdown: string, rows: readonly TableRow[]): string {
  const lines = markdown.split('\n');
  const from = lines.indexOf(HEAD[0]!);
  const table = [...HEAD, ...targetLines(rows)];
  if (from < 0) return [...lines, ...table, ''].join('\n');
  let end = from;
  while (lines[end]?.startsWith('|') === true) end++;
  return [...lines.slice(0, from), ...table, ...lines.slice(end)].join('\n');
}
