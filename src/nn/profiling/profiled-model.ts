/** A loaded model whose every call is counted and timed. The networks know nothing of it. */
import type { SlotView } from '../../core/context/slot-view.ts';
import type { Profile, Work } from '../../core/profile/profile.ts';
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import type {
  AttentionHeads,
  BaseWork,
  DecodeSession,
  FocusHeads,
  GistNet,
  GreedyDecoding,
  LanguageModel,
  LensNet,
  LensWork,
  LoadedModel,
  SlotHeads,
} from '../ports.ts';
import { lensMultiplications } from '../lens-work.ts';

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** What a base asks of the machine, by its sizes alone. */
type BaseShape = Pick<LanguageModel, 'hiddenSize' | 'vocabularySize' | 'layers' | 'attention'> & {
  readonly work?: BaseWork | undefined;
};

/** Who is told. */
export interface ModelProfile {
  readonly profile: Profile;
  /** Whether LensNet and GistNet are to be timed kernel by kernel; read at every call. */
  readonly timesKernels: () => boolean;
}

/**
 * @param model - goes on to belong to the caller; its `dispose` is this one's.
 * @returns the same model with LensNets, GistNet and base wrapped; nets that its workshops make are wrapped as well.
 */
export function profiledModel(model: LoadedModel, sink: ModelProfile): LoadedModel {
  const { base, gistNet, lensNet, otherLensNets, stagingLensNet, focusHeads, lensWorkshops } = model;
  return {
    ...model,
    base: new ProfiledBase(base, sink.profile),
    gistNet: new ProfiledGistNet(gistNet, sink),
    lensNet: lensNet === null ? null : new ProfiledLensNet(lensNet, 'LensNet', sink),
    otherLensNets: new Map(
      [...otherLensNets].map(([variant, net]) => [
        variant,
        new ProfiledLensNet(net, `LensNet ${variant}`, sink),
      ]),
    ),
    ...(stagingLensNet && { stagingLensNet: new ProfiledLensNet(stagingLensNet, 'LensNet-G', sink) }),
    ...(focusHeads && {
      focusHeads: new Map([...focusHeads].map(([heads, brought]) => [heads, profiledHeads(brought, sink)])),
    }),
    lensWorkshops: new Map(
      [...lensWorkshops].map(([variant, workshop]) => [
        variant,
        {
          shippedWeights: workshop.shippedWeights,
          createNet: async (weights: ArrayBuffer, file: string) =>
            new ProfiledLensNet(await workshop.createNet(weights, file), 'LensNet trained', sink),
          createTrainer: (weights: ArrayBuffer, file: string) => workshop.createTrainer(weights, file),
        },
      ]),
    ),
    dispose: () => {
      model.dispose();
    },
  };
}

/** Router and merger are too small to be worth a line. */
function profiledHeads(brought: FocusHeads, sink: ModelProfile): FocusHeads {
  const { lensOf } = brought;
  if (lensOf === null) return brought;
  const nets = new Map<number, LensNet>();
  return {
    ...brought,
    lensOf: (head) => {
      const net = nets.get(head) ?? new ProfiledLensNet(lensOf(head), `LensNet of head ${head}`, sink);
      nets.set(head, net);
      return net;
    },
  };
}

/** Bytes and arithmetic of running `rows` slots behind `before` cached ones, with `wanted` rows of logits. */
export function baseWork(
  { layers, hiddenSize, vocabularySize, attention, work }: BaseShape,
  rows: number,
  before: number,
  wanted: number,
): Pick<Work, 'bytes' | 'flops'> {
  if (work === undefined) return {};
  const { heads, kvHeads, headDim } = attention;
  const { layerWeights, headWeights, bytesPerWeight } = work;
  const head = wanted > 0 ? headWeights : 0;
  // Each new slot sees those before it and itself.
  const pairs = rows * before + (rows * (rows + 1)) / 2;
  const cached = 2 * layers * kvHeads * headDim * FLOAT_BYTES * (before + rows);
  return {
    flops: 2 * layerWeights * rows + 2 * headWeights * wanted + 4 * layers * heads * headDim * pairs,
    bytes:
      (layerWeights + head) * bytesPerWeight +
      cached +
      FLOAT_BYTES * (rows * hiddenSize + wanted * vocabularySize),
  };
}

