import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { paceReports } from './paced-reports.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function scene() {
  const passed: number[] = [];
  return { passed, reports: paceReports<number>(100, (report) => passed.push(report)) };
}

it('passes the first on at once and the newest once the pause is over, also when nothing follows', () => {
  const { passed, reports } = scene();
  for (const report of [1, 2, 3]) reports.tell(report);
  expect(passed).toEqual([1]);
  vi.advanceTimersByTime(100);
  expect(passed).toEqual([1, 3]);
  vi.advanceTimersByTime(1000);
  expect(passed).toEqual([1, 3]);
  reports.tell(4);
  expect(passed).toEqual([1, 3, 4]);
});

it('passes on what waits when it ends, and leaves no timer', () => {
  const { passed, reports } = scene();
  reports.tell(1);
  reports.tell(2);
  reports.end();
  expect(passed).toEqual([1, 2]);
  expect(vi.getTimerCount()).toBe(0);
});
