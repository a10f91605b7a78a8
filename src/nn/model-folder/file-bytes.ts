/**
 * The bytes of one file, read piece by piece where they are needed, so that no large file lies in memory as a whole.
 * An `ArrayBuffer` is one.
 */
export interface FileBytes {
  readonly byteLength: number;
  /** A copy of the bytes from `start` to before `end` (the file's end where absent); owned by the caller. */
  slice(start: number, end?: number): ArrayBuffer;
}
