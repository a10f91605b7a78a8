/** Asks one question on WebGPU, once in peace and once with the device taken away while the answer is decoded. */
import { EngineClient } from '../../src/runtime/engine/client.ts';
import type { ChatMessageRecord, Notice } from '../../src/runtime/engine/protocol/protocol.ts';

export interface AnswerRequest {
  readonly text: string;
  readonly question: string;
  readonly config: Readonly<Record<string, number | string>>;
  /** What becomes of the GPU once the answer's first tokens were read; null to leave it alone. */
  readonly fault: 'destroy' | 'starve' | null;
}

export interface AnswerReport {
  readonly answer: Pick<ChatMessageRecord, 'text' | 'start' | 'end' | 'ending'>;
  readonly tokenIds: readonly number[];
  /** Codes of what was told meanwhile. */
  readonly problems: readonly string[];
  readonly restarts: number;
}

export async function answerOnGpu({ text, question, config, fault }: AnswerRequest): Promise<AnswerReport> {
  const gpu = new BroadcastChannel('test-gpu');
  const engine = new EngineClient(
    () => new Worker(new URL('./losing-worker.ts', import.meta.url), { type: 'module' }),
    location.href,
  );
  const tokens = new Map<number, number>();
  const problems: string[] = [];
  let restarts = 0;
  let tellIngested = (): void => undefined;
  let tellAnswer: (message: ChatMessageRecord) => void = () => undefined;
  const ingested = new Promise<void>((resolve) => (tellIngested = resolve));
  const answered = new Promise<ChatMessageRecord>((resolve) => (tellAnswer = resolve));
  const hear = (notice: Notice): void => {
    if (notice.kind === 'problem') problems.push(notice.error.code);
    else if (notice.kind === 'restarted') restarts += 1;
    else if (notice.kind === 'answerText') tokens.set(notice.index, notice.tokenId);
    else if (notice.kind === 'chat' && notice.message.role === 'assistant') tellAnswer(notice.message);
    else if (notice.kind === 'state') {
      const { activity, pendingTokens, cursor } = notice.state;
      if (activity === 'idle' && pendingTokens === 0 && cursor > 0) tellIngested();
    }
  };
  engine.onNotice(hear);
  try {
    const place = { kind: 'shipped', id: 'tiny', baseUrl: '/models/' } as const;
    await engine.call({ kind: 'boot', place, backend: 'webgpu' });
    await engine.call({ kind: 'createSession', title: 'Lost', config });
    await engine.call({ kind: 'ingestText', text, title: 'Excerpt', role: 'document' });
    await engine.call({ kind: 'run', tokensPerSecond: 0 });
    await ingested;
    // With the device, the call that waits for the answer is lost; the answer itself goes on by itself.
    if (fault !== null) gpu.postMessage(fault);
    const asked = engine.call({ kind: 'ask', text: question });
    if (fault === null) await asked;
    else asked.catch(() => undefined);
    const { text: said, start, end, ending } = await answered;
    const tokenIds = Array.from({ length: end - start }, (_, at) => tokens.get(start + at) ?? -1);
    return { answer: { text: said, start, end, ending }, tokenIds, problems, restarts };
  } finally {
    engine.dispose();
    gpu.close();
  }
}
