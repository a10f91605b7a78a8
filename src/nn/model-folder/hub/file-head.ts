/** The beginning of a file on a server, as if it were the file: enough to read a header from. */
import { ModelSourceError } from '../errors.ts';
import type { FileBytes } from '../file-bytes.ts';

/** A vocabulary of 128,000 tokens with its merges takes 8 MB. */
const HEAD_BYTES = 16 * 2 ** 20;

/**
 * @param fileBytes - the whole file's length, as the hub states it.
 * @throws {ModelSourceError} if the server does not give it.
 */
export async function fetchHead(url: string, file: string, fileBytes: number): Promise<FileBytes> {
  const wanted = Math.min(fileBytes, HEAD_BYTES);
  const stop = new AbortController();
  let response: Response;
  try {
    response = await fetch(url, { headers: { Range: `bytes=0-${wanted - 1}` }, signal: stop.signal });
  } catch (error) {
    throw new ModelSourceError(file, 'network', 'its beginning could not be fetched', { cause: error });
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new ModelSourceError(file, 'network', `the server answered ${response.status}`);
  }
  const head = new Uint8Array(wanted);
  let at = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    head.set(part.value.subarray(0, wanted - at), at);
    at += Math.min(part.value.byteLength, wanted - at);
    // A server that knows no ranges sends the whole file.
    if (at === wanted) break;
  }
  stop.abort();
  return new Head(file, head.buffer.slice(0, at), fileBytes);
}

class Head implements FileBytes {
  constructor(
    private readonly file: string,
    private readonly head: ArrayBuffer,
    readonly byteLength: number,
  ) {}

  slice(start: number, end = this.byteLength): ArrayBuffer {
    if (start >= this.head.byteLength && end > start) {
      const what = `its header is longer than the ${this.head.byteLength} bytes that were looked at`;
      throw new ModelSourceError(this.file, 'truncated', what);
    }
    return this.head.slice(start, end);
  }
}
