import { expect, it } from 'vitest';
import type { SessionRecord } from '../../../runtime/engine/protocol/protocol.ts';
import { copyTitle, searchSessions, tagsOf, withTag } from './session-search.ts';

const session = (title: string, updatedAt: number, tags?: readonly string[]): SessionRecord =>
  ({ id: title, title, updatedAt, modelId: 'tiny', tags }) as unknown as SessionRecord;

const SESSIONS = [
  session('Harbour log', 1, ['prose', 'Long']),
  session('Ship’s papers', 3),
  session('Old harbour', 2, ['prose']),
];
const titles = (words: string, tag: string | null = null) =>
  searchSessions(SESSIONS, { words, tag }).map(({ title }) => title);

it('finds sessions by all words of title, tags and model, the newest change first', () => {
  expect(titles('')).toEqual(['Ship’s papers', 'Old harbour', 'Harbour log']);
  expect(titles('HARBOUR')).toEqual(['Old harbour', 'Harbour log']);
  expect(titles('harbour long')).toEqual(['Harbour log']);
  expect(titles('tiny ship')).toEqual(['Ship’s papers']);
  expect(titles('harbour ship')).toEqual([]);
});

it('finds sessions by a tag, and lists the tags in use', () => {
  expect(titles('', 'prose')).toEqual(['Old harbour', 'Harbour log']);
  expect(titles('log', 'Long')).toEqual(['Harbour log']);
  expect(tagsOf(SESSIONS)).toEqual(['Long', 'prose']);
});

it('adds a tag once, whatever its capitals', () => {
  expect(withTag(['prose'], ' notes ')).toEqual(['prose', 'notes']);
  expect(withTag(['prose'], 'Prose')).toEqual(['prose']);
  expect(withTag(['prose'], '  ')).toEqual(['prose']);
});

it('names a copy as no session is named', () => {
  expect(copyTitle('Old harbour', SESSIONS)).toBe('Old harbour, copy');
  expect(copyTitle('A', [session('A, copy', 1), session('A, copy 2', 2)])).toBe('A, copy 3');
  expect(copyTitle('x'.repeat(120), []).length).toBeLessThanOrEqual(120);
});
