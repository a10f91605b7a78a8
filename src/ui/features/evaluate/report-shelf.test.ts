import { expect, it } from 'vitest';
import type { EvaluationReport } from '../../../core/evaluation-report/report.ts';
import { type KeptReport, readShelf, type TextStorage, writeShelf } from './report-shelf.ts';

const REPORT: EvaluationReport = {
  version: 2,
  model: 'tiny',
  seed: 1,
  backend: 'wasm',
  commit: null,
  suites: [],
};
const kept = (id: string): KeptReport => ({ id, name: `Report ${id}`, isComplete: true, report: REPORT });

function storageOf(text: string | null, mostCharacters = Infinity): TextStorage & { text: string | null } {
  return {
    text,
    getItem() {
      return this.text;
    },
    setItem(_, value) {
      if (value.length > mostCharacters) throw new DOMException('Full.', 'QuotaExceededError');
      this.text = value;
    },
  };
}

it('brings reports back', () => {
  const storage = storageOf(null);
  expect(writeShelf([kept('b'), kept('a')], storage)).toBe(2);
  expect(readShelf(storage)).toEqual([kept('b'), kept('a')]);
});

it('leaves out the oldest where space is short, and says how many it kept', () => {
  const one = JSON.stringify([kept('c')]).length;
  const storage = storageOf(null);
  expect(writeShelf([kept('c'), kept('b'), kept('a')], storage, 2 * one)).toBe(2);
  const full = storageOf(null, one);
  expect(writeShelf([kept('c'), kept('b'), kept('a')], full)).toBe(1);
  expect(readShelf(full)).toEqual([kept('c')]);
  expect(writeShelf([kept('a')], storageOf(null, 0))).toBe(0);
});

it.each([null, '{', 'null', '[1]', '[{"id":"a"}]', '[{"id":"a","name":"b","isComplete":true,"report":{}}]'])(
  'reads nothing out of %s',
  (text) => {
    expect(readShelf(storageOf(text))).toEqual([]);
  },
);
