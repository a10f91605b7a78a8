/**
 * A memory and the heads that read it: new tokens go into the one and then into every working context, a refocus
 * passes over all of them, and what the base reads is merged. Decides nothing about when to run.
 */
import type { RunConfig } from '../../../core/trace/config.ts';
import { type AnswerPace, answerPace, totalWork } from '../../../core/allocator/answer-pace.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { INITIAL_ALLOCATOR_STATE } from '../../../core/allocator/pass/allocator-state.ts';
import { emptyLayout, type PinnedSpan } from '../../../core/context/working-context.ts';
import type { Entry } from '../../../core/context/working-context.ts';
import { rawBlocks } from '../../../core/heads/coverage.ts';
import { headConfig, mutedHeads } from '../../../core/heads/head-specs.ts';
import { routeHeads, type Routing } from '../../../core/heads/router.ts';
import type { StagedView } from '../../../core/heads/staging.ts';
import { GistTree } from '../../../core/tree/gist-tree.ts';
import { isRefocusDue } from '../../../core/allocator/refocus-cadence.ts';
import type { SealedIndex } from '../../../core/lexical/window-index.ts';
import { K, type Lod, type NodeRun } from '../../../core/tree/ids.ts';
import type { Provenance } from '../../../core/tree/provenance.ts';
import type { ActionRecord } from '../../../core/trace/telemetry.ts';
import type { FirstChoice, LoadedModel } from '../../../nn/ports.ts';
import type { StoredStaging } from '../../../storage/ports.ts';
import type { KeptLens } from './lens-variant.ts';
import { continuationStates } from '../decoding/continuation-states.ts';
import { gatedRows, headGains, type HeadGains, type ReadRows } from '../decoding/head-gains.ts';
import { readMerged } from '../decoding/merged-reading.ts';
import { Memory } from '../memory/memory.ts';
import { EngineError } from '../messages/errors.ts';
import type { TelemetryRecorder } from '../telemetry/telemetry-recorder.ts';
import { Head } from './head.ts';
import type { HeadState, HeadSurroundings, RefocusTrigger } from './head.ts';
import { learnedUtilities } from './learned-heads.ts';
import { Staging, type StagingState } from './staging.ts';

/** Where memory and heads stand as they start or were read back. */
export interface FocusState {
  readonly tree: GistTree;
  /** Of the tree's words, as it was stored; absent where it is to be built from the tokens. */
  readonly index?: SealedIndex | undefined;
  /** By the heads' ids; those that a run has beyond them begin with the recency assembly. */
  readonly heads: readonly HeadState[];
  /** Of the staging context; absent where there is none yet. */
  readonly staging?: StagingState | undefined;
  /** Which heads are read; absent before the first refocus. */
  readonly routing?: Routing | undefined;
}

/** What the heads that are read predict. */
export interface FocusPrediction {
  /** `[V]` for the next token; borrowed until the next call. */
  readonly logits: Float32Array;
  /** Who read it, or counted most. */
  readonly head: Head;
  /** Heads and weights where several were merged. */
  readonly merged: readonly (readonly [head: number, weight: number])[] | null;
  /** Of `head`; null where it was not read. */
  readonly attention: { readonly weights: Float32Array; readonly entries: readonly Entry[] } | null;
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
  private list: readonly Head[] = [];
  private staging: Staging | null = null;
  private routing: Routing;
  private lens: KeptLens | null = null;
  private pinned: readonly PinnedSpan[] = [];
  private readonly around: HeadSurroundings;

  /** @param pause - awaited between the chunks of a head's long prefill; may throw to give up. */
  constructor(
    { tree, heads, staging, routing, index }: FocusState,
    private readonly model: LoadedModel,
    private readonly telemetry: TelemetryRecorder,
    private config: RunConfig,
    private readonly pause?: () => Promise<void>,
  ) {
    this.memory = new Memory(tree, model, telemetry, index);
    this.around = {
      newestStep: () => this.step,
      heldBefore: (head) => this.heldBefore(head),
      decoders: () => this.list.map(({ decoder }) => decoder),
      staged: (): StagedView | null => this.staging?.view ?? null,
    };
    this.list = Array.from({ length: config.heads }, (_, id) =>
      this.createHead(
        id,
        heads[id],
        heads.reduce((most, { allocator }) => Math.max(most, allocator.step), 0),
      ),
    );
    if (config.stagingBudgetTokens > 0) this.staging = this.createStaging(staging);
    this.routing = routing ?? this.route();
  }

  get heads(): readonly Head[] {
    return this.list;
  }

  /** @throws {EngineError} `bad-message` if there is no such head. */
  head(id = 0): Head {
    const head = this.list[id];
    if (head !== undefined) return head;
    throw new EngineError('bad-message', `The session has ${this.list.length} heads and no head ${id}.`);
  }

  /** Where memory and heads stand now. */
  get state(): FocusState {
    return {
      tree: this.memory.tree,
      heads: this.list.map(({ state }) => state),
      staging: this.staging?.state,
      routing: this.routing,
    };
  }

