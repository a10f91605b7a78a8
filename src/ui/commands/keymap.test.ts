import { describe, expect, it } from 'vitest';
import { KeyboardLabels } from './keyboard-labels.ts';
import { belongsToFocus, chordWords, chordsOf, keepCompositionKeys } from './keymap.ts';

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

const firstChord = (pressed: Parameters<typeof chordsOf>[0]) => chordsOf(pressed)[0];

/** An element that matches selectors naming its tag. */
const focusOn = (tag: string) => ({
  closest: (selector: string) => (selector.split(/[ ,:]+/).includes(tag) ? ({} as Element) : null),
});

describe('keys', () => {
  it('names chords whatever the caps lock says', () => {
    expect(firstChord(press(' '))).toBe('Space');
    expect(firstChord(press('ArrowLeft', { shiftKey: true }))).toBe('Shift+ArrowLeft');
    expect(firstChord(press('W', { shiftKey: true }))).toBe('Shift+W');
    expect(firstChord(press('W'))).toBe('w');
    expect(firstChord(press('w', { shiftKey: true }))).toBe('Shift+W');
    expect(firstChord(press('?', { shiftKey: true }))).toBe('?');
    expect(firstChord(press('k', { metaKey: true }))).toBe('Mod+k');
    // Where the slash stands on the shifted seven.
    expect(firstChord(press('/', { shiftKey: true }))).toBe('/');
  });

  it('means a place without Ctrl, and a letter with it, on every layout', () => {
    const at = (code: string, key: string, held = {}) => chordsOf({ ...press(key, held), code });
    // AZERTY: Z and Q stand where W and A do, and A where Q does.
    expect(at('KeyW', 'z')[0]).toBe('w');
    expect(at('KeyA', 'q')[0]).toBe('a');
    expect(at('KeyQ', 'A', { shiftKey: true })[0]).toBe('Shift+Q');
    expect(at('KeyW', 'z', { ctrlKey: true })).toEqual(['Mod+z']);
    expect(at('Digit0', 'à')[0]).toBe('0');
    expect(at('Comma', '?', { shiftKey: true })).toEqual(['?']);
    expect(at('Period', '/', { shiftKey: true })).toEqual(['/']);
    // QWERTZ: the umlaut stands where the bracket does.
    expect(at('BracketLeft', 'ü')[0]).toBe('[');
    expect(at('Digit7', '/', { shiftKey: true })).toEqual(['/']);
    // Russian: no letter is a Latin one.
    expect(at('KeyF', 'а')[0]).toBe('f');
    expect(at('KeyK', 'л', { ctrlKey: true })[0]).toBe('Mod+k');
    // Dvorak: by place, and by the letter where the place means nothing.
    expect(at('Comma', 'w')).toEqual([',', 'w']);
    // A screen keyboard tells no place.
    expect(at('', 'w')).toEqual(['w']);
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
    const azerty = new Map([
      ['KeyW', 'z'],
      ['KeyZ', 'w'],
      ['BracketLeft', '^'],
    ]);
    expect(chordWords('Shift+W', azerty)).toEqual(['⇧', 'Z']);
    expect(chordWords('[', azerty)).toEqual(['^']);
    expect(chordWords('Mod+z', azerty)).toEqual(['Ctrl', 'Z']);
  });
});

it('names keys as the keyboard has them: as told, and as pressed', async () => {
  const keyboard = new KeyboardLabels();
  await keyboard.ask({});
  await keyboard.ask({ keyboard: { getLayoutMap: () => Promise.reject(new Error('no')) } });
  expect(keyboard.store.getState()).toEqual({ labels: new Map(), isComplete: false });
  keyboard.learn({ ...press('z'), code: 'KeyW' });
  keyboard.learn({ ...press('W', { shiftKey: true }), code: 'KeyZ' });
  keyboard.learn({ ...press('Dead'), code: 'BracketLeft' });
  expect(keyboard.store.getState().labels).toEqual(new Map([['KeyW', 'z']]));
  await keyboard.ask({ keyboard: { getLayoutMap: () => Promise.resolve(new Map([['KeyW', 'w']])) } });
  expect(keyboard.store.getState()).toEqual({ labels: new Map([['KeyW', 'w']]), isComplete: true });
});
