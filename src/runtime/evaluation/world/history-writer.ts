/**
 * Writes one history as tokens: filler sentences in paragraphs, and facts at given places whose spans it records.
 * The form is that of the training documents (training/data/document_writer.py).
 */
import { K } from '../../../core/tree/ids.ts';
import type { Rng } from '../../../base/rng.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import { type Chronicler, pick } from './chronicler.ts';
import { NoRoomError } from './no-room-error.ts';
import { fill, type Statement } from './world.ts';

/** Tokens `start..end-1`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A fact and where it is to be said. */
export interface PlannedFact {
  readonly statement: Statement;
  /** The fact is the next sentence once the history is this long. */
  readonly atToken: number;
  /** A block's edge falls into the fact's span. */
  readonly isStraddling?: boolean;
}

export interface WrittenHistory {
  /** Exactly as many as asked for; the last sentence is cut off there. */
  readonly ids: Uint32Array;
  /** By planned fact: from the statement's first token to the last one of its keys and value. */
  readonly spans: ReadonlyMap<Statement, Span>;
}

export interface HistoryPlan {
  readonly tokens: number;
  readonly facts: readonly PlannedFact[];
  /** Who leads in to facts. */
  readonly chronicler: Chronicler;
  /** One sentence that states no fact; absent: the chronicler's. */
  readonly filler?: () => string;
  /** A fact that nobody asks for instead of a filler sentence; null where the history has none. */
  readonly distractor: (() => Statement) | null;
  /** Share of sentences that are such facts. */
  readonly distractorShare: number;
}

/** Encodes text word by word, which gives the same tokens wherever a tokenizer splits at spaces first. */
export class WordEncoder {
  private readonly words = new Map<string, Uint32Array>();

  constructor(private readonly tokenizer: Tokenizer) {}

  encode(text: string): number[] {
    const ids: number[] = [];
    for (const word of text.match(/ ?[^ ]+/g) ?? []) {
      let known = this.words.get(word);
      if (known === undefined) this.words.set(word, (known = this.tokenizer.encode(word)));
      ids.push(...known);
    }
    return ids;
  }
}

const BARE_LEAD_SHARE = 0.5;
const TAIL_SHARE = 0.4;
/** Filler sentences tried, at most, to put a fact across a block's edge. */
const STRADDLE_ATTEMPTS = 400;

/** @throws {NoRoomError} if no place straddles. */
export function writeHistory(plan: HistoryPlan, encoder: WordEncoder, rng: Rng): WrittenHistory {
  const filler = plan.filler ?? (() => plan.chronicler.filler());
  const writer = new Writer(plan.chronicler, filler, encoder, rng);
  const facts = [...plan.facts].sort((a, b) => a.atToken - b.atToken);
  const spans = new Map<Statement, Span>();
  for (const fact of facts) {
    while (writer.length < fact.atToken) writer.padding(plan);
    const span = fact.isStraddling === true ? writer.straddling(fact.statement) : writer.fact(fact.statement);
    spans.set(fact.statement, span);
  }
  while (writer.length < plan.tokens) writer.padding(plan);
  return { ids: writer.ids(plan.tokens), spans };
}

/** One of the forms of a statement, filled. */
interface SpokenForm {
  /** Up to the last one of its keys and value. */
  readonly needed: string;
  readonly rest: string;
  readonly opensWithValue: boolean;
}

class Writer {
  private readonly tokens: number[] = [];
  private opensParagraph = true;
  private sentencesLeft = 4;
  private readonly breakIds: readonly number[];

  constructor(
    private readonly chronicler: Chronicler,
    private readonly filler: () => string,
    private readonly encoder: WordEncoder,
    private readonly rng: Rng,
  ) {
    this.breakIds = [...encoder.encode('\n'), ...encoder.encode('\n')];
  }

  get length(): number {
    return this.tokens.length;
  }

  ids(count: number): Uint32Array {
    return Uint32Array.from(this.tokens.slice(0, count));
  }

  padding({ distractor, distractorShare }: HistoryPlan): void {
    if (distractor !== null && this.rng.nextFloat() < distractorShare) this.fact(distractor());
    else this.sentence(this.filler());
  }

  fact(statement: Statement): Span {
    const form = this.formOf(statement);
    return this.say(form, this.lead(form));
  }

  /** Filler until a lead-in can be found that puts a block's edge into the fact. */
  straddling(statement: Statement): Span {
    const form = this.formOf(statement);
    const clause = this.encoder.encode(` ${form.needed}`).length;
    for (let attempt = 0; attempt < STRADDLE_ATTEMPTS; attempt++) {
      const lead = this.lead(form);
      const start = this.length + this.encoded(lead).length;
      if (Math.floor(start / K) !== Math.floor((start + clause - 1) / K)) return this.say(form, lead);
      if (attempt % 10 === 9) this.sentence(this.filler());
    }
    throw new NoRoomError('No place was found where a fact lies across the edge of a block.');
  }

  private formOf({ relation, a, b, value }: Statement): SpokenForm {
    const { statements } = relation;
    const form = statements.length === 1 ? statements[0]! : pick(statements, this.rng);
    const end = form.lastIndexOf('}') + 1;
    const [needed, rest] = [form.slice(0, end), form.slice(end)].map((part) =>
      fill(part, a, b).replace('{value}', value),
    );
    return { needed: needed!, rest: rest!, opensWithValue: form.startsWith('{value}') };
  }

  private lead({ opensWithValue }: SpokenForm): string {
    // At a paragraph's start there is no leading space, and a key there would be another token; so would be a value
    // with a capital.
    const isBare = !this.opensParagraph && this.rng.nextFloat() < BARE_LEAD_SHARE && !opensWithValue;
    return isBare ? '' : this.chronicler.leadIn();
  }

  private say({ needed, rest }: SpokenForm, lead: string): Span {
    const text = lead === '' ? needed.charAt(0).toUpperCase() + needed.slice(1) : needed;
    this.tokens.push(...this.encoded(lead));
    const start = this.length;
    this.tokens.push(...this.encoder.encode(` ${text}`));
    const end = this.length;
    const tail = this.rng.nextFloat() < TAIL_SHARE ? this.chronicler.tail() : '';
    if (rest !== '') this.tokens.push(...this.encoder.encode(rest));
    this.tokens.push(...this.encoder.encode(`${tail}.`));
    this.endSentence();
    return { start, end };
  }

  private sentence(text: string): void {
    this.tokens.push(...this.encoded(text));
    this.endSentence();
  }

  private encoded(text: string): number[] {
    return text === '' ? [] : this.encoder.encode(this.opensParagraph ? text : ` ${text}`);
  }

  private endSentence(): void {
    this.opensParagraph = false;
    if (--this.sentencesLeft >= 0) return;
    this.tokens.push(...this.breakIds);
    this.opensParagraph = true;
    this.sentencesLeft = 3 + this.rng.nextInt(5);
  }
}
