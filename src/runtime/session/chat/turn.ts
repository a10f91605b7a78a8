/** One turn of the chat: the question goes into the history, the memory settles, an answer is decoded into it. */
import { attentionRecord } from '../../../core/trace/attention-record.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import type { ChatMessageRecord } from '../../../storage/ports.ts';
import { AnswerWriter } from './answer-writer.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import type { Decoder } from '../decoding/decoder.ts';
import type { FocusLoop, RefocusTrigger } from '../head/head.ts';
import type { AnsweredQuestion, SessionNotice } from '../messages/session-messages.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';

/** Refocuses at the end of a turn, at most: enough to descend from the coarsest level to raw tokens. */
export const TURN_END_REFOCUSES = 4;

/** Thrown inside a prefill when the user stops the answer. */
export class AnswerStopped extends Error {
  override readonly name = 'AnswerStopped';
}

/** What a turn needs of the session it is part of. */
export interface TurnSession {
  readonly model: LoadedModel;
  readonly focus: FocusLoop;
  readonly decoder: Decoder;
  readonly telemetry: TelemetryRecorder;
  /** The parameters in force; they change at a refocus only. */
  readonly activeConfig: RunConfig;
  /** Run one step in line with everything else. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Append tokens up to the open block's end, and refocus if that closes it. */
  appendTokens(ids: Uint32Array, origin: Provenance): Promise<void>;
  /** @returns how many actions were applied. */
  refocusOnce(trigger: RefocusTrigger): Promise<number>;
  addMessage(message: ChatMessageRecord): void;
  /** Store what there is, so that the turn survives the worker. */
  store(): Promise<void>;
  notify(notice: SessionNotice): void;
}

/**
 * Where a turn stands when it begins: a question to ask, or one that was asked before and is taken up where the
 * history ends. `settledPasses` counts the refocuses at the turn's end that were made, `stopAfterTokens` ends the
 * answer as if the user did.
 */
export type TurnBeginning = { readonly stopAfterTokens?: number } & (
  | { readonly kind: 'ask'; readonly text: string }
  | { readonly kind: 'resume'; readonly question: ChatMessageRecord; readonly settledPasses: number }
);

export class Turn {
  private stopped = false;
  private readonly documentId: string;
  private readonly wallClockMs: number;