  /** The newest refocus of any head. */
  get step(): number {
    return this.list.reduce((most, { step }) => Math.max(most, step), 0);
  }

  /** Which heads the base reads, and why. */
  get routed(): Routing {
    return this.routing;
  }

  /** What storage is to keep of a staging context that was refocused at the newest step; null where it was not. */
  get stagingToKeep(): StoredStaging | null {
    return this.staging?.keptOf(this.step) ?? null;
  }

  /** Cold nodes that the newest refocus of the staging context asked for; none where that was not at this step. */
  get coldWanted(): readonly NodeRun[] {
    return this.staging?.coldAt(this.step) ?? [];
  }

  /** Spans that the researcher pinned; read at every refocus. */
  set pins(pins: readonly PinnedSpan[]) {
    this.pinned = pins;
    for (const head of this.list) head.pins = pins;
    if (this.staging !== null) this.staging.pins = pins;
  }

  /** Parameters for the refocuses from now on: heads come, beginning with the recency assembly, or go. */
  setConfig(config: RunConfig): void {
    this.config = config;
    for (const head of this.list.slice(config.heads)) head.dispose();
    const kept = this.list.slice(0, config.heads);
    for (const head of kept) head.setConfig(config);
    const { step } = this;
    const added = Array.from({ length: Math.max(0, config.heads - kept.length) }, (_, i) =>
      this.createHead(kept.length + i, undefined, step),
    );
    this.list = [...kept, ...added];
    if (config.stagingBudgetTokens === 0) this.staging = null;
    else if (this.staging === null) this.staging = this.createStaging(undefined);
    else this.staging.setConfig(config);
    this.routing = this.route();
  }

  /** The session's own LensNet for the refocuses from now on; null: the model's again. */
  useLens(kept: KeptLens | null): void {
    this.lens = kept;
    for (const head of this.list) head.useLens(kept);
    this.staging?.useLens(kept);
  }

  /**
   * Take tokens into history, gists and every window. What is longer than the open block is compressed with it: the
   * gists are there before the windows take the tokens in.
   *
   * @param refocusFollows - the windows may stand over budget until then: what leaves them is decided by scores that
   * have seen the tokens, and every frame says all of it.
   */
  async append(ids: Uint32Array, origin: Provenance, refocusFollows = false): Promise<void> {
    const { telemetry, memory, list, step } = this;
    const from = telemetry.now();
    memory.append(ids, origin, step);
    const appendMs = telemetry.now() - from;
    if (memory.tree.pendingGistCount > 0) {
      await telemetry.timed('gist', null, step, () => memory.makeGists(step));
    }
    const fittingFrom = telemetry.now();
    for (const head of list) head.takeIn(refocusFollows);
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

  /** How often, and how far, an answer is followed; null where it is at every block without a limit. */
  answerPace(): AnswerPace | null {
    const { kvMode, answerFocusShare, maxActions } = this.config;
    if (kvMode === 'exact' || answerFocusShare === 0) return null;
    const works = this.list.map((head) => head.answerWork());
    const known = works.filter((work) => work !== null);
    if (known.length < works.length) return null;
    const token = this.reading().reduce((sum, { id }) => sum + known[id]!.token, 0);
    return answerPace(answerFocusShare, maxActions, { ...totalWork(known), token });
  }

  /**
   * One pass over staging, where it is due, and all heads.
   *
   * @param maxActions - of each head, in one look, in place of the parameters.
   * @returns how many actions were applied in all heads.
   */
  async refocus(trigger: RefocusTrigger, maxActions?: number): Promise<number> {
    const { step, telemetry, staging } = this;
    await staging?.refocusIfDue(trigger, step);
    const actions: ActionRecord[] = [];
    for (const head of this.list) actions.push(...(await head.refocus(trigger, step, maxActions)));
    const from = telemetry.now();
    this.routing = this.route();
    if (this.list.length > 1) {
      const { utilities, chosen, confidence } = this.routing;
      telemetry.emit({
        ...telemetry.base(step + 1),
        type: 'router',
        cursor: this.memory.tree.tokenCount,
        router: this.config.router,
        utilities: [...utilities],
        chosen: [...chosen],
        confidence,
        ms: telemetry.now() - from,
      });
    }
    staging?.report(actions, step + 1);
    return actions.filter(({ applied }) => applied).length;
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
      if (applied === null || (applied === 0 && !this.list.some(({ hasCooldowns }) => hasCooldowns))) return;
    }
  }

  /** The heads that are read, in order. @param only - this one alone. */
  reading(only?: number): readonly Head[] {
    return only === undefined ? this.routing.chosen.map((id) => this.head(id)) : [this.head(only)];
  }

  /**
   * What follows the history most likely, where one head is read and the device chooses.
   *
   * @param tokens - how many from here on are chosen so, with no refocus between them.
   * @param only - that head alone.
   * @returns null where `predict` has to be asked.
   */
  async predictFirst(
    tokens: number,
    only?: number,
  ): Promise<{ readonly choice: FirstChoice; readonly head: Head } | null> {
    const [head, ...others] = this.reading(only);
    if (others.length > 0) return null;
    const { layout, decoder, parameters } = head!;
    const chosen = await decoder.syncChoice(layout, parameters.budgetTokens, tokens);
    return chosen && { choice: chosen.choice, head: head! };
  }

