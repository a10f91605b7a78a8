/**
 * A run as the page remembers it: frames as keyframes and deltas, metrics per step, decoded tokens. No store,
 * because it is large: drawing code reads it, and whoever subscribes hears that it grew.
 */
import { STAGING_HEAD } from '../../core/heads/head-specs.ts';
import { type RunConfig, changedIds } from '../../core/trace/config.ts';
import type {
  ActionRecord,
  LayoutEntry,
  TelemetryEvent,
  TelemetryEventOf,
} from '../../core/trace/telemetry.ts';
import { type Frame, ScoreColumn, StoredFrame } from './frame.ts';
import { LatencyTable } from './latency-table.ts';
import { LayoutHistory } from './layout-history.ts';
import { scoredLayout } from '../../core/trace/action-replay.ts';

type RefocusEvent = TelemetryEventOf<'refocus'>;

type DecodedToken = TelemetryEventOf<'decode'>;

/** A frame from which on other parameters were in force. */
export interface ConfigChange {
  readonly index: number;
  readonly before: RunConfig;
  readonly after: RunConfig;
}

/** One move to the cold tier or back; `from` is the first frame that was made after it. */
export interface Pruning {
  readonly from: number;
  readonly event: TelemetryEventOf<'prune'>;
}

export class Run {
  readonly #frames: Frame[] = [];
  readonly #layouts = new LayoutHistory();
  readonly #deltaNll = new Map<number, TelemetryEventOf<'deltaNll'>>();
  #scores = new ScoreColumn();
  #latencies = new LatencyTable();
  readonly #decoded = new Map<number, DecodedToken>();
  /** The parameters from a frame on, in order of frames. */
  readonly #configs: { readonly from: number; readonly config: RunConfig }[] = [];
  #configChanges: readonly ConfigChange[] = [];
  readonly #prunings: Pruning[] = [];
  readonly #listeners = new Set<() => void>();
  #violations = 0;
  /** Actions since the last frame; they belong to the story of the next one. */
  #between: ActionRecord[] = [];
  /** Of the heads behind the first, and of the staging context; by their ids. */
  readonly #others = new Map<number, { readonly own: Run; readonly placed: HeadRun }>();
  readonly #routings = new Map<number, TelemetryEventOf<'router'>>();
  readonly #stagings = new Map<number, TelemetryEventOf<'staging'>>();

