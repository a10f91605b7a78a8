/**
 * A memory and the heads that read it: new tokens go into the one and then into every working context, and a refocus
 * passes over all of them. Decides nothing about when to run.
 */
import type { RunConfig } from '../../../core/trace/config.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { emptyLayout } from '../../../core/context/working-context.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { isRefocusDue } from '../../../core/allocator/refocus-cadence.ts';
import { K, type Lod } from '../../../core/tree/ids.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { Memory } from '../memory/memory.ts';
import { EngineError } from '../messages/errors.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import { Head } from './head.ts';
import type { HeadState, RefocusTrigger } from './head.ts';

/** Where memory and heads stand as they start or were read back. */
export interface FocusState {
  readonly tree: GistTree;
  /** One a head, by its id. */
  readonly heads: readonly HeadState[];
}

/** One head over nothing yet. */
export function emptyFocus({ base, manifest, gistNet }: LoadedModel): FocusState {
  const tree = new GistTree({
    hiddenSize: base.hiddenSize,
    maxLod: manifest.maxLod as Lod,
    gistVersion: gistNet.version,
  });
  return { tree, heads: [{ layout: emptyLayout(), allocator: INITIAL_ALLOCATOR_STATE }] };
}

export class MultiHeadFocus {
  readonly memory: Memory;
  readonly heads: readonly Head[];

  /** @param pause - awaited between the chunks of a head's long prefill; may throw to give up. */
  constructor(
    { tree, heads }: FocusState,
    model: LoadedModel,
    private readonly telemetry: TelemetryRecorder,
    config: RunConfig,
    pause?: () => Promise<void>,
  ) {
    this.memory = new Memory(tree, model, telemetry);
    this.heads = heads.map(
      (state, id) => new Head({ id, state, memory: this.memory, model, telemetry, config, pause }),
    );
  }

  /** @throws {EngineError} `bad-message` if there is no such head. */
  head(id = 0): Head {
    const head = this.heads[id];
    if (head !== undefined) return head;
    throw new EngineError('bad-message', `The session has ${this.heads.length} heads and no head ${id}.`);
  }

  /** Where memory and heads stand now. */
  get state(): FocusState {
    return { tree: this.memory.tree, heads: this.heads.map(({ state }) => state) };
  }

  /** The newest refocus of any head. */
  get step(): number {
    return Math.max(...this.heads.map(({ step }) => step));
  }

  /**
   * Take tokens into history, gists and every window. What is longer than the open block is compressed with it: the
   * gists are there before the windows take the tokens in.
   *
   * @param refocusFollows - the windows may stand over budget until then: what leaves them is decided by scores that
   * have seen the tokens, and every frame says all of it.
   */
  async append(ids: Uint32Array, origin: Provenance, refocusFollows = false): Promise<void> {
    const { telemetry, memory, heads, step } = this;
    const from = telemetry.now();
    memory.append(ids, origin, step);
    const appendMs = telemetry.now() - from;
    if (memory.tree.pendingGistCount > 0) {
      await telemetry.timed('gist', null, step, () => memory.makeGists(step));
    }
    const fittingFrom = telemetry.now();
    for (const head of heads) head.takeIn(refocusFollows);
    telemetry.latency('ingest', null, step, appendMs + telemetry.now() - fittingFrom);
  }

  /**
   * Take tokens in block by block, with a refocus whenever a block closes; any length fits, since what does not fit
   * a window is compressed.
   *
   * @param onPiece - awaited after each piece.
   * @param everyTokens - refocus more rarely; at the end in any case then.
   */
  async appendByBlocks(
    ids: Uint32Array,
    origin: Provenance,
    onPiece: () => Promise<void> = () => Promise.resolve(),
    everyTokens = K,
  ): Promise<void> {
    const { tree } = this.memory;
    const end = everyTokens === K ? Infinity : tree.tokenCount + ids.length;
    for (const piece of this.memory.pieces(ids, everyTokens)) {
      const after = tree.tokenCount + piece.length;
      const isDue = isRefocusDue(everyTokens, after) || after === end;
      await this.append(piece, origin, isDue);
      if (isDue) await this.refocus('block');
      await onPiece();
    }
  }

  /** @returns how many actions were applied in all heads. */
  async refocus(trigger: RefocusTrigger): Promise<number> {
    let applied = 0;
    for (const head of this.heads) applied += await head.refocus(trigger);
    return applied;
  }

  /**
   * Refocus until nothing moves any more, so that a fact several levels down can be reached. A pass that moved
   * nothing is not the last while cooldowns hold spans back.
   *
   * @param most - passes at most.
   * @param pass - refocuses once and says how many actions were applied; null gives up.
   */
  async settle(most: number, pass: () => Promise<number | null>): Promise<void> {
    for (let passes = 0; passes < most; passes++) {
      const applied = await pass();
      if (applied === null || (applied === 0 && !this.heads.some(({ hasCooldowns }) => hasCooldowns))) return;
    }
  }
}
