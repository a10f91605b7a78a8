/** One turn of the chat: the question goes into the history, the memory settles, an answer is decoded into it. */
import type { Provenance } from '../core/provenance.ts';
import type { ChatMessageRecord } from '../storage/ports.ts';
import { AnswerWriter } from './answer.ts';
import { yieldToEvents } from './clock.ts';
import type { Engine } from './engine.ts';
import type { CommandResults } from './protocol.ts';

/** Thrown inside a prefill when the user stops the answer. */
export class AnswerStopped extends Error {
  override readonly name = 'AnswerStopped';
}

export class Turn {
  private stopped = false;
  private readonly documentId: string;
  private readonly wallClockMs: number;

  constructor(
    private readonly engine: Engine,
    private readonly text: string,
  ) {
    this.wallClockMs = engine.telemetry.wallClockMs();
    this.documentId = `turn-${engine.focus.tree.tokenCount}-${this.wallClockMs}`;
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  stop(): void {
    this.stopped = true;
  }

  async take(): Promise<CommandResults['ask']> {
    const { engine } = this;
    const { userPrefix, userSuffix, assistantPrefix } = engine.model.manifest.chat;
    const { tokenizer } = engine.model;
    const start = await this.append(tokenizer.encode(userPrefix + this.text + userSuffix), 'user');
    const question = this.message('user', this.text, start, 'complete');
    engine.addMessage(question);
    await this.append(tokenizer.encode(assistantPrefix), 'assistant');
    await engine.inTurn(() => engine.settleFocus());
    const answer = await this.decode();
    return { question, answer };
  }

  /**
   * Append tokens block by block; any length fits, since what does not fit the window is compressed.
   *
   * @returns where they start.
   */
  private async append(ids: Uint32Array, role: 'user' | 'assistant'): Promise<number> {
    const { engine } = this;
    const { focus } = engine;
    const start = focus.tree.tokenCount;
    for (let offset = 0; offset < ids.length;) {
      const count = Math.min(ids.length - offset, focus.tokensToBlockEnd);
      const piece = ids.subarray(offset, offset + count);
      await engine.inTurn(() => engine.appendTokens(piece, this.origin(role)));
      offset += count;
      if (offset < ids.length) await yieldToEvents();
    }
    return start;
  }

  private async decode(): Promise<ChatMessageRecord> {
    const { engine } = this;
    const start = engine.focus.tree.tokenCount;
    const id = this.messageId('assistant', start);
    const { tokenizer, manifest } = engine.model;
    const writer = new AnswerWriter(tokenizer, engine.activeConfig.seed, start, manifest.chat.stop);
    let ending: ChatMessageRecord['ending'] = 'cut';
    try {
      while (writer.tokenCount < engine.activeConfig.maxNewTokens && ending === 'cut') {
        if (this.stopped) ending = 'stopped';
        else if (await engine.inTurn(() => this.decodeToken(writer, id))) ending = 'complete';
        else await yieldToEvents();
      }
    } catch (error) {
      if (!(error instanceof AnswerStopped)) {
        engine.addMessage(this.message('assistant', writer.text, start, 'failed'));
        throw error;
      }
      ending = 'stopped';
    }
    writer.finish();
    const answer = this.message('assistant', writer.text, start, ending);
    engine.addMessage(answer);
    return answer;
  }

  /** @returns true if the token ended the answer. */
  private async decodeToken(writer: AnswerWriter, messageId: string): Promise<boolean> {
    const { engine } = this;
    const { focus, telemetry, activeConfig: config } = engine;
    const position = focus.tree.tokenCount;
    const step = focus.step;
    const next = await telemetry.timed('decode', step, async () => {
      const { logits } = await engine.decoder.sync(focus.layout, config.budgetTokens);
      return writer.next(logits, config);
    });
    const { tokenId, tokenText, logProbability, entropy, delta, isEnd } = next;
    const base = telemetry.base(step);
    telemetry.emit({ ...base, type: 'decode', tokenId, position, text: tokenText, logProbability, entropy });
    engine.notify({ kind: 'answerText', messageId, delta, tokenId, position, step });
    await engine.appendTokens(Uint32Array.of(tokenId), this.origin('assistant'));
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
    const end = this.engine.focus.tree.tokenCount;
    const createdAt = this.engine.telemetry.wallClockMs();
    return { id: this.messageId(role, start), role, text, start, end, createdAt, ending };
  }
}
