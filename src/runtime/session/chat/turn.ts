/** One turn of the chat: the question goes into the history, the memory settles, an answer is decoded into it. */
import { nextPieceTokens } from '../../../core/allocator/refocus-cadence.ts';
import { attentionRecord } from '../../../core/trace/attention-record.ts';
import { K } from '../../../core/tree/ids.ts';
import { type Provenance, chatTurnId } from '../../../core/tree/provenance.ts';
import type { ChatMessageRecord } from '../../../storage/ports.ts';
import type { ChatPieces } from '../../../nn/model-folder/chat-pieces.ts';
import { isGreedy } from '../decoding/sampler.ts';
import { AnswerWriter } from './answer-writer.ts';
import { chatWords } from '../chat-words/chat-words.ts';
import { yieldToEvents } from '../../../base/clock.ts';
import type { AnsweredQuestion } from '../messages/session-messages.ts';
import type { SessionSteps } from '../steps/session-steps.ts';

/** Refocuses at the end of a turn, at most: enough to descend from the coarsest level to raw tokens. */
export const TURN_END_REFOCUSES = 4;

/** Who ended a turn early: the user, or the session, which was closed. */
export type TurnHalt = 'stopped' | 'interrupted';

/** Thrown inside a prefill when the user stops the answer. */
export class AnswerStopped extends Error {
  override readonly name = 'AnswerStopped';
}

/**
 * Where a turn stands when it begins: a question to ask, or one that was asked before and is taken up where the
 * history ends. `settledPasses` counts the refocuses at the turn's end that were made, `stopAfterTokens` ends the
 * answer as if the user did, `head` decodes it alone, those that are read, merged, where it is absent.
 */
export type TurnBeginning = { readonly stopAfterTokens?: number; readonly head?: number } & (
  | { readonly kind: 'ask'; readonly text: string }
  | { readonly kind: 'resume'; readonly question: ChatMessageRecord; readonly settledPasses: number }
);

export class Turn {
  private halt: TurnHalt | null = null;
  private readonly documentId: string;
  private readonly wallClockMs: number;

  /** @param beginning - a question that is taken up again stands in the history, with its document's id. */
  constructor(
    private readonly steps: SessionSteps,
    private readonly beginning: TurnBeginning,
  ) {
    // Refused before anything is asked.
    if (beginning.head !== undefined) steps.focus.head(beginning.head);
    const { tree } = steps.focus.memory;
    const asked =
      beginning.kind === 'resume'
        ? tree.provenanceOf(beginning.question.start, beginning.question.end)[0]
        : null;
    this.wallClockMs = asked?.wallClockMs ?? steps.telemetry.wallClockMs();
    this.documentId = asked?.documentId ?? chatTurnId(tree.tokenCount, this.wallClockMs);
  }

  get isStopped(): boolean {
    return this.halt !== null;
  }

  /** No further token is decoded. */
  stop(halt: TurnHalt): void {
    this.halt ??= halt;
  }

  async take(): Promise<AnsweredQuestion> {
    const { steps, beginning } = this;
    const { tree } = steps.focus.memory;
    const question =
      beginning.kind === 'resume' ? await this.takeUp(beginning.question) : await this.ask(beginning.text);
    const prefix = steps.model.tokenizer.encodeTemplate(this.words.assistantPrefix);
    const start = question.end + prefix.length;
    await this.append(prefix.subarray(tree.tokenCount - question.end), 'assistant');
    const settledPasses = beginning.kind === 'resume' ? beginning.settledPasses : 0;
    if (tree.tokenCount <= start) await this.settleFocus(settledPasses);
    await steps.store();
    const answer = await this.decode(start);
    return { question, answer };
  }

  /** What is missing of the question goes into the history first. */
  private async takeUp(question: ChatMessageRecord): Promise<ChatMessageRecord> {
    const { tree } = this.steps.focus.memory;
    if (tree.tokenCount >= question.end) return question;
    await this.append(this.encode(question.text).subarray(tree.tokenCount - question.start), 'user');
    this.steps.addMessage(question);
    return question;
  }

  private encode(question: string): Uint32Array {
    const { userPrefix, userSuffix } = this.words;
    return this.steps.model.tokenizer.encodeTemplate(userPrefix, question, userSuffix);
  }

  private get words(): ChatPieces {
    return chatWords(this.steps.model, this.steps.requestedConfig);
  }

  private async ask(text: string): Promise<ChatMessageRecord> {
    const { steps } = this;
    await steps.exclusive(() => steps.writeOpening());
    const start = await this.append(this.encode(text), 'user');
    const question = this.message('user', text, start, 'complete');
    steps.addMessage(question);
    return question;
  }

