/** How a model wants its chat to be written: plain pieces around messages. Where they come from is said elsewhere. */

/** The texts around messages; all of them may be empty. */
export interface ChatPieces {
  /** Written once, where a history begins: a system message. */
  readonly opening: string;
  /** Before a question; begins where an answer's stop text ended. */
  readonly userPrefix: string;
  readonly userSuffix: string;
  readonly assistantPrefix: string;
  /** Any of them ends an answer. */
  readonly stop: readonly string[];
}

/** For a base without a template: the plain form that small bases read best. */
export const PLAIN_CHAT: ChatPieces = {
  opening: '',
  userPrefix: '\nQuestion: ',
  userSuffix: '\n',
  assistantPrefix: 'Answer:',
  stop: ['\n'],
};

/** How a base wants its chat to be written. */
export interface ChatTemplate {
  /**
   * @param systemText - instead of the template's own system message; '' takes that out.
   * @throws {WeightError} if the template takes no system text.
   */
  pieces(systemText?: string): ChatPieces;
}

/** Fixed texts around messages; a system text stands on lines of its own before them. */
export function fixedChat(pieces: ChatPieces): ChatTemplate {
  return {
    pieces: (systemText = '') => (systemText === '' ? pieces : { ...pieces, opening: `${systemText}\n` }),
  };
}