  /** Ids of the heads that the run told of, ascending; the staging context is 8. */
  get headIds(): readonly number[] {
    return [0, ...[...this.#others.keys()].sort((a, b) => a - b)];
  }

  /** A head's own frames, at the places of the first one's; undefined where the run has no such head. */
  ofHead(id: number): Run | HeadRun | undefined {
    return id === 0 ? this : this.#others.get(id)?.placed;
  }

  /** Which heads are read from a frame on; undefined where there is but one. */
  routingAt(index: number): TelemetryEventOf<'router'> | undefined {
    const frame = this.#frames[index];
    return frame && this.#routings.get(frame.step);
  }

  /** How the staging context served a frame; undefined where there is none. */
  stagingAt(index: number): TelemetryEventOf<'staging'> | undefined {
    const frame = this.#frames[index];
    return frame && this.#stagings.get(frame.step);
  }

  /** At how many steps up to a frame each head was read, and how many steps were routed. */
  readsUpTo(index: number): { readonly byHead: ReadonlyMap<number, number>; readonly steps: number } {
    const last = this.#frames[index]?.step ?? -1;
    const byHead = new Map<number, number>();
    let steps = 0;
    for (const { step, chosen } of this.#routings.values()) {
      if (step > last) continue;
      steps++;
      for (const head of chosen) byHead.set(head, (byHead.get(head) ?? 0) + 1);
    }
    return { byHead, steps };
  }

  /** Expansions of heads up to a frame into what staging held as fine or finer, and those beyond it. */
  stagingUseUpTo(index: number): { readonly hits: number; readonly misses: number } {
    const last = this.#frames[index]?.step ?? -1;
    let hits = 0;
    let misses = 0;
    for (const staging of this.#stagings.values()) {
      if (staging.step > last) continue;
      hits += staging.hits;
      misses += staging.misses;
    }
    return { hits, misses };
  }

  /** What the head was worth to the merged reading wherever that was measured up to a step; nats a token. */
  gainsUpTo(step: number): readonly number[] {
    return [...this.#deltaNll.values()].flatMap(({ step: at, merged }) =>
      merged === undefined || at > step ? [] : [merged.withoutNll - merged.nll],
    );
  }

  get frameCount(): number {
    return this.#frames.length;
  }

  get violations(): number {
    return this.#violations;
  }

  /** Tokens of history that the trace knows of. */
  get cursor(): number {
    return this.#frames.at(-1)?.cursor ?? 0;
  }

  frameAt(index: number): Frame | undefined {
    return this.#frames[index];
  }

  /** What the step axis says of a frame; undefined where it has no number. */
  stepAt(index: number): Pick<Frame, 'step'> | undefined {
    return this.#frames[index];
  }

  /** The layout after the step; shared, never changed. */
  layoutAt(index: number): readonly LayoutEntry[] {
    return this.#layouts.at(index);
  }

  /** The layout that was scored in this step, before its actions; null if scores and entries do not match. */
  scoredLayoutAt(index: number): readonly LayoutEntry[] | null {
    const frame = this.#frames[index];
    if (!frame || frame.scoreCount === 0) return null;
    const layout = scoredLayout(this.layoutAt(index), frame.actions);
    return layout.length === frame.scoreCount ? layout : null;
  }

  deltaNllAt(index: number): TelemetryEventOf<'deltaNll'> | undefined {
    const frame = this.#frames[index];
    return frame && this.#deltaNll.get(frame.step);
  }

  /** Milliseconds per stage, in the order of STAGES. */
  latenciesAt(index: number): Float64Array | undefined {
    const frame = this.#frames[index];
    return frame && this.#latencies.at(frame.step);
  }

  /** The parameters in force at a frame; null where the trace does not say. */
  configAt(index: number): RunConfig | null {
    return this.#configs.findLast(({ from }) => from <= index)?.config ?? null;
  }

  /** Where the parameters changed, in order. A change that no step has run with yet has an index past the last. */
  get configChanges(): readonly ConfigChange[] {
    return this.#configChanges;
  }

  /** What went to the cold tier and what came back, oldest first. */
  get prunings(): readonly Pruning[] {
    return this.#prunings;
  }

  /** The token decoded at an index of the history, if this trace saw it. */
  decodedAt(index: number): DecodedToken | undefined {
    return this.#decoded.get(index);
  }

  /** The last frame whose step is at most `step`; -1 if none. */
  indexOfStep(step: number): number {
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#frames[middle]!.step <= step) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The nearest frame with an applied action in a direction; null if there is none. */
  nextAction(from: number, direction: 1 | -1): number | null {
    for (let i = from + direction; i >= 0 && i < this.#frames.length; i += direction) {
      const frame = this.#frames[i]!;
      if (frame.expansions + frame.collapses + frame.evictions + frame.readmissions > 0) return i;
    }
    return null;
  }

  /** @param tells - whoever subscribes; not while more of the same is at hand. */
  append(events: readonly TelemetryEvent[], tells = true): void {
    if (events.length === 0) return;
    for (const event of events) this.#accept(event);
    if (tells) this.tell();
  }

  /** Forget everything: another session was opened. */
  reset(): void {
    this.#frames.length = 0;
    this.#layouts.clear();
    this.#deltaNll.clear();
    this.#latencies = new LatencyTable();
    this.#scores = new ScoreColumn();
    this.#decoded.clear();
    this.#configs.length = 0;
    this.#configChanges = [];
    this.#others.clear();
    this.#routings.clear();
    this.#stagings.clear();
    this.#prunings.length = 0;
    this.#between = [];
    this.#violations = 0;
    this.tell();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Say that the run is another one. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** What concerns another head than the first is told to its own run; whoever decodes, decodes for all. */
  #accept(event: TelemetryEvent): void {
    const head = 'head' in event && event.type !== 'decode' ? (event.head ?? 0) : 0;
    const run = head > 0 ? this.#otherAt(head) : this;
    run.#keep(event);
  }

  #keep(event: TelemetryEvent): void {
    switch (event.type) {
      case 'refocus':
        this.#acceptFrame(event);
        return;
      case 'deltaNll':
        this.#deltaNll.set(event.step, event);
        return;
      case 'latency':
        this.#latencies.add(event.step, event.stage, event.ms);
        return;
      case 'decode':
        this.#decoded.set(event.index, event);
        return;
      case 'violation':
        this.#violations++;
        return;
      case 'session':
        this.#acceptConfig(event.config);
        return;
      case 'action':
        this.#between.push(event.action);
        return;
      case 'ingest':
      case 'gist':
      case 'score':
      case 'evict':
      case 'readmit':
      case 'sensitivity':
      case 'hide':
        return;
      case 'router':
        this.#routings.set(event.step, event);
        return;
      case 'staging':
        this.#stagings.set(event.step, event);
        return;
      case 'prune':
        this.#prunings.push({ from: this.#frames.length, event });
        return;
      default:
        event satisfies never;
    }
  }

  #acceptConfig(config: RunConfig): void {
    const before = this.#configs.at(-1)?.config;
    const from = this.#frames.length;
    this.#configs.push({ from, config });
    if (before === undefined || changedIds(before, config).length === 0) return;
    // A session that is opened again before it goes on tells of its parameters anew: the last ones are in force.
    const earlier = this.#configChanges.filter(({ index }) => index < from);
    const first = this.#configChanges[earlier.length]?.before ?? before;
    const isBack = changedIds(first, config).length === 0;
    this.#configChanges = isBack ? earlier : [...earlier, { index: from, before: first, after: config }];
  }

  #otherAt(head: number): Run {
    const known = this.#others.get(head);
    if (known) return known.own;
    const own = new Run();
    this.#others.set(head, { own, placed: new HeadRun(head, this, own) });
    return own;
  }

