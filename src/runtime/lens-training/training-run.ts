/** One training run: collects counterfactuals and asks the history about itself, then takes steps; pauses between two steps, gives way to answers. */
import type { RunConfig } from '../../core/trace/config.ts';
import type { PositionScheme } from '../../core/context/position-scheme.ts';
import { Rng } from '../../base/rng.ts';
import type { HistoryWords } from '../../core/lexical/history-words.ts';
import { entryScores } from '../../core/policies/scores.ts';
import { buildSlotView } from '../../core/context/slot-view.ts';
import type { SlotView } from '../../core/context/slot-view.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import type { EntryTarget, LensTrainer, LensWorkshop, LoadedModel } from '../../nn/ports.ts';
import type { LensNetVariant } from '../../nn/model-folder/manifest.ts';
import { yieldToEvents } from '../../base/clock.ts';
import { toWireError } from '../session/messages/errors.ts';
import type { WireError } from '../session/messages/wire-error.ts';
import type { KeptLens } from '../session/head/lens-variant.ts';
import { measureAnswers } from './answer-measure.ts';
import type { ClozePlace } from './cloze-places.ts';
import {
  type ClozeState,
  clozeTargets,
  clozeView,
  collectClozeStates,
  measureCloze,
} from './cloze-states.ts';
import { type MeasuredState, collectStates } from './collect.ts';
import { TRAINED_FILE } from './kept-lens.ts';
import type {
  LensDataset,
  LensTrainingOptions,
  LensTrainingReport,
  LossPoint,
  RoutingMeasure,
} from './messages.ts';
import type { SampledState } from './sampled-states.ts';
import { type ScoredState, measureRouting } from './routing-measure.ts';
import { TELLING_NATS, targetsOf, worthOfDetail, worthScale } from './targets.ts';

const EXAMPLES_PER_STEP = 4;
const WARM_UP_STEPS = 5;
/** Share of the learning rate at the end of its cosine. */
const LAST_RATE = 0.1;
/** How often the held-out states are measured on the way. */
const MEASURES = 6;

export interface RunInput {
  readonly workshop: LensWorkshop;
  readonly model: LoadedModel;
  readonly tree: GistTree;
  /** Of the tree's history. */
  readonly words: HistoryWords;
  readonly config: RunConfig;
  readonly positionScheme: PositionScheme;
  /** In order. */
  readonly sampled: readonly SampledState[];
  /** Questions made of the history's own sentences, in order. */
  readonly cloze: readonly ClozePlace[];
  /** Answers that are asked for again where no places are sampled, in order. */
  readonly answers: readonly SampledState[];
  /** Where training starts from. */
  readonly lens: KeptLens & { readonly weights: ArrayBuffer };
  readonly options: LensTrainingOptions;
  /** The answer being decoded, or null. */
  readonly answering: () => Promise<unknown> | null;
  readonly now: () => number;
  readonly onChange: () => void;
  /** What was learned so far is worth writing down. */
  readonly onCheckpoint: (weights: ArrayBuffer, step: number) => Promise<void>;
}

/** What is learned from. */
type LearnedState = MeasuredState | ClozeState;

/** Thrown inside the run when it is to end. */
class RunEnded extends Error {
  override readonly name = 'RunEnded';
}

export class TrainingRun {
  private phase: 'collecting' | 'training' | 'paused' | 'done' | 'stopped' = 'collecting';
  private waiting = false;
  private collected: NonNullable<LensTrainingReport['collected']>;
  private dataset: LensDataset | null = null;
  private readonly losses: LossPoint[] = [];
  private before: RoutingMeasure | null = null;
  private after: RoutingMeasure | null = null;
  private problem: WireError | null = null;
  private trainer: LensTrainer | null = null;
  private states: readonly MeasuredState[] = [];
  private clozeStates: readonly ClozeState[] = [];
  private isEnding = false;
  private wake: (() => void) | null = null;
  private workedMs = 0;
  private readonly work: Promise<void>;

  constructor(private readonly input: RunInput) {
    this.collected = { done: 0, total: input.sampled.length, moves: 0 };
    this.work = this.run();
  }

  get isActive(): boolean {
    return this.phase === 'collecting' || this.phase === 'training';
  }

  /** Of the LensNet under training. */
  get variant(): LensNetVariant {
    return this.input.lens.variant;
  }

  get hasCandidate(): boolean {
    return this.step > 0;
  }

  get report(): Pick<
    LensTrainingReport,
    | 'phase'
    | 'waiting'
    | 'options'
    | 'collected'
    | 'dataset'
    | 'step'
    | 'losses'
    | 'before'
    | 'after'
    | 'remainingMs'
    | 'hasCandidate'
    | 'problem'
  > {
    const { phase, waiting, collected, dataset, step, before, after, problem, hasCandidate } = this;
    const { options } = this.input;
    const losses = [...this.losses];
    const remainingMs = this.remainingMs();
    return {
      ...{ phase, waiting, options, collected, dataset, step, losses },
      ...{ before, after, remainingMs, hasCandidate, problem },
    };
  }

