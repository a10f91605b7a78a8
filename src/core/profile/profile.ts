/**
 * Adds up what the engine does: calls, milliseconds, tokens, bytes, operations. One tally since it was cleared, and one
 * of the last turn. Adding is a handful of sums, so that it is always on.
 */

/**
 * `stage`: a part of reading and answering, all of its time. `operation`: one call of a network. `kernel`: one kernel of
 * TensorFlow.js within an operation; timed only on request, since that costs more than it measures for small ones.
 */
export type ProfileGroup = 'stage' | 'operation' | 'kernel';

/** `assemble` is what a decoded token costs around the base; `repair` a token that ran more slots than its own. */
export const PROFILE_STAGES = [
  'ingest',
  'gist',
  'score',
  'allocate',
  'assemble',
  'prefill',
  'repair',
  'decode',
  'telemetry',
  'storage',
] as const;
export type ProfileStage = (typeof PROFILE_STAGES)[number];

/** One piece of work. What is absent is not known of it. */
export interface Work {
  readonly ms: number;
  /** Tokens, slots or rows that it was done for. */
  readonly tokens?: number;
  /** Read and written at least: weights, cache, inputs, outputs. */
  readonly bytes?: number | undefined;
  /** Multiplications and additions of its matrix products. */
  readonly flops?: number | undefined;
  /** Kernels that were started. */
  readonly dispatches?: number;
}

export interface ProfileRow {
  readonly group: ProfileGroup;
  readonly name: string;
  readonly calls: number;
  readonly ms: number;
  readonly longestMs: number;
  readonly tokens: number;
  /** Null where it is not known of every call. */
  readonly bytes: number | null;
  readonly flops: number | null;
  /** Zero where nothing counts them. */
  readonly dispatches: number;
}

/** What decoding answers took, and what focus took meanwhile: from an answer's second token to its last. */
export interface AnswerCosts {
  /** Tokens that ran no slot but their own. */
  readonly plainTokens: number;
  readonly plainMs: number;
  /** Tokens that found their context changed, and what they took with the repair of the cache. */
  readonly repairTokens: number;
  readonly repairMs: number;
  /** Score, allocate and assemble. */
  readonly focusMs: number;
}

/** One tally as plain data. */
export interface ProfileTally {
  readonly rows: readonly ProfileRow[];
  readonly answers: AnswerCosts;
  /** From its beginning until now, or until its end. */
  readonly elapsedMs: number;
  /** How often something was added: each costs a little. */
  readonly records: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const FOCUS: ReadonlySet<string> = new Set<ProfileStage>(['score', 'allocate', 'assemble']);
const NO_COSTS: AnswerCosts = { plainTokens: 0, plainMs: 0, repairTokens: 0, repairMs: 0, focusMs: 0 };

class Tally {
  private readonly rows = new Map<string, Mutable<ProfileRow>>();
  private readonly answers: Mutable<AnswerCosts> = { ...NO_COSTS };
  private records = 0;
  private endedAt: number | null = null;

  constructor(private readonly startedAt: number) {}

  add(group: ProfileGroup, name: string, { ms, tokens = 0, bytes, flops, dispatches = 0 }: Work): void {
    const key = `${group} ${name}`;
    let row = this.rows.get(key);
    if (row === undefined) {
      row = { group, name, calls: 0, ms: 0, longestMs: 0, tokens: 0, bytes: 0, flops: 0, dispatches: 0 };
      this.rows.set(key, row);
    }
    this.records++;
    row.calls++;
    row.ms += ms;
    row.longestMs = Math.max(row.longestMs, ms);
    row.tokens += tokens;
    row.bytes = row.bytes === null || bytes === undefined ? null : row.bytes + bytes;
    row.flops = row.flops === null || flops === undefined ? null : row.flops + flops;
    row.dispatches += dispatches;
  }

  *rowsOf(group: ProfileGroup): Generator<ProfileRow> {
    for (const row of this.rows.values()) if (row.group === group) yield row;
  }

  addToAnswer(stage: ProfileStage, ms: number): void {
    const { answers } = this;
    if (stage === 'decode') {
      answers.plainTokens++;
      answers.plainMs += ms;
    } else if (stage === 'repair') {
      answers.repairTokens++;
      answers.repairMs += ms;
    } else if (FOCUS.has(stage)) answers.focusMs += ms;
  }

  end(at: number): void {
    this.endedAt = at;
  }

  read(now: number): ProfileTally {
    return {
      rows: [...this.rows.values()].map((row) => ({ ...row })),
      answers: { ...this.answers },
      elapsedMs: (this.endedAt ?? now) - this.startedAt,
      records: this.records,
    };
  }
}

export class Profile {
  private all: Tally;
  private turn: Tally | null = null;
  private isInTurn = false;
  /** An answer's first token follows the prefill: what focus does before it is the question's. */
  private isDecoding = false;

  /** @param now - milliseconds; only its differences matter. */
  constructor(private readonly now: () => number) {
    this.all = new Tally(now());
  }

  add(group: ProfileGroup, name: string, work: Work): void {
    this.all.add(group, name, work);
    if (this.isInTurn) this.turn!.add(group, name, work);
  }

  /** As `add`; while an answer is decoded, it counts towards what focus costs. */
  addStage(stage: ProfileStage, work: Work): void {
    this.add('stage', stage, work);
    if (!this.isInTurn) return;
    if (stage === 'prefill') this.isDecoding = true;
    else if (this.isDecoding) for (const tally of [this.all, this.turn!]) tally.addToAnswer(stage, work.ms);
  }

  /** Time a piece of work, also when it fails. @param about - what is known of it besides, once it ended. */
  async timed<T>(
    group: ProfileGroup,
    name: string,
    work: () => Promise<T>,
    about: Omit<Work, 'ms'>,
  ): Promise<T> {
    const from = this.now();
    try {
      return await work();
    } finally {
      this.add(group, name, { ms: this.now() - from, ...about });
    }
  }

  /** Of everything since the beginning, by the networks' calls; borrowed. */
  operations(): Iterable<ProfileRow> {
    return this.all.rowsOf('operation');
  }

  /** Whether an answer has had its first token: what then runs many slots is a repair. */
  get hasDecoded(): boolean {
    return this.isDecoding;
  }

  beginTurn(): void {
    this.turn = new Tally(this.now());
    this.isInTurn = true;
    this.isDecoding = false;
  }

  endTurn(): void {
    this.turn?.end(this.now());
    this.isInTurn = this.isDecoding = false;
  }

  /** Start over; a turn under way goes on in an empty tally. */
  clear(): void {
    const at = this.now();
    this.all = new Tally(at);
    this.turn = this.isInTurn ? new Tally(at) : null;
  }

  /** @returns copies: of everything since the beginning, and of the last turn; null before the first. */
  read(): { readonly all: ProfileTally; readonly turn: ProfileTally | null } {
    const now = this.now();
    return { all: this.all.read(now), turn: this.turn?.read(now) ?? null };
  }
}
