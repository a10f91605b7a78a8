/** For forms whose start is costly: Enter in a field ends the editing of that field alone. */
import type { KeyboardEvent } from 'react';

/** As the form's `onKeyDown`: only its button submits it, so that several fields can be filled one by one. */
export function holdEnter(event: Pick<KeyboardEvent, 'key' | 'target' | 'preventDefault'>): void {
  const { tagName } = event.target as Element;
  if (event.key === 'Enter' && tagName !== 'BUTTON') event.preventDefault();
}