/** Of so many tokens, one after the other. */
function timesWork(
  tokens: number,
  { bytes, flops }: Pick<Work, 'bytes' | 'flops'>,
): Pick<Work, 'bytes' | 'flops'> {
  return { bytes: bytes && tokens * bytes, flops: flops && tokens * flops };
}

class ProfiledBase implements LanguageModel {
  readonly hiddenSize: number;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly attention: AttentionHeads;
  readonly parameters: number;
  readonly work: BaseWork | undefined;

  constructor(
    readonly inner: LanguageModel,
    private readonly profile: Profile,
  ) {
    this.hiddenSize = inner.hiddenSize;
    this.vocabularySize = inner.vocabularySize;
    this.layers = inner.layers;
    this.attention = inner.attention;
    this.parameters = inner.parameters;
    this.work = inner.work;
  }

  embed(ids: ArrayLike<number>): Float32Array {
    return this.inner.embed(ids);
  }

  createDecodeSession(capacitySlots: number): DecodeSession {
    return new ProfiledSession(this.inner.createDecodeSession(capacitySlots), this, this.profile);
  }

  appendTogether(
    sessions: readonly DecodeSession[],
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array> {
    const own = sessions.map((session) => (session instanceof ProfiledSession ? session.inner : session));
    return this.profile.timed(
      'operation',
      'base together',
      () => this.inner.appendTogether(own, embeddings, positions, deviations, reading),
      { tokens: sessions.length },
    );
  }

  logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const rows = hidden.length / this.hiddenSize;
    const { work } = this;
    const known = work !== undefined && {
      flops: 2 * work.headWeights * rows,
      bytes:
        work.headWeights * work.bytesPerWeight + FLOAT_BYTES * rows * (this.hiddenSize + this.vocabularySize),
    };
    return this.profile.timed('operation', 'base head', () => this.inner.logitsOf(hidden), {
      tokens: rows,
      ...known,
    });
  }

  dispose(): void {
    this.inner.dispose();
  }
}

class ProfiledSession implements DecodeSession {
  constructor(
    readonly inner: DecodeSession,
    private readonly base: BaseShape,
    private readonly profile: Profile,
  ) {}

  get capacitySlots(): number {
    return this.inner.capacitySlots;
  }

  get length(): number {
    return this.inner.length;
  }

  get lastAttention(): Float32Array | null {
    return this.inner.lastAttention;
  }

  append(
    embeddings: Float32Array,
    positions: Float64Array,
    want: 'last' | 'all' | number,
    deviations?: Float64Array,
    reading?: AttentionReading,
  ): Promise<Float32Array> {
    const rows = positions.length;
    const wanted = want === 'all' ? rows : want === 'last' ? 1 : want;
    return this.profile.timed(
      'operation',
      rows === 1 ? 'base decode' : 'base prefill',
      () => this.inner.append(embeddings, positions, want, deviations, reading),
      { tokens: rows, ...baseWork(this.base, rows, this.length, wanted) },
    );
  }

  get greedy(): GreedyDecoding | undefined {
    const { greedy } = this.inner;
    return (
      greedy && {
        mostSlots: greedy.mostSlots,
        append: (embedding, positions, deviations) =>
          this.profile.timed(
            'operation',
            'base decode',
            () => greedy.append(embedding, positions, deviations),
            {
              tokens: positions.length,
              ...timesWork(positions.length, baseWork(this.base, 1, this.length, 1)),
            },
          ),
      }
    );
  }

  appendForHeads(embeddings: Float32Array, positions: Float64Array): Promise<SlotHeads> {
    const rows = positions.length;
    return this.profile.timed(
      'operation',
      'base heads',
      () => this.inner.appendForHeads(embeddings, positions),
      { tokens: rows, ...baseWork(this.base, rows, this.length, 0) },
    );
  }

