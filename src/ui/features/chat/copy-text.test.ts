import { expect, it } from 'vitest';
import { chatAsText } from './copy-text.tsx';

it('copies a conversation without a word of the page’s own', () => {
  const message = { id: 'm', start: 0, end: 3, createdAt: 0, ending: 'cut' } as const;
  const text = chatAsText([
    { ...message, role: 'user', text: ' Who keeps the light?\n' },
    { ...message, role: 'assistant', text: ' Mara **does**.' },
  ]);
  expect(text).toBe('You: Who keeps the light?\n\nModel: Mara **does**.');
});
