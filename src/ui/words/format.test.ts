import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatCompact,
  formatCount,
  formatDuration,
  formatPercent,
  formatPlural,
  formatProbability,
  formatScore,
  formatSigned,
  formatSpan,
  formatToken,
  formatValue,
} from './format.ts';

describe('formatters', () => {
  it('groups and compacts counts', () => {
    expect(formatCount(12345)).toBe('12,345');
    expect(formatCompact(940)).toBe('940');
    expect(formatCompact(12_345)).toBe('12.3k');
    expect(formatCompact(999_600)).toBe('1M');
    expect(formatCompact(1_048_576)).toBe('1.05M');
    expect(formatCompact(2_500_000_000)).toBe('2.5B');
  });

  it('keeps one digit of small percentages', () => {
    expect(formatPercent(0.873)).toBe('87%');
    expect(formatPercent(0.0834)).toBe('8.3%');
    expect(formatPercent(0)).toBe('0%');
  });

  it('signs scores and costs with a true minus', () => {
    expect(formatScore(0.417)).toBe('+0.42');
    expect(formatScore(-0.07)).toBe('−0.07');
    expect(formatSigned(-992)).toBe('−992');
  });

  it('picks the unit of a duration', () => {
    expect(formatDuration(0.43)).toBe('0.4\u2009ms');
    expect(formatDuration(12.4)).toBe('12\u2009ms');
    expect(formatDuration(1430)).toBe('1.4\u2009s');
    expect(formatDuration(125_000)).toBe('2\u2009min 05\u2009s');
  });

  it('words spans, plurals, values, probabilities and tokens', () => {
    expect(formatSpan(1024, 2048)).toBe('1,024–2,048');
    expect(formatPlural(1, 'block')).toBe('1 block');
    expect(formatPlural(3, 'entry', 'entries')).toBe('3 entries');
    expect(formatValue(0.1 + 0.2)).toBe('0.3');
    expect(formatValue('lensnet')).toBe('lensnet');
    expect(formatProbability(0.00004)).toBe('<0.01%');
    expect(formatProbability(0.5)).toBe('50.0%');
    expect(formatToken(' a\n')).toBe('·a⏎');
    expect(formatToken('')).toBe('∅');
  });

  it('tells age in the nearest useful unit', () => {
    expect(formatAge(0, 30_000)).toBe('just now');
    expect(formatAge(0, 300_000)).toBe('5 min ago');
    expect(formatAge(0, 3 * 3_600_000)).toBe('3 h ago');
    expect(formatAge(0, 48 * 3_600_000)).toBe('1970-01-01');
  });
});
