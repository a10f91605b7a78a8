/** The lines of a file, one after the other, with the bytes that each takes: any of them can be read again alone. */

export interface FileLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Bytes `[start, end)` of the file, without the line's end. */
  readonly start: number;
  readonly end: number;
  /** False for a last line whose writer did not come to its end. */
  readonly isWhole: boolean;
}

const NEWLINE = 10;

/** Blank lines are left out, but counted. */
export async function* fileLines(file: Blob): AsyncGenerator<FileLine> {
  const reader = file.stream().getReader();
  let parts: Uint8Array[] = [];
  let number = 0;
  let start = 0;
  let read = 0;
  const lineTo = (end: number, isWhole: boolean): FileLine[] => {
    const decoder = new TextDecoder();
    const text = parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
    const line = { number: ++number, text, start, end, isWhole };
    parts = [];
    start = end + 1;
    return text.trim() === '' ? [] : [line];
  };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      let from = 0;
      for (let at = value.indexOf(NEWLINE); at >= 0; at = value.indexOf(NEWLINE, from)) {
        parts.push(value.subarray(from, at));
        from = at + 1;
        yield* lineTo(read + at, true);
      }
      parts.push(value.subarray(from));
      read += value.length;
    }
    if (read > start) yield* lineTo(read, false);
  } finally {
    await reader.cancel();
  }
}
