/** Text to token ids and back, for byte-level BPE tokenizers in Hugging Face's `tokenizer.json`. */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { WeightError } from './errors.ts';
import { refuseSlowPatterns } from './untrusted-patterns.ts';

const preTokenizerSchema = z.looseObject({
  type: z.string(),
  add_prefix_space: z.boolean().optional(),
  use_regex: z.boolean().optional(),
  pattern: z.looseObject({ Regex: z.string().optional() }).optional(),
});

const tokenizerSchema = z.looseObject({
  model: z.looseObject({ type: z.literal('BPE'), vocab: z.record(z.string(), z.number().int().min(0)) }),
  normalizer: z.unknown(),
  pre_tokenizer: z.looseObject({
    ...preTokenizerSchema.shape,
    pretokenizers: z.array(preTokenizerSchema).optional(),
  }),
  added_tokens: z.array(
    z.looseObject({
      id: z.number().int().min(0),
      content: z.string().min(1),
      lstrip: z.boolean().optional(),
      rstrip: z.boolean().optional(),
    }),
  ),
});
type TokenizerFile = z.infer<typeof tokenizerSchema>;
type ControlToken = TokenizerFile['added_tokens'][number];

const MAX_VOCABULARY = 1_048_576;
/** Texts are encoded in pieces of about this length, cut only where a cut cannot change an id. */
const PIECE_CHARACTERS = 16_384;
const REPLACEMENT = '\uFFFD';

export interface Tokenizer {
  readonly vocabularySize: number;
  /** A text of unknown origin: whatever it spells, no control token comes of it. */
  encode(text: string): Uint32Array;
  /**
   * A text within a chat template's own words, which may spell control tokens. Words of both that touch are encoded
   * as one.
   */
  encodeTemplate(prefix: string, text?: string, suffix?: string): Uint32Array;
  decode(ids: ArrayLike<number>): string;
  /** The bytes of one token as text; incomplete UTF-8 gives U+FFFD. */
  tokenText(id: number): string;
  /** Decodes a stream: returns the text that became complete, holding back incomplete UTF-8. */
  createStreamDecoder(): { push(id: number): string; flush(): string };
}

/**
 * @param tokenizerJson - the parsed `tokenizer.json`.
 * @param tokenizerConfig - the parsed `tokenizer_config.json`.
 * @param file - named in errors.
 * @throws {WeightError} if the file is not a byte-level BPE tokenizer.
 */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown, file: string): Tokenizer {
  const parsed = tokenizerSchema.safeParse(tokenizerJson, IN_WORDS);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new WeightError(file, null, `${issue.path.join('.')}: ${issue.message}`);
  }
  if (!preTokenizersOf(parsed.data).some(({ type }) => type === 'ByteLevel')) {
    throw new WeightError(file, null, 'only byte-level BPE tokenizers are supported');
  }
  refuseSlowPatterns({ ...parsed.data, model: null, added_tokens: null }, file);
  try {
    return new ByteLevelTokenizer(parsed.data, tokenizerConfig as object, file);
  } catch (error) {
    if (error instanceof WeightError) throw error;
    const what = error instanceof Error ? error.message : String(error);
    throw new WeightError(file, null, `not a usable tokenizer: ${what}`, { cause: error });
  }
}

class ByteLevelTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  private readonly huggingFace: HuggingFaceTokenizer;
  /** Per id the bytes it stands for; undefined for ids that are not in the vocabulary. */
  private readonly bytes: (Uint8Array | undefined)[] = [];
  private readonly canSplit: boolean;
  /** Added tokens that are no mere white space, the longest first. */
  private readonly controlTokens: readonly ControlToken[];

  constructor(data: TokenizerFile, config: object, file: string) {
    const tokensOfText = data.added_tokens.filter(({ content }) => content.trim() === '');
    const dataOfText = { ...data, added_tokens: tokensOfText };
    this.huggingFace = new HuggingFaceTokenizer(withUnicodeSpaces(dataOfText), config);
    this.canSplit = mayCutBeforeNewline(dataOfText);
    this.controlTokens = data.added_tokens
      .filter(({ content }) => content.trim() !== '')
      .sort((a, b) => b.content.length - a.content.length);
    const encoder = new TextEncoder();
    const keep = (id: number, bytes: Uint8Array): void => {
      if (id >= MAX_VOCABULARY) throw new WeightError(file, null, `token id ${id} is over ${MAX_VOCABULARY}`);
      this.bytes[id] = bytes;
    };
    for (const [token, id] of Object.entries(data.model.vocab)) keep(id, bytesOfToken(token));
    for (const { id, content } of data.added_tokens) keep(id, encoder.encode(content));
    this.vocabularySize = this.bytes.length;
  }

  encode(text: string): Uint32Array {
    const ids: number[] = [];
    this.encodeInto(ids, text);
    return Uint32Array.from(ids);
  }

  encodeTemplate(prefix: string, text = '', suffix = ''): Uint32Array {
    const ids: number[] = [];
    let words = '';
    for (const part of [...this.partsOf(prefix), text, ...this.partsOf(suffix)]) {
      if (typeof part === 'string') words += part;
      else {
        this.encodeInto(ids, words);
        words = '';
        ids.push(part.id);
      }
    }
    this.encodeInto(ids, words);
    return Uint32Array.from(ids);
  }

  private encodeInto(ids: number[], text: string): void {
    for (const piece of this.canSplit ? piecesOf(text) : [text]) {
      for (const id of this.huggingFace.encode(piece, { add_special_tokens: false }).ids) ids.push(id);
    }
  }

  /** The words of a template and the control tokens between them. */
  private *partsOf(template: string): Generator<string | ControlToken> {
    let rest = template;
    while (rest !== '') {
      let at = Infinity;
      let found: ControlToken | null = null;
      for (const token of this.controlTokens) {
        const index = rest.indexOf(token.content);
        // The first one counts; of two that begin there, the longer.
        if (index >= 0 && index < at) [at, found] = [index, token];
      }
      if (found === null) break;
      const before = rest.slice(0, at);
      yield found.lstrip === true ? before.trimEnd() : before;
      yield found;
      rest = rest.slice(at + found.content.length);
      if (found.rstrip === true) rest = rest.trimStart();
    }
    yield rest;
  }

  decode(ids: ArrayLike<number>): string {
    const decoder = new Utf8Decoder();
    let text = '';
    for (let i = 0; i < ids.length; i++) text += decoder.push(this.bytesOf(ids[i]!));
    return text + decoder.flush();
  }

  tokenText(id: number): string {
    return this.decode([id]);
  }

  createStreamDecoder(): { push(id: number): string; flush(): string } {
    const decoder = new Utf8Decoder();
    return { push: (id) => decoder.push(this.bytesOf(id)), flush: () => decoder.flush() };
  }

  private bytesOf(id: number): Uint8Array {
    return this.bytes[id] ?? new TextEncoder().encode(REPLACEMENT);
  }
}

