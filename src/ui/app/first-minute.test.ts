/** Who takes hold of the recorded example of a first visit, and who only reads beside it. */
import { parseHTML } from 'linkedom';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fakeEngine } from '../model/testing/fake-engine.ts';
import { takesHold } from './first-minute.ts';
import { createPage } from './page.ts';

const { document, Element } = parseHTML(
  '<body><div class="timeline"><i id="plot"></i></div><div class="tour"><button id="next"></button></div><textarea id="chat"></textarea></body>',
);
const { commands } = createPage(fakeEngine().port);

beforeEach(() => {
  vi.stubGlobal('Element', Element);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const holds = (type: string, id: string | null, key = ''): boolean => {
  const target = id === null ? document.body : document.getElementById(id);
  const held = { altKey: false, ctrlKey: false, metaKey: false, shiftKey: false };
  return takesHold({ type, target, key, ...held } as unknown as Event, commands);
};

it('is a hand on what shows it, or a key that moves through it', () => {
  expect(holds('pointerdown', 'plot')).toBe(true);
  expect(holds('wheel', 'plot')).toBe(true);
  expect(holds('keydown', null, 'Home')).toBe(true);
  expect(holds('keydown', 'plot', 'w')).toBe(true);
});

it('is not who reads the tour, closes it, or types', () => {
  expect(holds('pointerdown', 'next')).toBe(false);
  expect(holds('keydown', 'next', 'Enter')).toBe(false);
  expect(holds('keydown', null, 'Escape')).toBe(false);
  expect(holds('keydown', 'chat', 'w')).toBe(false);
  expect(holds('keydown', null, '?')).toBe(false);
});
