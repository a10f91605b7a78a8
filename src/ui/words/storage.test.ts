import { expect, it } from 'vitest';
import { storageWords } from './storage.ts';

it('never says “saved” while saving fails', () => {
  expect(storageWords(null, true)).toBe('Storage…');
  expect(storageWords('indexeddb', true)).toBe('Saved here');
  expect(storageWords('indexeddb', false)).toBe('Saving fails');
  expect(storageWords('memory', true)).toBe('Memory only');
});
