/** Why a `.ctx` archive could not be read: which file in it, at which byte, and what was kept. */

export type CtxErrorCode =
  | 'not-an-archive'
  | 'missing-file'
  | 'unknown-file'
  | 'compressed'
  | 'bad-header'
  | 'future-version'
  | 'bad-metadata'
  | 'sizes-disagree'
  | 'bad-tokens'
  | 'bad-gists'
  | 'damaged';

export class CtxError extends Error {
  override readonly name = 'CtxError';
  constructor(
    readonly code: CtxErrorCode,
    /** The file within the archive, or the archive itself. */
    readonly file: string,
    /** Byte in that file; null where the fault is the file as a whole. */
    readonly byteOffset: number | null,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${file}${byteOffset === null ? '' : `, byte ${byteOffset}`}: ${message}`, options);
  }
}