  /** What follows the history. @param only - as that head alone has it; else as the chosen ones merged. */
  async predict(only?: number): Promise<FocusPrediction> {
    const heads = this.reading(only);
    const [first] = heads;
    if (heads.length === 1) {
      const { layout, decoder, parameters } = first!;
      const { logits, attention, entries } = await decoder.sync(layout, parameters.budgetTokens);
      const read = attention === null ? null : { weights: attention, entries };
      return { logits, head: first!, merged: null, attention: read };
    }
    const { base } = this.model;
    const taking = heads.map(({ id, decoder, layout, parameters }) => {
      const { budgetTokens } = parameters;
      return { id, decoder, layout, budgetTokens, utility: this.routing.utilities[id]! };
    });
    const { merger, heads: count } = this.config;
    const gateOf = this.model.focusHeads?.get(count)?.merger ?? null;
    const { logits, weights } = await readMerged(base, taking, merger, gateOf);
    const strongest = weights.reduce((best, weight, i) => (weight > weights[best]! ? i : best), 0);
    const merged = heads.map(({ id }, i) => [id, weights[i]!] as const);
    const head = heads[strongest]!;
    return { logits, head, merged, attention: head.decoder.attentionOver(head.layout) };
  }

  /**
   * What each head that is read is worth for tokens that follow.
   *
   * @param ids - as many as a continuation may have.
   * @returns by head; null where one alone is read.
   */
  async gains(ids: Uint32Array): Promise<(HeadGains & { readonly heads: readonly number[] }) | null> {
    const reading = this.reading();
    const { merger } = this.config;
    if (reading.length === 1) return null;
    const heads = merger === 'learned' ? await this.gatedBy(ids) : await this.readRows(ids);
    return { ...headGains(heads, ids, merger), heads: reading.map(({ id }) => id) };
  }

  /** What each head that is read predicts of tokens that follow. */
  private async readRows(ids: Uint32Array): Promise<readonly ReadRows[]> {
    const heads: ReadRows[] = [];
    for (const { id, decoder, layout, parameters } of this.reading()) {
      const rows = await decoder.continuationRows(layout, ids, parameters.budgetTokens);
      heads.push({ rows, utility: this.routing.utilities[id]! });
    }
    return heads;
  }

  /** The same with what the learned merger makes of it. */
  private async gatedBy(ids: Uint32Array): Promise<readonly ReadRows[]> {
    const { base, manifest, focusHeads } = this.model;
    const { trainedContextTokens } = manifest;
    const reading = this.reading();
    const states = await continuationStates(base, this.memory.tree, trainedContextTokens, reading, ids);
    const gateOf = focusHeads!.get(this.config.heads)!.merger!;
    const utilities = reading.map(({ id }) => this.routing.utilities[id]!);
    return gatedRows(states, await base.logitsOf(states), utilities, gateOf, ids.length);
  }

  /** Gists were made anew: what was read of the old ones is forgotten. */
  gistsChanged(run: NodeRun): void {
    for (const head of this.list) head.gistsChanged(run);
  }

  /** Give the key-value caches back. */
  dispose(): void {
    for (const head of this.list) head.dispose();
  }

  /** @param step - the newest refocus of any head. */
  private createHead(id: number, state: HeadState | undefined, step: number): Head {
    const { memory, model, telemetry, config, around, pause } = this;
    const head = new Head({
      id,
      state: state ?? this.assembled(id, step),
      memory,
      model,
      telemetry,
      config,
      around,
      pause,
    });
    if (this.lens !== null) head.useLens(this.lens);
    head.pins = this.pinned;
    return head;
  }

  private createStaging(state: StagingState | undefined): Staging {
    const { memory, model, telemetry, config, around } = this;
    const staging = new Staging({ state: state ?? null, memory, model, telemetry, config, around });
    if (this.lens !== null) staging.useLens(this.lens);
    staging.pins = this.pinned;
    return staging;
  }

  private assembled(id: number, step: number): HeadState {
    const { layout } = assembleByRecency(this.memory.tree, headConfig(this.config, id), K);
    return { layout, allocator: { ...INITIAL_ALLOCATOR_STATE, step } };
  }

  private route(): Routing {
    const { router, headTopK: topK } = this.config;
    const statistics = this.list.map((head) => head.statistics);
    const learned = learnedUtilities(this.model, this.memory.tree, this.config, statistics);
    return routeHeads({ router, topK, muted: mutedHeads(this.config), statistics, learned });
  }

  private heldBefore(head: number): ReadonlySet<number> {
    const held = new Set<number>();
    for (const { layout, recentStart } of this.list.slice(0, head)) {
      for (const block of rawBlocks(layout.entries, recentStart)) held.add(block);
    }
    return held;
  }
}
