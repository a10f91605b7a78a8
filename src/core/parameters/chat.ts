/** How a conversation is written for the base. */

/** The system text that asks for none at all, where the empty one asks for the model's own. */
export const NO_SYSTEM_TEXT = '-';

export const CHAT = {
  systemText: {
    kind: 'text',
    label: 'System text',
    unit: '',
    maxCharacters: 8000,
    sentence:
      'What the model is told before anything else, written as its chat template wants it; empty: the template’s own, a single “-”: none. It stands at the history’s beginning and is kept raw; one that is changed later is written before the next question.',
    definition: 'chat-template',
    affects: ['answer'],
  },
  stopTexts: {
    kind: 'text',
    label: 'Stop texts',
    unit: '',
    maxCharacters: 512,
    sentence:
      'An answer ends before the first of these, one a line, a line break written \\n; empty: the model’s own.',
    definition: 'chat-template',
    affects: ['answer'],
  },
} as const;