  /** @param beginning - a question that is taken up again stands in the history, with its document's id. */
  constructor(
    private readonly session: TurnSession,
    private readonly beginning: TurnBeginning,
  ) {
    const { tree } = session.focus;
    const asked =
      beginning.kind === 'resume'
        ? tree.provenanceOf(beginning.question.start, beginning.question.end)[0]
        : null;
    this.wallClockMs = asked?.wallClockMs ?? session.telemetry.wallClockMs();
    this.documentId = asked?.documentId ?? `turn-${tree.tokenCount}-${this.wallClockMs}`;
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  stop(): void {
    this.stopped = true;
  }

  async take(): Promise<AnsweredQuestion> {
    const { session, beginning } = this;
    const { tree } = session.focus;
    const question =
      beginning.kind === 'resume' ? await this.takeUp(beginning.question) : await this.ask(beginning.text);
    const prefix = session.model.tokenizer.encode(session.model.manifest.chat.assistantPrefix);
    const start = question.end + prefix.length;
    await this.append(prefix.subarray(tree.tokenCount - question.end), 'assistant');
    const settledPasses = beginning.kind === 'resume' ? beginning.settledPasses : 0;
    if (tree.tokenCount <= start) await this.settleFocus(settledPasses);
    await session.store();
    const answer = await this.decode(start);
    return { question, answer };
  }

  /** What is missing of the question goes into the history first. */
  private async takeUp(question: ChatMessageRecord): Promise<ChatMessageRecord> {
    const { tree } = this.session.focus;
    if (tree.tokenCount >= question.end) return question;
    await this.append(this.encode(question.text).subarray(tree.tokenCount - question.start), 'user');
    this.session.addMessage(question);
    return question;
  }

  private encode(question: string): Uint32Array {
    const { tokenizer, manifest } = this.session.model;
    return tokenizer.encode(manifest.chat.userPrefix + question + manifest.chat.userSuffix);
  }

  private async ask(text: string): Promise<ChatMessageRecord> {
    const start = await this.append(this.encode(text), 'user');
    const question = this.message('user', text, start, 'complete');
    this.session.addMessage(question);
    return question;
  }

  /**
   * Append tokens block by block; any length fits, since what does not fit the window is compressed.
   *
   * @returns where they start.
   */
  private async append(ids: Uint32Array, role: 'user' | 'assistant'): Promise<number> {
    const { session } = this;
    const { focus } = session;
    const start = focus.tree.tokenCount;
    for (let offset = 0; offset < ids.length;) {
      const count = Math.min(ids.length - offset, focus.tokensToBlockEnd);
      const piece = ids.subarray(offset, offset + count);
      await session.exclusive(() => session.appendTokens(piece, this.origin(role)));
      offset += count;
      if (offset < ids.length) await yieldToEvents();
    }
    return start;
  }

  /**
   * Refocus until nothing moves any more, so that a fact several levels down can be reached. What was opened just
   * before the question may pay for it only after its cooldown.
   */
  private async settleFocus(passes: number): Promise<void> {
    const { session } = this;
    for (let pass = passes; pass < TURN_END_REFOCUSES && !this.stopped; pass++) {
      const applied = await session.exclusive(() => session.refocusOnce('turn-end'));
      if (applied === 0 && !session.focus.hasCooldowns) return;
    }
  }

  /** @param start - where the answer begins; tokens that stand there already are taken as decoded. */
  private async decode(start: number): Promise<ChatMessageRecord> {
    const { session } = this;
    const { tree } = session.focus;
    const id = this.messageId('assistant', start);
    const { tokenizer, manifest } = session.model;
    const config = session.activeConfig;
    const { stopAfterTokens = Infinity } = this.beginning;
    const writer = new AnswerWriter(tokenizer, config.seed, start, manifest.chat.stop);
    const wasEnded = writer.replay(tree.tokens(start, tree.tokenCount), config);
    let ending: ChatMessageRecord['ending'] = wasEnded ? 'complete' : 'cut';
    try {
      while (writer.tokenCount < session.activeConfig.maxNewTokens && ending === 'cut') {
        if (this.stopped || writer.tokenCount >= stopAfterTokens) ending = 'stopped';
        else if (await session.exclusive(() => this.decodeToken(writer, id))) ending = 'complete';
        else await yieldToEvents();
      }
    } catch (error) {
      if (!(error instanceof AnswerStopped)) {
        session.addMessage(this.message('assistant', writer.text, start, 'failed'));
        throw error;
      }
      ending = 'stopped';
    }
    writer.finish();
    const answer = this.message('assistant', writer.text, start, ending);
    session.addMessage(answer);
    return answer;
  }

  /** @returns true if the token ended the answer. */
  private async decodeToken(writer: AnswerWriter, messageId: string): Promise<boolean> {
    const { session } = this;
    const { focus, telemetry, activeConfig: config } = session;
    const index = focus.tree.tokenCount;
    const step = focus.step;
    const { next, attention } = await telemetry.timed('decode', 0, step, async () => {
      const { entries } = focus.layout;
      const { logits, attention: weights } = await session.decoder.sync(focus.layout, config.budgetTokens);
      const { recordAttention: reading } = config;
      return {
        next: writer.next(logits, config),
        attention: weights === null || reading === 'off' ? null : attentionRecord(entries, weights, reading),
      };
    });
    const { tokenId, tokenText, logProbability, entropy, delta, isEnd } = next;
    telemetry.emit({
      ...telemetry.base(step),
      type: 'decode',
      head: 0,
      tokenId,
      index,
      text: tokenText,
      logProbability,
      entropy,
      ...(attention !== null && { attention }),
    });
    session.notify({ kind: 'answerText', messageId, head: 0, delta, tokenId, index, step });
    await session.appendTokens(Uint32Array.of(tokenId), this.origin('assistant'));
    return isEnd;
  }

  private origin(role: 'user' | 'assistant'): Provenance {
    const title = role === 'user' ? 'Question' : 'Answer';
    return { role, documentId: this.documentId, title, wallClockMs: this.wallClockMs };
  }

  private messageId(role: ChatMessageRecord['role'], start: number): string {
    return `${this.documentId}-${role}-${start}`;
  }

  private message(
    role: ChatMessageRecord['role'],
    text: string,
    start: number,
    ending: ChatMessageRecord['ending'],
  ): ChatMessageRecord {
    const end = this.session.focus.tree.tokenCount;
    const createdAt = this.session.telemetry.wallClockMs();
    return { id: this.messageId(role, start), role, text, start, end, createdAt, ending };
  }
}
