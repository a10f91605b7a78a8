import { expect, it, vi } from 'vitest';
import { holdEnter } from './hold-enter.ts';

it('keeps Enter in a field from submitting the form, and leaves it to the button', () => {
  const press = (key: string, tagName: string) => {
    const preventDefault = vi.fn();
    holdEnter({ key, target: { tagName } as unknown as EventTarget, preventDefault });
    return preventDefault.mock.calls.length > 0;
  };
  expect(press('Enter', 'INPUT')).toBe(true);
  expect(press('Enter', 'SELECT')).toBe(true);
  expect(press('Enter', 'BUTTON')).toBe(false);
  expect(press('a', 'INPUT')).toBe(false);
});