  /**
   * Append tokens block by block, each piece a step of its own.
   *
   * @returns where they start.
   */
  private async append(ids: Uint32Array, role: 'user' | 'assistant'): Promise<number> {
    const { steps } = this;
    const { memory } = steps.focus;
    const start = memory.tree.tokenCount;
    const end = start + ids.length;
    for (const piece of memory.pieces(ids)) {
      await steps.exclusive(() => steps.appendTokens(piece, this.origin(role)));
      if (memory.tree.tokenCount < end) await yieldToEvents();
    }
    return start;
  }

  /** What was opened just before the question may pay for it only after its cooldown. */
  private settleFocus(passes: number): Promise<void> {
    const { steps } = this;
    return steps.focus.settle(TURN_END_REFOCUSES - passes, async () =>
      this.isStopped ? null : steps.exclusive(() => steps.refocus('turn-end')),
    );
  }

  /** @param start - where the answer begins; tokens that stand there already are taken as decoded. */
  private async decode(start: number): Promise<ChatMessageRecord> {
    const { steps } = this;
    const { tree } = steps.focus.memory;
    const id = this.messageId('assistant', start);
    const { tokenizer } = steps.model;
    const config = steps.activeConfig;
    const { stopAfterTokens = Infinity } = this.beginning;
    const writer = new AnswerWriter(tokenizer, config.seed, start, this.words.stop);
    const wasEnded = writer.replay(tree.tokens(start, tree.tokenCount), config);
    let ending: ChatMessageRecord['ending'] = wasEnded ? 'complete' : 'cut';
    try {
      while (writer.tokenCount < steps.activeConfig.maxNewTokens && ending === 'cut') {
        if (this.isStopped || writer.tokenCount >= stopAfterTokens) ending = this.halt ?? 'stopped';
        else if (await steps.exclusive(() => this.decodeToken(writer, id))) ending = 'complete';
        else await yieldToEvents();
      }
    } catch (error) {
      if (!(error instanceof AnswerStopped)) {
        steps.addMessage(this.message('assistant', writer.text, start, 'failed'));
        throw error;
      }
      ending = this.halt ?? 'stopped';
    }
    writer.finish();
    const answer = this.message('assistant', writer.text, start, ending);
    steps.addMessage(answer);
    return answer;
  }

  /** @returns true if the token ended the answer. */
  private async decodeToken(writer: AnswerWriter, messageId: string): Promise<boolean> {
    const { steps } = this;
    const { focus, telemetry, activeConfig: config } = steps;
    const { head: only } = this.beginning;
    const index = focus.memory.tree.tokenCount;
    const { id: first, step } = focus.reading(only)[0]!;
    const { next, attention, head, merged } = await telemetry.timed('decode', first, step, async () => {
      const greedyTokens = this.greedyTokens(writer);
      const chosen = greedyTokens > 0 ? await focus.predictFirst(greedyTokens, only) : null;
      if (chosen !== null) {
        return { next: writer.accept(chosen.choice), attention: null, head: chosen.head.id, merged: null };
      }
      const { logits, attention: read, head, merged } = await focus.predict(only);
      const { recordAttention: reading } = config;
      return {
        next: writer.next(logits, config),
        attention:
          read === null || reading === 'off' ? null : attentionRecord(read.entries, read.weights, reading),
        head: head.id,
        merged,
      };
    });
    const { tokenId, tokenText, logProbability, entropy, delta, isEnd } = next;
    telemetry.emit({
      ...telemetry.base(step),
      type: 'decode',
      head,
      tokenId,
      index,
      text: tokenText,
      logProbability,
      entropy,
      ...(merged !== null && { merged: merged.map(([id, weight]): [number, number] => [id, weight]) }),
      ...(attention !== null && { attention }),
    });
    steps.notify({ kind: 'answerText', messageId, head, delta, tokenId, index, step });
    await steps.appendAnswered(tokenId, this.origin('assistant'));
    return isEnd;
  }

  /** How many of the next tokens are first choices, with no refocus between them; 0 where logits are needed. */
  private greedyTokens({ tokenCount }: AnswerWriter): number {
    const { focus, activeConfig: config } = this.steps;
    if (!isGreedy(config) || config.recordAttention !== 'off') return 0;
    const { stopAfterTokens = Infinity } = this.beginning;
    const left = Math.min(config.maxNewTokens, stopAfterTokens) - tokenCount;
    return Math.min(left, nextPieceTokens(K, focus.memory.tree.tokenCount));
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
    const end = this.steps.focus.memory.tree.tokenCount;
    const createdAt = this.steps.telemetry.wallClockMs();
    return { id: this.messageId(role, start), role, text, start, end, createdAt, ending };
  }
}
