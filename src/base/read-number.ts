/**
 * Numbers as people type them: decimal commas, grouped digits, exponents, and any minus sign. What could mean two
 * numbers is refused, never guessed.
 */

export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  /** Only whole numbers. */
  readonly whole: boolean;
}

export type NumberReading =
  { readonly ok: true; readonly value: number } | { readonly ok: false; readonly message: string };

/** Hyphen, non-breaking hyphen, figure, en and em dash, minus, small and wide hyphen. */
const MINUS = /^[-‐‑‒–—−﹣－]/;
const SHAPE = /^(?<mantissa>[\d.,'’\s]+)(?:[eE](?<exponent>[-+‐‑‒–—−﹣－]?\d+))?$/;
/** Digits in threes, all parted by one separator. */
const GROUPED =
  /^[1-9]\d{0,2}(?:,\d{3})+$|^[1-9]\d{0,2}(?:\.\d{3})+$|^[1-9]\d{0,2}(?:\s\d{3})+$|^[1-9]\d{0,2}(?:['’]\d{3})+$/;
const PLAIN = /^(?:\d+[.,]?|\d*[.,]\d+)$/;

const withSeparators = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });

/**
 * The number that a text means within limits. `1,024` is 1024 where only whole numbers fit, as the page writes it;
 * `0,1` is 0.1. `message` says what is wrong otherwise, as a phrase.
 */
export function readNumber(text: string, limits: NumberLimits): NumberReading {
  const trimmed = text.trim();
  const readings = readingsOf(trimmed);
  const [first, second] = readings;
  if (first === undefined) return { ok: false, message: `“${text}” is not a number` };
  const fitting = readings.filter((value) => faultOf(value, limits) === null);
  if (fitting.length === 1) return { ok: true, value: fitting[0]! };
  if (fitting.length === 0) return { ok: false, message: faultOf(first, limits)! };
  if (limits.whole && trimmed.includes(',')) return { ok: true, value: first };
  return { ok: false, message: `“${text}” may mean ${first} or ${second}: write it without a separator` };
}

function faultOf(value: number, { min, max, whole }: NumberLimits): string | null {
  if (whole && !Number.isInteger(value)) return 'only whole numbers';
  if (value >= min && value <= max) return null;
  // Bounds that a fixed number of digits would round to nothing are written as they are.
  const written = (bound: number) =>
    bound !== 0 && Math.abs(bound) < 1e-4 ? String(bound) : withSeparators.format(bound);
  return `between ${written(min)} and ${written(max)}`;
}

/** Grouped first, where digits may be groups or a fraction. */
function readingsOf(text: string): readonly number[] {
  const negative = MINUS.test(text);
  const { mantissa = '', exponent = '0' } =
    SHAPE.exec(text.replace(negative ? MINUS : /^\+/, '').trim())?.groups ?? {};
  const power = exponent.replace(MINUS, '-');
  return unsignedReadings(mantissa)
    .map((digits) => Number(`${negative ? '-' : ''}${digits}e${power}`))
    .filter(Number.isFinite)
    .map((value) => (value === 0 ? 0 : value));
}

/** As JavaScript writes them. */
function unsignedReadings(text: string): readonly string[] {
  const readings: string[] = [];
  if (GROUPED.test(text)) readings.push(text.replaceAll(/[^\d]/g, ''));
  if (PLAIN.test(text)) readings.push(text.replace(',', '.'));
  // A separator of another kind before the last groups: that last one is the decimal sign.
  const at = Math.max(text.lastIndexOf('.'), text.lastIndexOf(','));
  const whole = text.slice(0, at);
  const isMixed = at > 0 && !whole.includes(text[at]!) && GROUPED.test(whole);
  if (isMixed && /^\d+$/.test(text.slice(at + 1))) {
    readings.push(`${whole.replaceAll(/[^\d]/g, '')}.${text.slice(at + 1)}`);
  }
  return readings;
}
