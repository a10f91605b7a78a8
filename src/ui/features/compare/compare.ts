/** Comparing two runs: which ones, by what they are aligned, and the one playhead on which both stand. */
import { createStore } from 'zustand';
import type { AlignmentKey } from '../../../core/trace/divergence.ts';
import { Commands } from '../../commands/commands.ts';
import { playbackCommands } from '../../commands/playback-commands.ts';
import type { Registry } from '../../commands/registry.ts';
import { viewCommands } from '../../commands/view-commands.ts';
import type { Model } from '../../model/model.ts';
import { Playhead } from '../../model/playhead.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { RunView } from '../../model/run-view.ts';
import type { RunSource } from '../../model/shown-run.ts';
import { Tracks } from '../../model/tracks.ts';
import { Viewport } from '../../model/viewport.ts';
import { type ComparedSource, ComparedSources } from './compared-source.ts';
import { Comparison, type ComparedHeads } from './comparison.ts';
import { PlacedSource } from './placed-run.ts';
import type { RunChoice, Side } from './sides.ts';
import { readTexts } from './span-texts.ts';

export interface CompareState {
  readonly a: RunChoice | null;
  readonly b: RunChoice | null;
  readonly loading: Side | null;
  readonly arrangement: 'sides' | 'stacked';
  readonly by: AlignmentKey;
  /** Which head of each run is shown. */
  readonly heads: ComparedHeads;
  /** Null until both runs are there; another one whenever the runs grew or are aligned otherwise. */
  readonly comparison: Comparison | null;
}

/** Live runs grow; comparing them afresh with every frame would be the page's main work. */
const RECOMPARE_MS = 700;

