import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNumber } from './read-number.ts';

const fraction = { min: -1, max: 1, whole: false };
const count = { min: 0, max: 2_000_000, whole: true };
const any = { min: -1e9, max: 1e9, whole: false };
const valueOf = (text: string, limits: typeof any) => {
  const reading = readNumber(text, limits);
  return reading.ok ? reading.value : reading.message;
};

describe('a number as people type it', () => {
  it('may have a decimal comma', () => {
    expect(valueOf('0,1', fraction)).toBe(0.1);
    expect(valueOf(',5', fraction)).toBe(0.5);
    expect(valueOf('0,125', fraction)).toBe(0.125);
    expect(valueOf('3,5', any)).toBe(3.5);
  });

  it('may have its digits grouped, by whatever people group with', () => {
    for (const text of [
      '1,048,576',
      '1.048.576',
      '1 048 576',
      '1\u202f048\u00a0576',
      '1’048’576',
      "1'048'576",
    ]) {
      expect(valueOf(text, count)).toBe(1_048_576);
    }
    expect(valueOf('8,192', count)).toBe(8192);
    expect(valueOf('8.192', count)).toBe(8192);
    expect(valueOf('1.234,5', any)).toBe(1234.5);
    expect(valueOf('1,234.5', any)).toBe(1234.5);
  });

  it('may have an exponent and any minus sign', () => {
    expect(valueOf('3e-4', any)).toBe(3e-4);
    expect(valueOf('3E−4', any)).toBe(3e-4);
    expect(valueOf('1,5e3', any)).toBe(1500);
    for (const minus of '-−–—‐‑‒﹣－') expect(valueOf(`${minus}0.5`, fraction)).toBe(-0.5);
    expect(Object.is(valueOf('−0', fraction), 0)).toBe(true);
  });

  it('is refused in words where it could mean two numbers, or none', () => {
    expect(valueOf('1,234', any)).toMatch(/may mean 1234 or 1\.234/);
    expect(valueOf('64.000', count)).toMatch(/may mean 64000 or 64/);
    expect(valueOf('1,234', { min: 0, max: 4, whole: false })).toBe(1.234);
    for (const text of [
      '',
      ' ',
      '1,2,3',
      '12,34,567',
      '1.2.3',
      '0x10',
      'Infinity',
      '1e',
      '10⁵',
      '5%',
      '--1',
      '1 2',
    ]) {
      expect(valueOf(text, any)).toMatch(/is not a number/);
    }
    expect(valueOf('2,5', count)).toBe('only whole numbers');
    expect(valueOf('−1', count)).toBe('between 0 and 2,000,000');
    expect(valueOf('1', { min: 1e-6, max: 0.1, whole: false })).toBe('between 0.000001 and 0.1');
  });

  it('comes back from every way in which a program writes it', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (value) => {
        const reading = readNumber(String(value), any);
        if (reading.ok) expect(reading.value).toBe(value === 0 ? 0 : value);
        else expect(String(value)).toMatch(/^-?[1-9]\d{0,2}\.\d{3}$/);
      }),
    );
  });
});
