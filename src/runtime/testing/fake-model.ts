/** A deterministic stand-in for a loaded model: characters are tokens, and every figure is a hash of its input. */
import { K } from '../../core/tree/ids.ts';
import type { SlotView } from '../../core/context/slot-view.ts';
import { hashUint32 } from '../../base/rng.ts';
import type { DecodeSession, GistNet, LanguageModel, LensNet, LoadedModel } from '../../nn/ports.ts';
import { fixedChat } from '../../nn/model-folder/chat-pieces.ts';
import type { Tokenizer } from '../../nn/model-folder/tokenizer.ts';

export const FAKE_HIDDEN_SIZE = 4;
const VOCABULARY = 256;
const TAIL_TOKENS = 32;
const CONTEXT_CHILDREN = 8;
const CHAT = { userPrefix: '\nQuestion: ', userSuffix: '\n', assistantPrefix: 'Answer:', stop: ['\n'] };

/** Uniform in [-1, 1). */
function unit(...values: readonly number[]): number {
  return hashUint32(...values) / 2 ** 31 - 1;
}

/** One token a character; characters beyond Latin-1 become `?`. */
const encode = (text: string): Uint32Array =>
  Uint32Array.from(text, (character) => {
    const code = character.codePointAt(0)!;
    return code < VOCABULARY ? code : 63;
  });

const tokenizer: Tokenizer = {
  vocabularySize: VOCABULARY,
  encode,
  encodeTemplate: (prefix, text = '', suffix = '') => encode(prefix + text + suffix),
  decode: (ids) => Array.from(ids, (id) => String.fromCharCode(id)).join(''),
  tokenText: (id) => String.fromCharCode(id),
  createStreamDecoder: () => ({ push: (id) => String.fromCharCode(id), flush: () => '' }),
};

function embed(ids: ArrayLike<number>): Float32Array {
  const rows = new Float32Array(ids.length * FAKE_HIDDEN_SIZE);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = unit(ids[Math.floor(i / FAKE_HIDDEN_SIZE)]!, i % FAKE_HIDDEN_SIZE);
  }
  return rows;
}

/** What the fake base was asked to do; tests read it to see what was recomputed. */
export interface FakeWork {
  slots: number;
  sessions: number;
  /** Awaited in every run of the base; a test may wait or throw in it. */
  onAppend: () => Promise<void>;
}

