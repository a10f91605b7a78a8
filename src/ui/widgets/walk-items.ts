/** Up, Down, Home and End move the focus along a list of elements. */
import type { KeyboardEvent } from 'react';

/** @returns whether the key was for the list; it is taken then. */
export function walkItems(event: KeyboardEvent, items: readonly HTMLElement[]): boolean {
  if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
  const at = items.indexOf(document.activeElement as HTMLElement);
  const wanted = { ArrowDown: at + 1, ArrowUp: Math.max(at - 1, 0), Home: 0, End: items.length - 1 }[
    event.key
  ];
  if (wanted === undefined) return false;
  items[Math.min(wanted, items.length - 1)]?.focus();
  event.preventDefault();
  event.stopPropagation();
  return true;
}
