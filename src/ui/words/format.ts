/** Figures as people read them. Pure; the one place that decides on digits, units and separators. */

const THIN_SPACE = '\u2009';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12,345`. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** `940`, `12.3k`, `1.05M`: three significant digits, for places where width is scarce. */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  if (size < 1000) return String(Math.round(value));
  if (size < 999_500) return `${trimmed(value / 1000)}k`;
  if (size < 999_500_000) return `${trimmed(value / 1_000_000)}M`;
  return `${trimmed(value / 1_000_000_000)}B`;
}

function trimmed(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** `87%`, `8.3%` below ten. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100;
  const digits = Math.abs(percent) < 10 && percent !== 0 ? 1 : 0;
  return `${percent.toFixed(digits)}%`;
}

/** `940 B`, `94.0 MB`, `1.45 GB`: decimal, as the hub and file managers say it. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'] as const;
  const at = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${trimmed(bytes / 1000 ** at)}${THIN_SPACE}${units[at]!}`;
}

/** A score in [-1, 1] with its sign: `+0.42`, `−0.07`. */
export function formatScore(score: number): string {
  return `${score < 0 ? '−' : '+'}${Math.abs(score).toFixed(2)}`;
}

/** A difference in nats with its sign: `+0.042`, `−1.310`. */
export function formatNats(difference: number): string {
  return `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(3)}`;
}

/** A signed number of tokens: `+31`, `−992`. */
export function formatSigned(value: number): string {
  return `${value < 0 ? '−' : '+'}${formatCount(Math.abs(value))}`;
}

/** `0.4 ms`, `12 ms`, `1.4 s`, `2 min 05 s`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)}${THIN_SPACE}ms`;
  if (ms < 1000) return `${Math.round(ms)}${THIN_SPACE}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}${THIN_SPACE}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}${THIN_SPACE}min ${String(seconds % 60).padStart(2, '0')}${THIN_SPACE}s`;
}

/** `[1,024, 2,048)`: a half-open span of tokens. */
export function formatSpan(start: number, end: number): string {
  return `${formatCount(start)}–${formatCount(end)}`;
}

/** `1 block`, `3 blocks`. */
export function formatPlural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A parameter's value without trailing noise: `0.2`, `8,192`, `lensnet`. */
export function formatValue(value: number | string): string {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? formatCount(value) : String(Number(value.toFixed(4)));
}

/** A probability as a percentage with enough digits to compare small ones. */
export function formatProbability(probability: number): string {
  const percent = probability * 100;
  if (percent >= 10) return `${percent.toFixed(1)}%`;
  if (percent >= 0.01) return `${percent.toFixed(2)}%`;
  return '<0.01%';
}

/** Relative age of a stored session: `just now`, `5 min ago`, `3 h ago`, else the date. */
export function formatAge(thenMs: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - thenMs) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(thenMs).toISOString().slice(0, 10);
}

/** A moment as the user's own clock has it, to the minute: `2026-01-02 12:05`. */
export function formatMoment(ms: number): string {
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}

/** Makes the whitespace of a token visible where a token stands alone. */
export function formatToken(text: string): string {
  return text.replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll(' ', '·') || '∅';
}
