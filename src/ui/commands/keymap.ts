/** From key events to commands. Pure but for the listener at the end. */
import type { CommandEntry, Commands } from './commands.ts';

interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** The chord of a key press as commands write it. */
export function chordOf({ key, shiftKey, ctrlKey, metaKey }: KeyPress): string {
  const name = key === ' ' ? 'Space' : key;
  const letter = /^[a-z]$/i.test(name);
  const named = name.length > 1 && name !== 'Space';
  const shift = shiftKey && (letter || named) ? 'Shift+' : '';
  const mod = ctrlKey || metaKey ? 'Mod+' : '';
  const cased = shiftKey ? name.toUpperCase() : name.toLowerCase();
  return `${mod}${shift}${letter ? cased : name}`;
}

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
  return commands.ofChord(chordOf(press));
}

/** Listen for keys; returns a function that stops. */
export function listenForKeys(commands: Commands): () => void {
  const listener = (event: KeyboardEvent) => {
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

/** A chord as keycaps show it. */
export function chordWords(chord: string): string[] {
  return chord.split('+').map((part) => SYMBOLS[part] ?? (part.length === 1 ? part.toUpperCase() : part));
}
