/** Decodes one answer token by token. Owns sampling, stop texts and the answer's text; not the working context. */
import { Rng, hashUint32 } from '../../../base/rng.ts';
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import { sampleToken } from '../decoding/sampler.ts';
import type { Sample, SamplingConfig } from '../decoding/sampler.ts';

/** What one token brought. */
export interface AnswerStep extends Sample {
  /** The token by itself, for telemetry. */
  readonly tokenText: string;
  /** Text that became certain with this token: it can no longer be part of a stop text. */
  readonly delta: string;
  readonly isEnd: boolean;
}

export class AnswerWriter {
  private readonly random: Rng;
  private readonly decoder: ReturnType<Tokenizer['createStreamDecoder']>;
  private readonly seen: number[] = [];
  private readonly longestStop: number;
  private decoded = '';
  private shown = 0;

  /**
   * @param startsAt - the history's length when the answer begins; with the seed it fixes every draw, so the
   * same history gives the same answer again.
   * @param stopTexts - the answer ends before the first of them.
   */
  constructor(
    private readonly tokenizer: Tokenizer,
    seed: number,
    startsAt: number,
    private readonly stopTexts: readonly string[],
  ) {
    this.random = new Rng(hashUint32(seed, startsAt));
    this.decoder = tokenizer.createStreamDecoder();
    this.longestStop = Math.max(0, ...stopTexts.map((text) => text.length));
  }

  get tokenCount(): number {
    return this.seen.length;
  }

  /** The answer so far, without what belongs to a stop text. */
  get text(): string {
    return this.decoded.slice(0, this.endOfText() ?? this.decoded.length).trim();
  }

  /** Pick the next token from `[V]` logits, borrowed. */
  next(logits: Float32Array, settings: SamplingConfig): AnswerStep {
    return this.accept(sampleToken(logits, settings, this.seen, () => this.random.nextFloat()));
  }

  /** Take what was picked elsewhere, as `isGreedy` settings would have it. */
  accept(sample: Sample): AnswerStep {
    this.seen.push(sample.tokenId);
    this.decoded += this.decoder.push(sample.tokenId);
    const end = this.endOfText();
    // The end of what is decoded may be the beginning of a stop text: hold it back.
    const certain = end ?? Math.max(this.shown, this.decoded.length - Math.max(0, this.longestStop - 1));
    const delta = this.take(certain);
    return { ...sample, tokenText: this.tokenizer.tokenText(sample.tokenId), delta, isEnd: end !== null };
  }

  /**
   * Take tokens as decoded that an earlier worker decoded: the next draw is then the one that it would have made.
   *
   * @returns true if they end the answer.
   */
  replay(ids: Uint32Array, settings: SamplingConfig): boolean {
    for (const id of ids) {
      if (settings.temperature > 0) this.random.nextFloat();
      this.seen.push(id);
      this.decoded += this.decoder.push(id);
    }
    this.shown = this.decoded.length;
    return this.endOfText() !== null;
  }

  /** The rest of the text, when the answer ends without a stop text. */
  finish(): string {
    this.decoded += this.decoder.flush();
    return this.take(this.endOfText() ?? this.decoded.length);
  }

  private take(until: number): string {
    const delta = this.decoded.slice(this.shown, until);
    this.shown = Math.max(this.shown, until);
    return delta;
  }

  private endOfText(): number | null {
    let first: number | null = null;
    for (const stop of this.stopTexts) {
      const at = this.decoded.indexOf(stop);
      if (at >= 0 && (first === null || at < first)) first = at;
    }
    return first;
  }
}
