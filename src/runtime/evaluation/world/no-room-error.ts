/** What cannot be told in so few tokens, or asked of one history. The message says what; who asked adds the remedy. */
export class NoRoomError extends RangeError {
  override readonly name = 'NoRoomError';
}