/** Streams UTF-8 and leaves a byte-order mark alone, which is text here. */
class Utf8Decoder {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  push(bytes: Uint8Array): string {
    return this.decoder.decode(bytes, { stream: true });
  }

  flush(): string {
    return this.decoder.decode();
  }
}

function preTokenizersOf(data: TokenizerFile): z.infer<typeof preTokenizerSchema>[] {
  const { pre_tokenizer: pre } = data;
  return pre.type === 'Sequence' ? (pre.pretokenizers ?? []) : [pre];
}

/** What GPT-2's `use_regex` stands for. */
const BYTE_LEVEL_PATTERN = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/**
 * The same tokenizer with white space as Unicode and the original implementation have it. JavaScript's `\s` takes
 * U+FEFF for white space and U+0085 for none, which gives other ids.
 */
function withUnicodeSpaces(data: TokenizerFile): TokenizerFile {
  const pretokenizers = preTokenizersOf(data).flatMap((pre) => {
    const isPattern = pre.type === 'ByteLevel' && pre.use_regex !== false && pre.add_prefix_space === false;
    if (isPattern) {
      const pattern = { Regex: unicodeSpaces(BYTE_LEVEL_PATTERN) };
      return [
        { type: 'Split', pattern, behavior: 'Isolated', invert: false },
        { ...pre, use_regex: false },
      ];
    }
    const regex = pre.type === 'Split' ? pre.pattern?.Regex : undefined;
    return [regex === undefined ? pre : { ...pre, pattern: { Regex: unicodeSpaces(regex) } }];
  });
  return { ...data, pre_tokenizer: { type: 'Sequence', pretokenizers } };
}

function unicodeSpaces(pattern: string): string {
  return pattern.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}');
}

/**
 * Whether a text may be cut between a character that is not white space and a line feed. In GPT-2's pattern
 * no match contains both: words, numbers and punctuation hold no white space, and white space is matched
 * with a look-ahead only, which never reaches back over a cut that follows a non-space.
 */
function mayCutBeforeNewline(data: TokenizerFile): boolean {
  const isPlain = preTokenizersOf(data).every(
    ({ type, add_prefix_space: prefix, use_regex: regex }) =>
      type === 'Digits' || (type === 'ByteLevel' && prefix === false && regex !== false),
  );
  const tokensStayWhole = data.added_tokens.every(
    ({ content, lstrip, rstrip }) => !content.includes('\n') && lstrip !== true && rstrip !== true,
  );
  return isPlain && tokensStayWhole && (data.normalizer === null || data.normalizer === undefined);
}

/** The text in pieces of at least PIECE_CHARACTERS, each cut before a line feed that follows a non-space. */
function* piecesOf(text: string): Generator<string> {
  let start = 0;
  while (text.length - start > PIECE_CHARACTERS) {
    let cut = text.indexOf('\n', start + PIECE_CHARACTERS);
    while (cut !== -1 && /\p{White_Space}/u.test(text[cut - 1]!)) cut = text.indexOf('\n', cut + 1);
    if (cut === -1) break;
    yield text.slice(start, cut);
    start = cut;
  }
  yield text.slice(start);
}

/** GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes for U+0100 and up, in order. */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  const map = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    map.set(String.fromCharCode(isPrintable(byte) ? byte : next++), byte);
  }
  return map;
})();

/** Characters outside the alphabet can only come from tokens added by hand: they stand for themselves. */
function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