export class Compare {
  readonly sources: ComparedSources;
  /** The time of both runs, in places of their alignment. */
  readonly playhead = new Playhead();
  readonly views: Readonly<Record<Side, RunView>>;
  /** What the timeline's keys do while the comparison is open. */
  readonly commands = new Commands();
  readonly #store = createStore<CompareState>()(() => ({
    a: null,
    b: null,
    loading: null,
    arrangement: 'sides',
    by: 'step',
    heads: { a: 0, b: 0 },
    comparison: null,
  }));
  readonly #model: Model;
  readonly #viewport: Viewport;
  #loaded: Partial<Record<Side, ComparedSource>> = {};
  #loading: AbortController | null = null;
  #stopListening: readonly (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ model, commands }: Pick<Registry, 'model' | 'commands'>) {
    this.#model = model;
    this.sources = new ComparedSources(model);
    const subscribe: RunSource['subscribe'] = (listener) => this.#store.subscribe(listener);
    const sourceOf = (side: Side) => new PlacedSource(side, () => this.comparison, subscribe);
    const runs = { a: sourceOf('a'), b: sourceOf('b') };
    // Both have the same places and show the same tokens.
    this.#viewport = new Viewport(runs.a);
    this.views = { a: this.#viewOf('a', runs.a), b: this.#viewOf('b', runs.b) };
    this.commands.register(
      ...playbackCommands(this.views.a),
      // Escape closes the comparison.
      ...viewCommands(this.views.a).filter(({ id }) => id !== 'deselect'),
    );
    commands.register({
      id: 'compare',
      title: 'Compare two runs',
      group: 'Session',
      keys: ['v'],
      run: () => {
        this.#open();
      },
    });
  }

  get store(): ReadableStore<CompareState> {
    return this.#store;
  }

  get comparison(): Comparison | null {
    return this.#store.getState().comparison;
  }

  arrange(arrangement: CompareState['arrangement']): void {
    this.#store.setState({ arrangement });
  }

  /** Show another head of a run against the other run's. */
  showHead(side: Side, head: number): void {
    this.#store.setState(({ heads }) => ({ heads: { ...heads, [side]: head } }));
    this.#compare();
  }

  /** Compare two sessions, as a branch and its original. */
  openSessions(originalId: string, otherId: string): void {
    this.#comeForward();
    void this.#choosePair(this.sources.ofSession(originalId), this.sources.ofSession(otherId));
  }

  close(): void {
    this.#loading?.abort();
    this.playhead.pause();
    this.#loaded = {};
    this.#show();
    this.#store.setState({ loading: null });
    this.#model.shell.setState({ dialog: null });
  }

  /** Put a run on one side. */
  async choose(side: Side, choice: RunChoice): Promise<void> {
    await this.#load(side, choice.title, async (signal) => ({
      choice,
      source: await this.sources.load(choice, signal),
    }));
  }

  /** Put a trace file on one side. */
  async chooseFile(side: Side, file: File): Promise<void> {
    await this.#load(side, file.name, async (signal) => {
      const { choice, fault } = await this.sources.takeFile(file, signal);
      if (fault !== null) {
        this.#model.problems.reportError(`${file.name} could not be read to its end`, fault);
      }
      return { choice, source: await this.sources.load(choice, signal) };
    });
  }

  /** Trade the sides; the playhead stays where it is. */
  swapSides(): void {
    const { a, b, heads } = this.#store.getState();
    const { index } = this.playhead.state;
    this.#loaded = {
      ...(this.#loaded.b && { a: this.#loaded.b }),
      ...(this.#loaded.a && { b: this.#loaded.a }),
    };
    this.#store.setState({ a: b, b: a, heads: { a: heads.b, b: heads.a } });
    this.#show();
    this.views.a.seekTo(index);
  }

  /** Change what the runs have in common on the playhead; it stays at A's step. */
  alignBy(by: AlignmentKey): void {
    const step = this.comparison?.frameOf('a', this.playhead.state.index)?.step;
    this.#store.setState({ by });
    this.#compare();
    this.#viewport.followRun();
    const place = step === undefined ? -1 : (this.comparison?.placeOfStep('a', step) ?? -1);
    if (place >= 0) this.views.a.seekTo(place);
  }

  #viewOf(side: Side, source: RunSource): RunView {
    const other = side === 'a' ? 'b' : 'a';
    return new RunView(source, this.playhead, this.#viewport, {
      // Their figures stand in the table.
      tracks: new Tracks(),
      readSpan: async (start, end, maxCharacters) => {
        const compared = this.comparison?.sources[side];
        const [text = ''] = compared ? await readTexts(compared, [[start, end]]) : [];
        return { text: text.slice(0, maxCharacters), truncated: text.length > maxCharacters };
      },
      difference: {
        isAt: (place) => this.comparison?.differsAt(place) ?? false,
        hasAlone: (entry) =>
          this.comparison !== null && !this.comparison.holds(other, this.playhead.state.index, entry),
        slots: () => this.comparison?.slotsAt(this.playhead.state.index) ?? 1,
      },
    });
  }

  /** Open with what was compared last, else with the shown run and, if there is one, a recording. */
  #open(): void {
    this.#comeForward();
    if (this.#model.mirror.getState().boot !== null) void this.#model.actions.refreshSessions();
    const choices = this.sources.choices();
    const find = (wanted: RunChoice | null) => choices.find(({ id }) => id === wanted?.id) ?? null;
    const { a, b } = this.#store.getState();
    const first = find(a) ?? choices.find(({ id }) => id === 'live') ?? null;
    const shown = this.#model.shown.isLive ? null : choices.find(({ id }) => id === 'recording');
    void this.#choosePair(first, find(b) ?? shown ?? null);
  }

  #comeForward(): void {
    const { colourBy, selection } = this.#model.view.viewport.state;
    this.#viewport.set({ colourBy, selection, tableOpen: false });
    this.#model.shell.setState({ dialog: 'compare' });
  }

  async #choosePair(a: RunChoice | null, b: RunChoice | null): Promise<void> {
    this.#loaded = {};
    this.#store.setState({ a: null, b: null });
    this.#show();
    if (a) await this.choose('a', a);
    if (b) await this.choose('b', b);
  }

  async #load(
    side: Side,
    title: string,
    read: (signal: AbortSignal) => Promise<{ readonly choice: RunChoice; readonly source: ComparedSource }>,
  ): Promise<void> {
    this.#loading?.abort();
    const controller = new AbortController();
    this.#loading = controller;
    this.playhead.pause();
    this.#store.setState({ loading: side });
    try {
      const { choice, source } = await read(controller.signal);
      if (controller.signal.aborted) return;
      this.#loaded = { ...this.#loaded, [side]: source };
      this.#store.setState(({ heads }) => ({ [side]: choice, heads: { ...heads, [side]: 0 } }));
      this.#show();
    } catch (error) {
      if (!controller.signal.aborted) {
        this.#model.problems.reportError(`${title} cannot be compared`, error);
      }
    } finally {
      if (this.#loading === controller) this.#store.setState({ loading: null });
    }
  }

  /** Compare what is loaded from now on; the playhead goes to where the runs part. */
  #show(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const stop of this.#stopListening) stop();
    this.#stopListening = Object.values(this.#loaded).map(({ run }) =>
      run.subscribe(() => {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#compare();
        }, RECOMPARE_MS);
      }),
    );
    this.#compare();
    const { comparison } = this;
    if (!comparison) return;
    this.#viewport.followRun();
    this.views.a.seekTo(comparison.divergences[0]?.place ?? comparison.count - 1);
  }

  /** Measure the runs again, after one grew or the alignment changed; the playhead keeps its key. */
  #compare(): void {
    const { a, b } = this.#loaded;
    const { by, heads } = this.#store.getState();
    const { index } = this.playhead.state;
    const key = this.comparison?.by === by ? this.comparison.keyOf(index) : undefined;
    const comparison = a && b ? new Comparison({ a, b }, by, heads) : null;
    const kept = comparison && key !== undefined ? comparison.placeOfKey(key) : index;
    this.playhead.setFrameCount(comparison?.count ?? 0, kept);
    this.#store.setState({ comparison });
  }
}
