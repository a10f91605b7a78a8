import { expect, it } from 'vitest';
import { totalLine } from './total-reporter.ts';

it('says how many tests passed and failed, and skipped ones only where there are any', () => {
  expect(totalLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  expect(totalLine({ passed: 12, failed: 1, skipped: 4 })).toBe('12 passed, 1 failed, 4 skipped');
});
