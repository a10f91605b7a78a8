/**
 * Writes a session of any length through the real loop, by recency and with gists that cost nothing: real ones would
 * take hours. Tokens, steps, checkpoints and the index of words are those of a session that was read. Runs in a page
 * and under Node.
 */
import { Rng } from '../../src/base/rng.ts';
import { applyConfigChanges, DEFAULT_RUN_CONFIG } from '../../src/core/trace/config.ts';
import { fixedChat, PLAIN_CHAT } from '../../src/nn/model-folder/chat-pieces.ts';
import type { LoadedModel } from '../../src/nn/ports.ts';
import type { SessionId, SessionStore } from '../../src/storage/ports.ts';
import { beginReading } from './reading-session.ts';

const ORIGIN = { role: 'document', documentId: 'long', title: 'Long', wallClockMs: 0 } as const;
/** What waits at once: it is stored, too. */
const PIECE_TOKENS = 1 << 16;

/** What it takes of the model whose session this will be. */
export interface LongSessionModel {
  readonly id: string;
  readonly hash: string;
  readonly hiddenSize: number;
  readonly manifest: LoadedModel['manifest'];
  readonly tokenizer: LoadedModel['tokenizer'];
  readonly gistVersion: number;
}

/** Gists and embeddings that say nothing; whatever else is asked of it fails. */
function cheapModel({
  id,
  hash,
  hiddenSize,
  manifest,
  tokenizer,
  gistVersion,
}: LongSessionModel): LoadedModel {
  const refuse = (): never => {
    throw new Error('A session of this length is only written, not decoded.');
  };
  return {
    id,
    title: id,
    hash,
    manifest,
    tokenizer,
    chat: fixedChat(PLAIN_CHAT),
    base: {
      hiddenSize,
      vocabularySize: tokenizer.vocabularySize,
      layers: 1,
      attention: { heads: 1, groups: 1 } as never,
      parameters: 0,
      embed: (ids) => new Float32Array(ids.length * hiddenSize),
      createDecodeSession: refuse,
      appendTogether: refuse,
      logitsOf: refuse,
      dispose: () => undefined,
    },
    gistNet: {
      version: gistVersion,
      contextChildren: 0,
      compress: (lod, _, contextCounts) =>
        Promise.resolve(
          Float32Array.from(
            { length: contextCounts.length * hiddenSize },
            (_cell, i) => ((i * lod) % 61) / 64 - 0.5,
          ),
        ),
      dispose: () => undefined,
    },
    lensNet: null,
    otherLensNets: new Map(),
    lensWorkshops: new Map(),
    dispose: () => undefined,
  };
}

/**
 * @param words - token ids of a text; the history is made of pieces of it.
 * @returns the stored session's id, and its last refocus.
 */
export async function writeLongSession(
  store: SessionStore,
  of: LongSessionModel,
  words: Uint32Array,
  tokens: number,
): Promise<{ readonly id: SessionId; readonly step: number }> {
  const model = cheapModel(of);
  const config = applyConfigChanges(applyConfigChanges(DEFAULT_RUN_CONFIG, of.manifest.defaults), {
    policy: 'recency',
    refocusCadence: '1024',
    systemText: '',
  });
  const { handle, session, read } = await beginReading(store, model, 'Long', config);
  const rng = new Rng(1);
  for (let written = 0; written < tokens;) {
    const piece = new Uint32Array(Math.min(PIECE_TOKENS, tokens - written));
    for (let at = 0; at < piece.length;) {
      const from = rng.nextInt(words.length);
      const part = words.subarray(from, from + Math.min(64 + rng.nextInt(512), piece.length - at));
      piece.set(part, at);
      at += part.length;
    }
    await read(piece, ORIGIN);
    written += piece.length;
  }
  const { step } = session.state;
  // It is read on with the model's own policy.
  const policy = of.manifest.defaults['policy'] ?? DEFAULT_RUN_CONFIG.policy;
  session.steps.patch({ config: applyConfigChanges(config, { policy }) });
  await session.close();
  return { id: handle.id, step };
}
