/** From key events to commands. Pure but for the listener at the end. */
import type { CommandEntry, Commands } from './commands.ts';
import type { KeyboardLabels } from './keyboard-labels.ts';

interface KeyPress {
  readonly key: string;
  /** Of the key's place, as `KeyW`; absent or empty where the device tells none. */
  readonly code?: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/**
 * The chords that a key press may mean, likeliest first, as commands write them. A key without Ctrl or Cmd is meant
 * by its place: commands name it as a US keyboard does, so that W, A, S and D stay together on every layout and no
 * two commands meet on one key. With Ctrl or Cmd the letter counts, as in every program; where the layout writes no
 * Latin letters, the place does.
 */
export function chordsOf(press: KeyPress): readonly string[] {
  const placed = US_KEYS[press.code ?? ''];
  const byKey = chordOf(press);
  const isShiftedSymbol = press.shiftKey && placed !== undefined && !/[a-z]/.test(placed);
  if (placed === undefined || isShiftedSymbol) return [byKey];
  // An event's fields are its prototype's: spread, it would be empty.
  const { shiftKey, ctrlKey, metaKey, altKey } = press;
  const byPlace = chordOf({ key: placed, shiftKey, ctrlKey, metaKey, altKey });
  const isByPlace = !(ctrlKey || metaKey) || !/^[ -~]+$/.test(press.key);
  return isByPlace ? [byPlace, byKey] : [byKey];
}

function chordOf({ key, shiftKey, ctrlKey, metaKey }: KeyPress): string {
  const name = key === ' ' ? 'Space' : key;
  const letter = /^[a-z]$/i.test(name);
  const named = name.length > 1 && name !== 'Space';
  const shift = shiftKey && (letter || named) ? 'Shift+' : '';
  const mod = ctrlKey || metaKey ? 'Mod+' : '';
  const cased = shiftKey ? name.toUpperCase() : name.toLowerCase();
  return `${mod}${shift}${letter ? cased : name}`;
}

/** What a US keyboard writes at the places that shortcuts use, by `KeyboardEvent.code`. `/` and `?` are meant by sign. */
const US_KEYS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => [`Key${letter.toUpperCase()}`, letter]),
  ),
  ...Object.fromEntries(Array.from('0123456789', (digit) => [`Digit${digit}`, digit])),
  Comma: ',',
  Period: '.',
  BracketLeft: '[',
  BracketRight: ']',
};
const CODES = new Map(Object.entries(US_KEYS).map(([code, key]) => [key, code]));

const TYPING =
  'input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]';
/** Keys that a focused control uses itself. */
const OWN_KEYS =
  'button, a, summary, [role=tab], [role=separator], [role=menuitem], [role=tree], input[type=range], dialog';

/** With Ctrl or Cmd, what a text field does itself: undo and redo. */
const EDITING_KEYS = ['z', 'y'];

/** Of a key that went to an input method, in every browser. */
const COMPOSITION_KEY_CODE = 229;

/** `keyCode` is deprecated; for this one question nothing else is told. */
type CompositionKey = Event & { readonly isComposing?: boolean; readonly keyCode?: number };

/** True if a key press belongs to whatever has the focus. */
export function belongsToFocus(press: KeyPress, target: Pick<Element, 'closest'> | null): boolean {
  if (!target) return false;
  if (target.closest(TYPING)) {
    return !(press.ctrlKey || press.metaKey) || EDITING_KEYS.includes(press.key.toLowerCase());
  }
  if (!target.closest(OWN_KEYS)) return false;
  return (
    press.key === ' ' ||
    press.key === 'Enter' ||
    press.key.startsWith('Arrow') ||
    press.key === 'Home' ||
    press.key === 'End' ||
    (press.key === 'Escape' && target.closest('dialog') !== null)
  );
}

/**
 * Keep the keys of an input method from everything on the page: the Enter that takes a word over must not send it,
 * nor Escape close a dialog. Safari ends the composition before the key that ended it, which then has the code 229
 * alone to tell. Returns a function that stops.
 */
export function keepCompositionKeys(page: EventTarget): () => void {
  const listener = (event: Event) => {
    const { isComposing, keyCode } = event as CompositionKey;
    if (isComposing || keyCode === COMPOSITION_KEY_CODE) event.stopImmediatePropagation();
  };
  for (const type of ['keydown', 'keyup']) page.addEventListener(type, listener, { capture: true });
  return () => {
    for (const type of ['keydown', 'keyup']) page.removeEventListener(type, listener, { capture: true });
  };
}

/** The command of a key press, unless the press belongs to whatever has the focus. */
export function commandOfPress(
  press: KeyPress,
  target: Pick<Element, 'closest'> | null,
  commands: Pick<Commands, 'ofChord'>,
): CommandEntry | undefined {
  if (press.altKey || belongsToFocus(press, target)) return undefined;
  return commandMeant(press, commands);
}

/** The command that a key press means, whatever has the focus. */
export function commandMeant(press: KeyPress, commands: Pick<Commands, 'ofChord'>): CommandEntry | undefined {
  for (const chord of chordsOf(press)) {
    const command = commands.ofChord(chord);
    if (command) return command;
  }
  return undefined;
}

/** Listen for keys, and learn from them what the keyboard writes; returns a function that stops. */
export function listenForKeys(commands: Commands, keyboard: KeyboardLabels): () => void {
  const listener = (event: KeyboardEvent) => {
    keyboard.learn(event);
    if (event.defaultPrevented) return;
    const command = commandOfPress(event, event.target instanceof Element ? event.target : null, commands);
    if (!command || (event.repeat && !command.repeats)) return;
    if (document.querySelector('dialog[open]') && command.group !== 'Page') return;
    event.preventDefault();
    command.run();
  };
  globalThis.addEventListener('keydown', listener);
  return () => {
    globalThis.removeEventListener('keydown', listener);
  };
}

const SYMBOLS: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  Mod: 'Ctrl',
  Shift: '⇧',
};

/**
 * A chord as the keycaps of a keyboard show it.
 *
 * @param labels - what the user's keyboard writes by `KeyboardEvent.code`, as far as known; else as on a US one.
 */
export function chordWords(chord: string, labels: ReadonlyMap<string, string> = new Map()): string[] {
  const parts = chord.split('+');
  const isByPlace = !parts.includes('Mod');
  return parts.map((part) => {
    const code = CODES.get(part.toLowerCase());
    const own = (isByPlace && code !== undefined ? labels.get(code) : undefined) ?? part;
    return SYMBOLS[part] ?? (own.length === 1 ? own.toUpperCase() : own);
  });
}
