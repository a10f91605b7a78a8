/**
 * The LensNet of one session: the model's own, or one that was trained on the session or imported. Carries out
 * the page's requests, owns the run under way and the nets made here, and keeps what must outlive the worker.
 */
import { HistoryWords } from '../../core/lexical/history-words.ts';
import { wordMatchOf } from '../session/memory/word-match.ts';
import type { RunConfig } from '../../core/trace/config.ts';
import { positionSchemeOf } from '../../core/context/position-scheme.ts';
import type { GistTree } from '../../core/tree/gist-tree.ts';
import type { LensNetVariant } from '../../nn/model-folder/manifest.ts';
import type { LensNet, LensWorkshop, LoadedModel } from '../../nn/ports.ts';
import { type KeptLens, findLensNet, variantOf } from '../session/head/lens-variant.ts';
import { sha256Hex } from '../../nn/model-folder/sha256.ts';
import { EngineError, readOnlySession, toWireError } from '../session/messages/errors.ts';
import type { WireError } from '../session/messages/wire-error.ts';
import {
  type LensRecord,
  type LensSettings,
  TRAINED_FILE,
  readLensRecord,
  writeLensRecord,
} from './kept-lens.ts';
import type { LensTrainingOptions, LensTrainingReport, LensTrainingRequest } from './messages.ts';
import { LEAST_STATES } from './messages.ts';
import type { TrainingRun } from './training-run.ts';
import { TrainingSupply } from './training-supply.ts';

/** What the session's engine and its surroundings give. */
export interface LensTrainingPorts {
  readonly sessionId: string;
  readonly model: LoadedModel;
  readonly tree: GistTree;
  readonly config: () => RunConfig;
  readonly readOnly: boolean;
  /** What is written there is there after a reload. */
  readonly isDurable: boolean;
  readonly settings: LensSettings;
  /** Score with this net from the next refocus on, or with the model's again; `mark` names its weights. */
  readonly useLens: (kept: KeptLens | null, mark: string | null) => Promise<void>;
  /** Note in the trace what is in force from here on. */
  readonly announce: () => void;
  readonly answering: () => Promise<unknown> | null;
  readonly now: () => number;
  readonly notify: (report: LensTrainingReport) => void;
}

interface OwnLens extends KeptLens {
  readonly origin: 'trained' | 'imported';
  readonly mark: string;
  readonly weights: ArrayBuffer;
  readonly isStored: boolean;
}

const NOTIFY_EVERY_MS = 200;
const MARK_DIGITS = 12;
const LARGEST_FILE_BYTES = 256 * 2 ** 20;

const NOTHING_YET = {
  waiting: false,
  options: null,
  collected: null,
  dataset: null,
  step: 0,
  losses: [],
  before: null,
  after: null,
  remainingMs: null,
  hasCandidate: false,
  problem: null,
} as const;

export class LensTraining {
  private own: OwnLens | null = null;
  private run: TrainingRun | null = null;
  /** What a run had learned when the worker died. */
  private draft: {
    readonly weights: ArrayBuffer;
    readonly step: number;
    readonly variant: LensNetVariant;
  } | null = null;
  private notifiedMs = -Infinity;
  private readonly supply: TrainingSupply;

  constructor(private readonly ports: LensTrainingPorts) {
    this.supply = new TrainingSupply(ports);
  }

  get report(): LensTrainingReport {
    const { ports, own, draft } = this;
    const unsupported = this.whyUnsupported();
    const idle: Pick<LensTrainingReport, keyof typeof NOTHING_YET | 'phase'> = {
      ...NOTHING_YET,
      phase: unsupported === null ? 'idle' : 'unsupported',
      ...(draft !== null && { ...interrupted(draft.step), phase: 'stopped' }),
    };
    return {
      sessionId: ports.sessionId,
      unsupported,
      variant: this.variant,
      inUse: {
        origin: own?.origin ?? 'shipped',
        mark: own?.mark ?? null,
        variant: own?.variant ?? this.variant,
        isStored: own?.isStored ?? true,
      },
      supply: this.supply.report(this.run?.isActive === true),
      ...(this.run?.report ?? idle),
    };
  }

  /** @throws {EngineError} for what cannot be done now; nothing is changed then. */
  async request(request: LensTrainingRequest): Promise<LensTrainingReport> {
    if (request.action !== 'status' && this.ports.readOnly) throw readOnlySession();
    switch (request.action) {
      case 'status':
        break;
      case 'start':
        await this.start(request);
        break;
      case 'pause':
        this.run?.pause();
        break;
      case 'resume':
        this.run?.resume();
        break;
      case 'discard':
        await this.dropRun();
        await this.store();
        break;
      case 'keep':
        await this.keep();
        break;
      case 'useShipped':
        await this.useShipped();
        break;
      case 'import':
        await this.import(request.fileName, request.bytes);
        break;
      default:
        request satisfies never;
    }
    return this.report;
  }

