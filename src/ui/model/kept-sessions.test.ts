/** Sessions that the browser cleared are missed; those that their owner deleted are not. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { BootReport, SessionRecord } from '../../runtime/engine/protocol/protocol.ts';
import { watchForEviction } from './kept-sessions.ts';
import { Problems } from './problems.ts';
import { createSessionMirror } from './session.ts';

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A visit of the page, which finds these sessions and then lists them anew at every change. */
function visit(kind: 'indexeddb' | 'memory', ...lists: readonly number[]): readonly string[] {
  const mirror = createSessionMirror();
  const problems = new Problems();
  const stop = watchForEviction({ mirror, problems });
  mirror.setState({ boot: { storage: { kind, reason: '' } } as BootReport });
  for (const count of lists) {
    mirror.setState({ sessions: Array.from({ length: count }, () => ({}) as SessionRecord) });
  }
  stop();
  return problems.store.getState().problems.map(({ message }) => message.split('.')[0]!);
}

it('misses what was there at the visit before', () => {
  expect(visit('indexeddb', 0, 1, 2)).toEqual([]);
  expect(visit('indexeddb', 2)).toEqual([]);
  expect(visit('indexeddb', 0)).toEqual([
    'The 2 sessions that this browser kept are gone, and so are models that were fetched',
  ]);
  expect(visit('indexeddb', 0)).toEqual([]);
});

it('does not miss what was deleted, or what never was to be kept', () => {
  expect(visit('indexeddb', 1, 0)).toEqual([]);
  expect(visit('indexeddb', 0)).toEqual([]);
  expect(visit('memory', 3)).toEqual([]);
  expect(visit('indexeddb', 0)).toEqual([]);
});

it('says nothing of sessions that storage cannot be asked for', () => {
  visit('indexeddb', 2);
  expect(visit('memory', 0)).toEqual([]);
  expect(visit('indexeddb', 2)).toEqual([]);
});
