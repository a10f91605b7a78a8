/**
 * Writes one history as tokens: filler sentences in paragraphs, and facts at given places whose spans it records.
 * The form is that of the training documents (training/data/document_writer.py).
 */
import { K } from '../../../core/tree/ids.ts';
import type { Rng } from '../../../base/rng.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { Chronicler } from './chronicler.ts';
import { clauseOf, type Statement } from './world.ts';

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
  /** A block's edge falls between the clause's first token and the value's last. */
  readonly isStraddling?: boolean;
}

export interface WrittenHistory {
  /** Exactly as many as asked for; the last sentence is cut off there. */
  readonly ids: Uint32Array;
  /** By planned fact: from the clause's first token to the value's last. */
  readonly spans: ReadonlyMap<Statement, Span>;
}

export interface HistoryPlan {
  readonly tokens: number;
  readonly facts: readonly PlannedFact[];
  /** Who tells the filler. */
  readonly chronicler: Chronicler;
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

export function writeHistory(plan: HistoryPlan, encoder: WordEncoder, rng: Rng): WrittenHistory {
  const writer = new Writer(plan.chronicler, encoder, rng);
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

class Writer {
  private readonly tokens: number[] = [];
  private opensParagraph = true;
  private sentencesLeft = 4;
  private readonly breakIds: readonly number[];

  constructor(
    private readonly chronicler: Chronicler,
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
    else this.sentence(this.chronicler.filler());
  }

  fact(statement: Statement): Span {
    return this.say(statement, this.lead());
  }

  /** Filler until a lead-in can be found that puts a block's edge into the fact. */
  straddling(statement: Statement): Span {
    const clause = this.encoder.encode(` ${clauseOf(statement)} ${statement.value}`).length;
    for (let attempt = 0; attempt < STRADDLE_ATTEMPTS; attempt++) {
      const lead = this.lead();
      const start = this.length + this.encoded(lead).length;
      if (Math.floor(start / K) !== Math.floor((start + clause - 1) / K)) return this.say(statement, lead);
      if (attempt % 10 === 9) this.sentence(this.chronicler.filler());
    }
    throw new RangeError('No place was found where a fact lies across the edge of a block.');
  }

  private lead(): string {
    // At a paragraph's start there is no leading space, and a key there would be another token.
    const isBare = !this.opensParagraph && this.rng.nextFloat() < BARE_LEAD_SHARE;
    return isBare ? '' : this.chronicler.leadIn();
  }

  private say(statement: Statement, lead: string): Span {
    const clause = clauseOf(statement);
    const text = lead === '' ? clause.charAt(0).toUpperCase() + clause.slice(1) : clause;
    this.tokens.push(...this.encoded(lead));
    const start = this.length;
    this.tokens.push(...this.encoder.encode(` ${text}`), ...this.encoder.encode(` ${statement.value}`));
    const end = this.length;
    const tail = this.rng.nextFloat() < TAIL_SHARE ? this.chronicler.tail() : '';
    const { after } = statement.relation;
    if (after !== '') this.tokens.push(...this.encoder.encode(after));
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