  /** What was learned by the last whole step. @throws {WeightError} if it does not fit float16. */
  candidate(): ArrayBuffer | null {
    return this.trainer === null || !this.hasCandidate ? null : this.trainer.encodeWeights(TRAINED_FILE);
  }

  /** No further step begins. Collecting goes on: what it measures is not lost. */
  pause(): void {
    if (this.phase !== 'training') return;
    this.setPhase('paused');
  }

  resume(): void {
    if (this.phase !== 'paused') return;
    this.setPhase('training');
    this.wake?.();
  }

  /** Give up for good. Resolves when nothing of it runs any more. */
  async end(): Promise<void> {
    this.isEnding = true;
    this.wake?.();
    await this.work;
    this.trainer?.dispose();
  }

  private get step(): number {
    return this.losses.length;
  }

  private async run(): Promise<void> {
    const { options, workshop, lens } = this.input;
    try {
      await this.collect();
      this.trainer = await workshop.createTrainer(lens.weights, 'LensNet in use');
      this.before = await this.measure(lens, 0);
      this.workedMs = 0;
      this.setPhase('training');
      const every = Math.ceil(options.steps / MEASURES);
      while (this.step < options.steps) {
        await this.yieldToEvents();
        await this.takeStep(this.trainer);
        if (this.step % every === 0 || this.step === options.steps) await this.checkpoint(this.trainer);
        this.input.onChange();
      }
      this.setPhase('done');
    } catch (error) {
      if (!(error instanceof RunEnded)) this.problem = problemOf(error, this.step);
      this.setPhase('stopped');
    } finally {
      this.trainer?.dropStep();
    }
  }

  private async collect(): Promise<void> {
    const { input } = this;
    const from = input.now();
    this.states = await collectStates({
      ...input,
      base: input.model.base,
      lensNet: input.lens.net,
      rng: new Rng(input.options.seed),
      yieldToEvents: () => this.yieldToEvents(),
      onState: (done, moves) => {
        this.collected = { ...this.collected, done, moves };
        this.workedMs = input.now() - from;
        input.onChange();
      },
    });
    this.clozeStates = await collectClozeStates({
      ...input,
      lensNet: input.lens.net,
      places: input.cloze,
      rng: new Rng(input.options.seed).split(2),
      yieldToEvents: () => this.yieldToEvents(),
    });
    const parts = [this.training, this.heldOut].map((states) => states.flatMap(({ moves }) => moves));
    const telling = parts.flat().filter((move) => Math.abs(worthOfDetail(move)) >= TELLING_NATS);
    this.dataset = {
      trainStates: this.training.length,
      heldOutStates: this.heldOut.length,
      trainQuestions: this.clozeStates.filter((state) => !state.isHeldOut).length,
      heldOutQuestions: this.clozeStates.filter((state) => state.isHeldOut).length,
      trainMoves: parts[0]!.length,
      heldOutMoves: parts[1]!.length,
      scaleNats: worthScale(this.training),
      tellingMoves: telling.length,
    };
  }

  private get training(): readonly MeasuredState[] {
    return this.states.filter(({ isHeldOut }) => !isHeldOut);
  }

  private get heldOut(): readonly MeasuredState[] {
    return this.states.filter(({ isHeldOut }) => isHeldOut);
  }

  private async takeStep(trainer: LensTrainer): Promise<void> {
    const from = this.input.now();
    const { seed } = this.input.options;
    const step = this.step;
    const sums = { total: 0, regression: 0, ranking: 0 };
    const learned = [...this.training, ...this.clozeStates.filter((state) => !state.isHeldOut)];
    for (let i = 0; i < EXAMPLES_PER_STEP; i++) {
      if (i > 0) await this.giveWay();
      const nth = step * EXAMPLES_PER_STEP + i;
      const state = pickState(learned, nth, seed);
      const targets = this.targetsOf(state, new Rng(seed).split(nth));
      const loss = await trainer.addExample({ ...this.viewOf(state), targets });
      sums.total += loss.total / EXAMPLES_PER_STEP;
      sums.regression += loss.regression / EXAMPLES_PER_STEP;
      sums.ranking += loss.ranking / EXAMPLES_PER_STEP;
    }
    trainer.applyStep(rateAt(step, this.input.options));
    this.losses.push({ step: step + 1, ...sums });
    this.workedMs += this.input.now() - from;
  }