  /** The weights that were learned, else those in use. */
  async exportWeights(): Promise<{ readonly fileName: string; readonly file: Blob }> {
    const { model } = this.ports;
    const learned = this.run?.candidate() ?? this.draft?.weights ?? this.own?.weights;
    const name = learned === undefined ? model.id : `${model.id}-trained`;
    const bytes = learned ?? (await this.workshop?.shippedWeights());
    if (bytes === undefined) throw new EngineError('not-legal', 'This model gives no LensNet weights away.');
    return { fileName: `lensnet-${name}.safetensors`, file: new Blob([bytes]) };
  }

  /** Bring back what was kept. A file that does not fit any more stays stored and is reported. */
  async restore(): Promise<WireError | null> {
    const { ports } = this;
    const record = await readLensRecord(ports.settings, ports.sessionId);
    const variant = ports.model.manifest.lensNet?.variant;
    if (record === null || variant === undefined) return null;
    if (record.modelHash !== ports.model.hash) {
      return toWireError(
        new EngineError(
          'bad-weights',
          "The model's weights changed since this session's own LensNet was kept; the model's LensNet is used.",
          'The kept weights stay stored until another LensNet is kept.',
          'Train LensNet on this session again.',
        ),
      );
    }
    if (record.draft !== null) {
      const { weights, step } = record.draft;
      this.draft = { weights: bufferOf(weights), step, variant: record.draft.variant ?? variant };
    }
    if (record.kept === null) return null;
    try {
      const { origin, weights } = record.kept;
      const own = { origin, weights: bufferOf(weights), variant: record.kept.variant ?? variant };
      await this.adopt(own, 'kept LensNet', true);
      return null;
    } catch (error) {
      return toWireError(error);
    }
  }

  /** End the run. What it learned by the last checkpoint stays stored. */
  async close(): Promise<void> {
    await this.run?.end();
    this.run = null;
    this.own?.net.dispose();
    this.own = null;
  }

  private async start(options: LensTrainingOptions): Promise<void> {
    const { TrainingRun } = await import('./training-run.ts');
    const { ports, variant, workshop } = this;
    const own = this.own?.variant === variant ? this.own : null;
    const weights = own?.weights ?? (await workshop?.shippedWeights());
    const { model } = ports;
    const why = this.whyUnsupported();
    if (why !== null || variant === null || workshop === undefined || weights === undefined) {
      throw new EngineError('not-legal', why ?? 'There is no LensNet to train.');
    }
    if (this.run !== null || this.draft !== null) {
      throw new EngineError(
        'busy',
        'There is a run already.',
        'It is as it was.',
        'Keep or discard it first.',
      );
    }
    const { states, questions, steps, learningRate, seed } = options;
    const { sampled, cloze, answers } = this.supply.choose(options);
    const count = sampled.length + cloze.length;
    if (count < LEAST_STATES) {
      throw new EngineError(
        'not-legal',
        `This history of ${ports.tree.tokenCount} tokens gives ${count} places and questions to learn from; ${LEAST_STATES} are needed.`,
        'Nothing was changed.',
        'Ask for more of them, add a document or ask some questions, then try again.',
      );
    }
    const config = ports.config();
    this.run = new TrainingRun({
      workshop,
      model,
      tree: ports.tree,
      words: new HistoryWords(ports.tree, () => model.tokenizer.createStreamDecoder()).matching(
        wordMatchOf(model),
      ),
      config,
      positionScheme: positionSchemeOf(config, model.manifest.trainedContextTokens),
      sampled,
      cloze,
      answers,
      lens: {
        net: own?.net ?? findLensNet(model, variant, null)!,
        variant,
        weights,
      },
      options: { states, questions, steps, learningRate, seed },
      answering: ports.answering,
      now: ports.now,
      onChange: () => {
        this.notify();
      },
      onCheckpoint: async (weights, step) => {
        await this.store({ weights: new Uint8Array(weights), step, variant });
      },
    });
  }

  private async keep(): Promise<void> {
    this.mustNotRun();
    const weights = this.run?.candidate() ?? this.draft?.weights ?? null;
    const variant = this.run?.variant ?? this.draft?.variant;
    if (weights === null || variant === undefined) {
      throw new EngineError('not-legal', 'Nothing was learned yet that could be kept.');
    }
    await this.adopt({ origin: 'trained', weights, variant }, TRAINED_FILE, false);
    this.ports.announce();
    await this.dropRun();
    await this.store();
  }