/** A base whose cache is a running hash per slot, so that logits depend on every slot before and its position. */
function createFakeBase(work: FakeWork): LanguageModel {
  return {
    hiddenSize: FAKE_HIDDEN_SIZE,
    vocabularySize: VOCABULARY,
    layers: 1,
    attention: { heads: 1, kvHeads: 1, headDim: FAKE_HIDDEN_SIZE },
    parameters: VOCABULARY * FAKE_HIDDEN_SIZE,
    embed,
    createDecodeSession: (capacitySlots): FakeSession => {
      const hashes: number[] = [];
      let lastAttention: Float32Array | null = null;
      const run = (
        first: number,
        embeddings: Float32Array,
        positions: Float64Array,
        deviations?: Float64Array,
      ): void => {
        work.slots += positions.length;
        positions.forEach((position, i) => {
          const row = embeddings.subarray(i * FAKE_HIDDEN_SIZE, (i + 1) * FAKE_HIDDEN_SIZE);
          const values = Array.from(row, (x) => Math.round(x * 1e6) + 1e7);
          const blur = Math.round((deviations?.[i] ?? 0) * 1e3);
          hashes[first + i] = hashUint32(hashes[first + i - 1] ?? 0, position, blur, ...values);
        });
      };
      work.sessions++;
      return {
        capacitySlots,
        get lastAttention() {
          return lastAttention;
        },
        get length() {
          return hashes.length;
        },
        get newestHash() {
          return hashes.at(-1) ?? 0;
        },
        async append(embeddings, positions, want, deviations, reading) {
          await work.onAppend();
          if (hashes.length + positions.length > capacitySlots) throw new RangeError('The cache is full.');
          const first = hashes.length;
          run(first, embeddings, positions, deviations);
          lastAttention = reading ? attentionOf(hashes) : null;
          const wanted = want === 'last' ? 1 : want === 'all' ? positions.length : want;
          const from = Math.max(first, hashes.length - wanted);
          return Float32Array.from({ length: (hashes.length - from) * VOCABULARY }, (_, j) =>
            logitOf(hashes[from + Math.floor(j / VOCABULARY)]!, j % VOCABULARY),
          );
        },
        async appendForHeads(embeddings, positions) {
          await work.onAppend();
          if (hashes.length + positions.length > capacitySlots) throw new RangeError('The cache is full.');
          const first = hashes.length;
          run(first, embeddings, positions);
          const rows = (salt: number) =>
            Float32Array.from({ length: positions.length * FAKE_HIDDEN_SIZE }, (_, j) =>
              unit(hashes[first + Math.floor(j / FAKE_HIDDEN_SIZE)]!, salt, j % FAKE_HIDDEN_SIZE),
            );
          return { keys: [rows(1)], queries: [rows(2)] };
        },
        copyFrom: (other, length) => {
          const { hashesUpTo } = other as FakeSession;
          if (length < hashes.length || length > other.length) throw new RangeError('Nothing to copy.');
          hashes.push(...hashesUpTo(length).slice(hashes.length));
        },
        hashesUpTo: (length: number) => hashes.slice(0, length),
        truncate: (length) => {
          hashes.length = Math.min(hashes.length, length);
        },
        rearrange: (sources) => {
          const before = [...hashes];
          hashes.length = 0;
          // A gap's hash is no number until it is filled, so that a slot run behind one shows.
          for (const source of sources) hashes.push(source < 0 ? Number.NaN : before[source]!);
        },
        async fill(firstSlot, embeddings, positions, deviations) {
          await work.onAppend();
          if (firstSlot + positions.length > hashes.length) throw new RangeError('Nothing is cached there.');
          run(firstSlot, embeddings, positions, deviations);
        },
        dispose: () => {
          hashes.length = 0;
        },
      };
    },
    async appendTogether(sessions, embeddings, positions, deviations, reading) {
      const hidden = new Float32Array(embeddings.length);
      for (const [i, session] of sessions.entries()) {
        const row = embeddings.subarray(i * FAKE_HIDDEN_SIZE, (i + 1) * FAKE_HIDDEN_SIZE);
        await session.append(row, positions.subarray(i, i + 1), 0, deviations?.subarray(i, i + 1), reading);
        hidden.set(hiddenOf((session as FakeSession).newestHash), i * FAKE_HIDDEN_SIZE);
      }
      return hidden;
    },
    logitsOf: (hidden) =>
      Promise.resolve(
        Float32Array.from({ length: (hidden.length / FAKE_HIDDEN_SIZE) * VOCABULARY }, (_, j) =>
          logitOf(hashOf(hidden, Math.floor(j / VOCABULARY)), j % VOCABULARY),
        ),
      ),
    dispose: () => undefined,
  };
}

/** A session that says what its last slot became. */
interface FakeSession extends DecodeSession {
  readonly newestHash: number;
  readonly hashesUpTo: (length: number) => readonly number[];
}

/** `[d]` that `hashOf` reads the hash from; float32 holds each half exactly. */
function hiddenOf(hash: number): Float32Array {
  return Float32Array.of(hash >>> 16, hash & 0xffff, 0, 0);
}

function hashOf(hidden: Float32Array, row: number): number {
  const at = row * FAKE_HIDDEN_SIZE;
  return (Math.round(hidden[at]!) * 0x10000 + Math.round(hidden[at + 1]!)) >>> 0;
}

/** Each slot's hash decides how much it is attended to. */
function attentionOf(hashes: readonly number[]): Float32Array {
  const total = hashes.reduce((sum, hash) => sum + (hash % 97), 0);
  return Float32Array.from(hashes, (hash) => (hash % 97) / total);
}