  #acceptFrame(event: RefocusEvent): void {
    if (!this.#layouts.append(event.layout)) return;
    this.#frames.push(new StoredFrame(this.#frames.length, event, this.#scores, this.#between));
    this.#between = [];
  }
}

/**
 * The run of one head, at the places of the first one's: all heads stand on one playhead. Where it was not there, before
 * it came or after it went, the first one's frames stand, so that every place has one.
 */
export class HeadRun {
  readonly #places: Run;
  readonly #own: Run;
  readonly #id: number;

  /** @param places - whose frames are the places. @param own - the head's. */
  constructor(id: number, places: Run, own: Run) {
    this.#id = id;
    this.#places = places;
    this.#own = own;
  }

  get frameCount(): number {
    return this.#places.frameCount;
  }

  get cursor(): number {
    return this.#places.cursor;
  }

  get violations(): number {
    return this.#own.violations;
  }

  get prunings() {
    return this.#places.prunings;
  }

  get configChanges() {
    return this.#places.configChanges;
  }

  get headIds(): readonly number[] {
    return this.#places.headIds;
  }

  ofHead(id: number): Run | HeadRun | undefined {
    return this.#places.ofHead(id);
  }

  routingAt(index: number) {
    return this.#places.routingAt(index);
  }

  readsUpTo(index: number) {
    return this.#places.readsUpTo(index);
  }

  gainsUpTo(step: number) {
    return this.#own.gainsUpTo(step);
  }

  stagingAt(index: number) {
    return this.#places.stagingAt(index);
  }

  stagingUseUpTo(index: number) {
    return this.#places.stagingUseUpTo(index);
  }

  frameAt(index: number) {
    const at = this.#at(index);
    return at < 0 ? this.#places.frameAt(index) : this.#own.frameAt(at);
  }

  stepAt(index: number) {
    return this.#places.stepAt(index);
  }

  layoutAt(index: number) {
    const at = this.#at(index);
    return at < 0 ? this.#places.layoutAt(index) : this.#own.layoutAt(at);
  }

  scoredLayoutAt(index: number) {
    const at = this.#at(index);
    return at < 0 ? this.#places.scoredLayoutAt(index) : this.#own.scoredLayoutAt(at);
  }

  deltaNllAt(index: number) {
    const at = this.#at(index);
    return at < 0 ? this.#places.deltaNllAt(index) : this.#own.deltaNllAt(at);
  }

  latenciesAt(index: number) {
    const at = this.#at(index);
    return at < 0 ? this.#places.latenciesAt(index) : this.#own.latenciesAt(at);
  }

  configAt(index: number) {
    return this.#places.configAt(index);
  }

  decodedAt(index: number) {
    return this.#places.decodedAt(index);
  }

  indexOfStep(step: number): number {
    return this.#places.indexOfStep(step);
  }

  nextAction(from: number, direction: 1 | -1): number | null {
    for (let i = from + direction; i >= 0 && i < this.frameCount; i += direction) {
      const frame = this.frameAt(i);
      if (frame && frame.expansions + frame.collapses + frame.evictions + frame.readmissions > 0) return i;
    }
    return null;
  }

  /** The head's newest frame up to a place; -1 where it was not there. */
  #at(index: number): number {
    const step = this.#places.stepAt(index)?.step;
    const config = this.#places.configAt(index);
    if (step === undefined || (config !== null && !hasHead(config, this.#id))) return -1;
    return this.#own.indexOfStep(step);
  }
}

/** Whether a run with these parameters has a head, or the staging context. */
export function hasHead(config: RunConfig, id: number): boolean {
  return id === STAGING_HEAD ? config.stagingBudgetTokens > 0 : id < config.heads;
}
