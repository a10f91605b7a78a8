/**
 * Regular expressions that a tokenizer's file brings. JavaScript cannot stop one that has begun, so those that could
 * take exponential time are refused before they run: a group that is repeated without end, and a reference back to
 * one. The patterns of published byte-level tokenizers have neither.
 */
import { WeightError } from './errors.ts';

const LONGEST_PATTERN = 4096;
/** Deeper than any tokenizer's settings are. */
const DEEPEST_SETTINGS = 32;

/**
 * @param settings - a part of `tokenizer.json`; every `Regex` within it is looked at.
 * @param file - named in errors.
 * @throws {WeightError} with the pattern.
 */
export function refuseSlowPatterns(settings: unknown, file: string, depth = 0): void {
  if (typeof settings !== 'object' || settings === null) return;
  if (depth > DEEPEST_SETTINGS) throw new WeightError(file, null, 'its settings are nested too deep');
  for (const [name, value] of Object.entries(settings)) {
    if (name === 'Regex' && typeof value === 'string') refuseSlowPattern(value, file);
    else refuseSlowPatterns(value, file, depth + 1);
  }
}

function refuseSlowPattern(pattern: string, file: string): void {
  const fail = (what: string) => new WeightError(file, null, `the pattern "${pattern.slice(0, 60)}" ${what}`);
  if (pattern.length > LONGEST_PATTERN) throw fail(`is longer than ${LONGEST_PATTERN} characters`);
  let isInClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '\\') {
      at++;
      if (!isInClass && /[1-9k]/.test(pattern[at] ?? '')) throw fail('refers back to a group');
    } else if (isInClass) isInClass = character !== ']';
    else if (character === '[') isInClass = true;
    else if (character === ')' && /^(?:[*+]|\{\d+,?\d*\})/.test(pattern.slice(at + 1, at + 24))) {
      throw fail('repeats a group');
    }
  }
}
