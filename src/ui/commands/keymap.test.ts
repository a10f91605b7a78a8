import { describe, expect, it } from 'vitest';
import { belongsToFocus, chordOf, chordWords, keepCompositionKeys } from './keymap.ts';

const press = (
  key: string,
  held: Partial<Record<'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey', boolean>> = {},
) => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

/** An element that matches selectors naming its tag. */
const focusOn = (tag: string) => ({
  closest: (selector: string) => (selector.split(/[ ,:]+/).includes(tag) ? ({} as Element) : null),
});

describe('keys', () => {
  it('names chords whatever the caps lock says', () => {
    expect(chordOf(press(' '))).toBe('Space');
    expect(chordOf(press('ArrowLeft', { shiftKey: true }))).toBe('Shift+ArrowLeft');
    expect(chordOf(press('W', { shiftKey: true }))).toBe('Shift+W');
    expect(chordOf(press('W'))).toBe('w');
    expect(chordOf(press('w', { shiftKey: true }))).toBe('Shift+W');
    expect(chordOf(press('?', { shiftKey: true }))).toBe('?');
    expect(chordOf(press('k', { metaKey: true }))).toBe('Mod+k');
    // Where the slash stands on the shifted seven.
    expect(chordOf(press('/', { shiftKey: true }))).toBe('/');
  });

  it('never fires while typing, and leaves a control its own keys', () => {
    expect(belongsToFocus(press('w'), focusOn('textarea'))).toBe(true);
    expect(belongsToFocus(press('k', { ctrlKey: true }), focusOn('textarea'))).toBe(false);
    expect(belongsToFocus(press('Z', { ctrlKey: true, shiftKey: true }), focusOn('textarea'))).toBe(true);
    expect(belongsToFocus(press('z', { ctrlKey: true }), focusOn('button'))).toBe(false);
    expect(belongsToFocus(press(' '), focusOn('button'))).toBe(true);
    expect(belongsToFocus(press('w'), focusOn('button'))).toBe(false);
    expect(belongsToFocus(press('w'), null)).toBe(false);
  });

  it('never reach the page from an input method, in the order of any browser', () => {
    const page = new EventTarget();
    const stop = keepCompositionKeys(page);
    const heard: string[] = [];
    page.addEventListener('keydown', (event) => heard.push((event as KeyboardEvent).key));
    const dispatch = (key: string, isComposing: boolean, keyCode: number) =>
      page.dispatchEvent(Object.assign(new Event('keydown'), { key, isComposing, keyCode }));
    dispatch('Enter', true, 229); // Chrome, Firefox
    dispatch('Enter', true, 13);
    dispatch('Enter', false, 229); // Safari, after compositionend
    dispatch('Escape', false, 229);
    expect(heard).toEqual([]);
    dispatch('Enter', false, 13);
    expect(heard).toEqual(['Enter']);
    stop();
    dispatch('Escape', false, 229);
    expect(heard).toEqual(['Enter', 'Escape']);
  });

  it('shows chords as keycaps', () => {
    expect(chordWords('Shift+ArrowLeft')).toEqual(['⇧', '←']);
    expect(chordWords('w')).toEqual(['W']);
  });
});