  private async useShipped(): Promise<void> {
    this.mustNotRun();
    const { own } = this;
    if (own === null) return;
    await this.ports.useLens(null, null);
    this.ports.announce();
    own.net.dispose();
    this.own = null;
    await this.store();
  }

  private async import(fileName: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.mustNotRun();
    const { variant } = this;
    if (variant === null || this.workshop === undefined || bytes.length > LARGEST_FILE_BYTES) {
      throw badWeights(`${fileName}: ${bytes.length} bytes are no LensNet of this model.`);
    }
    await this.adopt({ origin: 'imported', weights: bufferOf(bytes), variant }, fileName, false);
    this.ports.announce();
    await this.store();
  }

  /** @throws {EngineError} `bad-weights`, naming the file and the tensor; the LensNet in use stays. */
  private async adopt(
    { origin, weights, variant }: Pick<OwnLens, 'origin' | 'weights' | 'variant'>,
    file: string,
    isStored: boolean,
  ): Promise<void> {
    const { model } = this.ports;
    const workshop = model.lensWorkshops.get(variant);
    if (workshop === undefined) throw badWeights(`${file}: ${model.title} has no LensNet ${variant}.`);
    let net: LensNet;
    try {
      net = await workshop.createNet(weights, file);
    } catch (error) {
      throw badWeights(error instanceof Error ? error.message : String(error), { cause: error });
    }
    const previous = this.own;
    const mark = ((await sha256Hex(weights)) ?? `${weights.byteLength}-bytes`).slice(0, MARK_DIGITS);
    this.own = { origin, mark, weights, net, variant, isStored };
    await this.ports.useLens({ net, variant }, mark);
    previous?.net.dispose();
  }

  private async dropRun(): Promise<void> {
    await this.run?.end();
    this.run = null;
    this.draft = null;
  }

  /** Write down what is in use, and what a run under way has learned. A failure leaves the session usable. */
  private async store(draft: LensRecord['draft'] = null): Promise<void> {
    const { ports, own } = this;
    const kept =
      own === null
        ? null
        : { origin: own.origin, weights: new Uint8Array(own.weights), variant: own.variant };
    const isEmpty = kept === null && draft === null;
    const record: LensRecord = { version: 1, modelHash: ports.model.hash, kept, draft };
    let isStored = ports.isDurable;
    try {
      await writeLensRecord(ports.settings, ports.sessionId, isEmpty ? null : record);
    } catch {
      // A full or closed store: the report says that the weights will not come back.
      isStored = false;
    }
    if (this.own !== null && this.own === own) this.own = { ...own, isStored };
  }

  private mustNotRun(): void {
    if (this.run?.isActive !== true) return;
    throw new EngineError(
      'busy',
      'LensNet is being trained.',
      'Training goes on.',
      'Pause or discard the run first.',
    );
  }

  /** What scores now; null where the model has no LensNet. */
  private get variant(): LensNetVariant | null {
    return variantOf(this.ports.model, this.ports.config().lensVariant);
  }

  private get workshop(): LensWorkshop | undefined {
    return this.variant === null ? undefined : this.ports.model.lensWorkshops.get(this.variant);
  }

  private whyUnsupported(): string | null {
    return this.workshop === undefined
      ? `${this.ports.model.title} has no LensNet that could be trained.`
      : null;
  }

  private notify(): void {
    const { ports } = this;
    const isSettled = this.run?.isActive !== true;
    const now = ports.now();
    if (!isSettled && now - this.notifiedMs < NOTIFY_EVERY_MS) return;
    this.notifiedMs = now;
    if (this.run !== null) ports.notify(this.report);
  }
}

function badWeights(message: string, options?: ErrorOptions): EngineError {
  return new EngineError(
    'bad-weights',
    message,
    'The LensNet in use is unchanged.',
    'Choose a LensNet that was exported for this model.',
    options,
  );
}

function interrupted(step: number): Pick<LensTrainingReport, 'step' | 'hasCandidate' | 'problem'> {
  return {
    step,
    hasCandidate: true,
    problem: {
      name: 'EngineError',
      code: 'training-interrupted',
      message: `A training run was interrupted: the engine was started anew. Its weights after step ${step} were written down.`,
      kept: 'Those weights, and the LensNet in use.',
      tryNext: 'Keep or export them, or discard them and train again.',
    },
  };
}

/** The bytes as a buffer of their own. */
function bufferOf(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return bytes.slice().buffer;
}