  private async checkpoint(trainer: LensTrainer): Promise<void> {
    const weights = trainer.encodeWeights(TRAINED_FILE);
    const net = await this.input.workshop.createNet(weights, TRAINED_FILE);
    try {
      this.after = await this.measure({ net, variant: this.input.lens.variant }, this.step);
    } finally {
      net.dispose();
    }
    await this.input.onCheckpoint(weights, this.step);
  }

  /** With the network that inference runs, on float16 weights: what would really be used. */
  private async measure(lens: KeptLens, step: number): Promise<RoutingMeasure> {
    const scoresOf = async (state: LearnedState): Promise<Float32Array> => {
      await this.giveWay();
      const view = this.viewOf(state);
      return entryScores(view, await lens.net.score(view));
    };
    const scored: ScoredState[] = [];
    for (const state of this.heldOut) scored.push({ state, scores: await scoresOf(state) });
    const asked: { readonly state: ClozeState; readonly scores: Float32Array }[] = [];
    for (const state of this.clozeStates) {
      if (state.isHeldOut) asked.push({ state, scores: await scoresOf(state) });
    }
    const { model, tree, config, options } = this.input;
    const pause = (): Promise<void> => this.giveWay();
    const isEnd = step === 0 || step === options.steps;
    const states = this.states.length > 0 ? this.heldOut : this.input.answers;
    const answered = isEnd ? await measureAnswers({ model, tree, config, states, pause }, lens) : null;
    const k = Math.max(1, config.maxActions);
    const routing = measureRouting(scored, k, step, options.seed);
    return { ...routing, cloze: measureCloze(asked, config, k), answered };
  }

  private targetsOf(state: LearnedState, rng: Rng): readonly EntryTarget[] {
    if (state.kind === 'cloze') return clozeTargets(state, this.input.config, rng);
    return targetsOf(state, this.dataset!.scaleNats, rng);
  }

  private viewOf(state: LearnedState): SlotView {
    const { tree, words, model, lens } = this.input;
    if (state.kind === 'cloze') return clozeView(state, model, lens.net);
    const { layout } = state;
    return buildSlotView({
      layout,
      tree,
      embed: (ids) => model.base.embed(ids),
      tailTokens: lens.net.tailTokens,
      words: lens.net.readsWords ? words : null,
    });
  }

  /** As `giveWay`, and wait while paused. */
  private async yieldToEvents(): Promise<void> {
    await this.giveWay();
    while (this.phase === 'paused' && !this.isEnding) {
      await new Promise<void>((resolve) => (this.wake = resolve));
      this.wake = null;
    }
    if (this.isEnding) throw new RunEnded();
  }

  /** Let messages in, and wait while an answer is decoded: it should not take longer than without training. */
  private async giveWay(): Promise<void> {
    await yieldToEvents();
    for (let answer = this.input.answering(); answer !== null; answer = this.input.answering()) {
      this.setWaiting(true);
      await answer;
      await yieldToEvents();
    }
    this.setWaiting(false);
    if (this.isEnding) throw new RunEnded();
  }

  private remainingMs(): number | null {
    const { phase, workedMs, collected, step, input } = this;
    if (phase === 'collecting') {
      return collected.done === 0 ? null : (workedMs / collected.done) * (collected.total - collected.done);
    }
    if (phase !== 'training' || step === 0) return null;
    return (workedMs / step) * (input.options.steps - step);
  }

  private setPhase(phase: TrainingRun['phase']): void {
    this.phase = phase;
    this.input.onChange();
  }

  private setWaiting(waiting: boolean): void {
    if (this.waiting === waiting) return;
    this.waiting = waiting;
    this.input.onChange();
  }
}

/** Each state once in every round, in another order each time. */
function pickState(states: readonly LearnedState[], nth: number, seed: number): LearnedState {
  const rng = new Rng(seed).split(Math.floor(nth / states.length) + 2 ** 31);
  const order = states.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.nextInt(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return states[order[nth % states.length]!]!;
}

/** Warm-up, then a cosine down to a tenth. */
function rateAt(step: number, { learningRate, steps }: LensTrainingOptions): number {
  const warm = Math.min(1, (step + 1) / WARM_UP_STEPS);
  const cosine = 0.5 * (1 + Math.cos((Math.PI * step) / steps));
  return learningRate * warm * (LAST_RATE + (1 - LAST_RATE) * cosine);
}

function problemOf(error: unknown, step: number): WireError {
  const wire = toWireError(error);
  return {
    ...wire,
    message: `Training stopped after step ${step}: ${wire.message}`,
    kept:
      step > 0
        ? 'What was learned up to that step, and the LensNet in use.'
        : 'The LensNet in use, as it was.',
    tryNext: 'Start again with a smaller learning rate, or keep what there is.',
  };
}