  copyFrom(other: DecodeSession, length: number): void {
    this.inner.copyFrom(other instanceof ProfiledSession ? other.inner : other, length);
  }

  truncate(length: number): void {
    this.inner.truncate(length);
  }

  rearrange(sources: Int32Array): void {
    this.inner.rearrange(sources);
  }

  fill(
    firstSlot: number,
    embeddings: Float32Array,
    positions: Float64Array,
    deviations?: Float64Array,
  ): Promise<void> {
    const rows = positions.length;
    return this.profile.timed(
      'operation',
      'base fill',
      () => this.inner.fill(firstSlot, embeddings, positions, deviations),
      { tokens: rows, ...baseWork(this.base, rows, firstSlot, 0) },
    );
  }

  dispose(): void {
    this.inner.dispose();
  }
}

class ProfiledGistNet implements GistNet {
  readonly version: number;
  readonly contextChildren: number;

  constructor(
    private readonly inner: GistNet,
    private readonly sink: ModelProfile,
  ) {
    this.version = inner.version;
    this.contextChildren = inner.contextChildren;
  }

  compress(
    lod: number,
    children: Float32Array,
    contextCounts: ArrayLike<number>,
    tokens?: ArrayLike<number>,
  ): Promise<Float32Array> {
    const blocks = contextCounts.length;
    const compress = (): Promise<Float32Array> => this.inner.compress(lod, children, contextCounts, tokens);
    const { work } = this.inner;
    if (work === undefined) return profiledNet(this.sink, 'GistNet', blocks, compress);
    const { blockMultiplications, blockBytes } = work;
    const known = { flops: 2 * blocks * blockMultiplications, bytes: blocks * blockBytes };
    return this.sink.profile.timed('operation', 'GistNet', compress, { tokens: blocks, ...known });
  }

  dispose(): void {
    this.inner.dispose();
  }
}

class ProfiledLensNet implements LensNet {
  readonly id: string;
  readonly version: number;
  readonly tailTokens: number;
  readonly readsWords: boolean;
  readonly work: LensWork | undefined;

  constructor(
    private readonly inner: LensNet,
    private readonly name: string,
    private readonly sink: ModelProfile,
  ) {
    this.id = inner.id;
    this.version = inner.version;
    this.tailTokens = inner.tailTokens;
    this.readsWords = inner.readsWords;
    this.work = inner.work;
  }

  async score(view: SlotView): Promise<Float32Array> {
    const score = async (): Promise<Float32Array> => this.inner.score(view);
    const { work } = this;
    if (work === undefined) return profiledNet(this.sink, this.name, view.slotCount, score);
    // One call, like the base's; its weights stay near the processor.
    const flops = 2 * lensMultiplications(work, this.tailTokens, view);
    const bytes = FLOAT_BYTES * 2 * view.slotCount * view.hiddenSize;
    return this.sink.profile.timed('operation', this.name, score, { tokens: view.slotCount, flops, bytes });
  }

  dispose(): void {
    this.inner.dispose();
  }
}

/** A call of a net on TensorFlow.js; kernel by kernel, its arithmetic and its dispatches are known as well. */
async function profiledNet<T>(
  { profile, timesKernels }: ModelProfile,
  name: string,
  rows: number,
  work: () => Promise<T>,
): Promise<T> {
  if (!timesKernels()) return profile.timed('operation', name, work, { tokens: rows });
  const about: { tokens: number; bytes?: number; flops?: number; dispatches?: number } = { tokens: rows };
  return profile.timed(
    'operation',
    name,
    async () => {
      const { withKernelRuns } = await import('./kernel-times.ts');
      const { value, runs } = await withKernelRuns(work);
      about.dispatches = runs.length;
      about.bytes = 0;
      about.flops = 0;
      for (const run of runs) {
        about.bytes += run.bytes;
        about.flops += run.flops ?? 0;
        const { ms, bytes, flops } = run;
        profile.add('kernel', `${name}: ${run.name}`, { ms, bytes, flops, dispatches: 1 });
      }
      return value;
    },
    about,
  );
}
