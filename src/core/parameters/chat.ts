/** How a conversation is written for the base. */

/** The system text that asks for none at all, where the empty one asks for the model's own. */
export const NO_SYSTEM_TEXT = '-';

/** How a question is put to the base. */
export const PROMPT_FORMATS = ['chat', 'completion'] as const;

export const CHAT = {
  promptFormat: {
    kind: 'choice',
    choices: PROMPT_FORMATS,
    default: 'chat',
    label: 'Prompt format',
    unit: '',
    sentence:
      'How a question is put to the base. chat: in the model’s chat template. completion: as plain text that goes on, “Question: … Answer:”, where an answer ends with its line; a small base answers so in fewer words. What is asked next is written in the new way, what was asked before stays as it is.',
    definition: 'chat-template',
    affects: ['answer'],
    inManifest: 'optional',
  },
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