/** Small letters are likely; a line break, which ends an answer, comes up now and then. */
function logitOf(hash: number, id: number): number {
  const isLetter = id >= 97 && id <= 122;
  const isEnd = id === 10;
  return 2 * unit(hash, id) + (isLetter ? 4 : isEnd ? 3 : 0);
}

const gistNet: GistNet = {
  version: 1,
  contextChildren: CONTEXT_CHILDREN,
  compress: (level, children, contextCounts) => {
    const rows = CONTEXT_CHILDREN + K;
    const gists = new Float32Array(contextCounts.length * FAKE_HIDDEN_SIZE);
    for (let block = 0; block < contextCounts.length; block++) {
      const first = (block * rows + CONTEXT_CHILDREN - contextCounts[block]!) * FAKE_HIDDEN_SIZE;
      const last = (block + 1) * rows * FAKE_HIDDEN_SIZE;
      let hash = level;
      for (let i = first; i < last; i++) hash = hashUint32(hash, Math.round(children[i]! * 1000) + 1e5);
      for (let j = 0; j < FAKE_HIDDEN_SIZE; j++) gists[block * FAKE_HIDDEN_SIZE + j] = unit(hash, j);
    }
    return Promise.resolve(gists);
  },
  dispose: () => undefined,
};

/** Wants what resembles the newest token; depends on features too, so that wrong residencies show. */
const lensNet: LensNet = {
  id: 'lensnet',
  version: 1,
  tailTokens: TAIL_TOKENS,
  readsWords: false,
  score: (view: SlotView) => {
    const tail = view.tail.subarray(-FAKE_HIDDEN_SIZE);
    const scores = new Float32Array(view.slotCount);
    for (let slot = 0; slot < view.slotCount; slot++) {
      let dot = 0;
      for (let j = 0; j < FAKE_HIDDEN_SIZE; j++) {
        dot += (tail[j] ?? 0) * view.blockVectors[slot * FAKE_HIDDEN_SIZE + j]!;
      }
      const residency = view.features[slot * 12 + 7]!;
      scores[slot] = Math.tanh(dot - residency);
    }
    return Promise.resolve(scores);
  },
  dispose: () => undefined,
};

export interface FakeModel extends LoadedModel {
  readonly lensNet: LensNet;
  readonly work: FakeWork;
}

export function createFakeModel(): FakeModel {
  const work: FakeWork = { slots: 0, sessions: 0, onAppend: () => Promise.resolve() };
  return {
    id: 'fake',
    title: 'Fake model',
    hash: 'f'.repeat(64),
    manifest: {
      formatVersion: 1,
      id: 'fake',
      title: 'Fake model',
      licence: 'Apache-2.0',
      blockSize: K,
      maxLod: 4,
      hiddenSize: FAKE_HIDDEN_SIZE,
      trainedContextTokens: 512,
      defaults: { budgetTokens: 256, recentTokens: 64 },
      chat: CHAT,
      base: { config: 'a', weights: 'b', tokenizer: 'c', tokenizerConfig: 'd' },
      gistNet: {
        weights: 'e',
        blocks: 0,
        contextChildren: CONTEXT_CHILDREN,
        attention: 'bidirectional',
        pooling: 'mean',
        queries: 1,
        version: 1,
      },
      lensNet: {
        weights: 'f',
        variant: 'dual-cross-attention',
        width: 4,
        heads: 1,
        tailQueries: 1,
        tailTokens: TAIL_TOKENS,
        version: 1,
      },
      retrievalHeads: { heads: [[0, 0]], baseSha256: 'f'.repeat(64), examples: 1, command: 'none' },
      files: {},
    },
    tokenizer,
    chat: fixedChat({ opening: '', ...CHAT }),
    base: createFakeBase(work),
    gistNet,
    lensNet,
    otherLensNets: new Map(),
    lensWorkshops: new Map(),
    work,
    dispose: () => undefined,
  };
}
