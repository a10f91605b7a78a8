import { expect, it } from 'vitest';
import { planThreads } from './thread-plan.ts';

it.each([
  [1, 1, 'One thread does the work because the device has one processor, and the page needs one too.'],
  [2, 1, 'One thread does the work because the device has 2 processors, and the page needs one too.'],
  [3, 1, 'One thread does the work because the device has 3 processors, and the page needs one too.'],
  [4, 2, '2 threads share the work: the device has 4 processors.'],
  [7, 3, '3 threads share the work: the device has 7 processors.'],
  [64, 4, '4 threads share the work: the device has 64 processors.'],
])('%i processors give %i threads unless chosen', (processors, count, reason) => {
  expect(planThreads('auto', processors, true)).toEqual({ count, reason });
});

it('does what was chosen by hand where memory can be shared', () => {
  expect(planThreads(3, 2, true)).toEqual({
    count: 3,
    reason: '3 threads share the work, as was chosen by hand.',
  });
  expect(planThreads(1, 8, true).reason).toBe('One thread does the work because that was chosen by hand.');
});

it('runs one thread where none may share memory, whatever was chosen, and says why', () => {
  for (const preference of ['auto', 4] as const) {
    const plan = planThreads(preference, 8, false);
    expect(plan.count).toBe(1);
    expect(plan.reason).toContain('not cross-origin isolated');
  }
});
