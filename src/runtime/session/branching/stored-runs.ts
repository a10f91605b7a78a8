/** Reads sessions beside the open one, for branching and comparing. Never writes. */
import type { Tokenizer } from '../../../nn/model-folder/tokenizer.ts';
import type { SessionId, SessionStore, StoredSession } from '../../../storage/ports.ts';

/** Two runs are compared at a time. */
const KEPT = 2;

export class StoredRuns {
  /** Histories by session, the one read last at the end. */
  private readonly tokens = new Map<SessionId, Uint32Array>();

  constructor(private readonly store: SessionStore) {}

  /** What storage holds of a session, also of the open one. @throws {StorageError} `not-found` */
  async read(id: SessionId): Promise<StoredSession> {
    const handle = await this.store.open(id);
    try {
      const stored = await handle.load({ whole: true });
      this.tokens.delete(id);
      this.tokens.set(id, stored.tokens);
      for (const oldest of [...this.tokens.keys()].slice(0, -KEPT)) this.tokens.delete(oldest);
      return stored;
    } finally {
      await handle.close();
    }
  }

  /** The text of each span `[start, end)`; empty where the session has no such tokens. */
  async texts(
    id: SessionId,
    spans: readonly (readonly [start: number, end: number])[],
    tokenizer: Tokenizer,
  ): Promise<readonly string[]> {
    const isKnown = spans.every(([, end]) => end <= (this.tokens.get(id)?.length ?? -1));
    if (!isKnown) await this.read(id);
    const tokens = this.tokens.get(id)!;
    return spans.map(([start, end]) => tokenizer.decode(tokens.subarray(start, end)));
  }
}
