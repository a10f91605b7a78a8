/**
 * A stack of transformer layers in a kernel memory, run in one call (`kernels/llama.ts`): what a base and a GistNet
 * on the WASM kernels have in common.
 */
import type { KernelMemory } from '../backend/kernel-memory.ts';
import type { SharedKernel } from '../backend/kernel-module.ts';
import { GROUP_VALUES } from '../model-folder/stored-rows.ts';
import type { LayerShape } from './config.ts';
import { type KernelWeights, paddedColumns } from './kernel-weights.ts';
import type { Rotations } from './rope.ts';

/** `PANEL_ROWS` of `kernels/products.ts`. */
export const PANEL_ROWS = 12;
/** Bytes of an `Attention` of `kernels/attention.ts`, rounded up to a cache line. */
const ATTENTION_BYTES = 64;
/**
 * Multiplications of a layer that are worth a thread of their own: some two hundred microseconds, beside which the
 * dozen microseconds that its threads wait for each other are little.
 */
const SHARE = 1_000_000;

/** Words of `Run` in `kernels/llama.ts`, in its order. */
const RUN_FIELDS = [
  'rows',
  'wanted',
  'length',
  'capacity',
  'cache',
  'cos',
  'sin',
  'x',
  'normed',
  'q',
  'k',
  'v',
  'mixed',
  'gate',
  'up',
  'rounded',
  'panel',
  'panelBytes',
  'scores',
  'scoreBytes',
  'attention',
  'reading',
  'weights',
  'heads',
  'caches',
  'seesAll',
  'sync',
] as const;
export type RunFields = Record<(typeof RUN_FIELDS)[number], number>;

/** Heads of whole vectors: all published bases have them. */
export function canRunOnKernels({ headDim }: Pick<LayerShape, 'headDim'>): boolean {
  return headDim % 4 === 0;
}

/** How many bytes of scores a thread needs for a cache of so many slots. */
export function scoreBytesOf(capacitySlots: number): number {
  return 3 * paddedColumns(capacitySlots) * Float32Array.BYTES_PER_ELEMENT;
}

/** Bytes of the keys and values of so many slots in all layers. */
export function cacheBytesOf(
  { kvHeads, headDim }: LayerShape,
  layers: number,
  capacitySlots: number,
): number {
  return 2 * layers * kvHeads * headDim * capacitySlots * Float32Array.BYTES_PER_ELEMENT;
}

/** Room for the rows of a run between its layers; several stacks of the same sizes may share it. */
export function allocateRoom(memory: KernelMemory, shape: LayerShape, mostRows: number): RunFields {
  const { hiddenSize, heads, kvHeads, headDim, intermediateSize } = shape;
  const rows = (columns: number): number => memory.allocate(mostRows * paddedColumns(columns) * 4);
  const widest = paddedColumns(Math.max(hiddenSize, heads * headDim, intermediateSize));
  const groups = Math.ceil(widest / GROUP_VALUES);
  const rounded = memory.record([
    memory.allocate(mostRows * widest * 2),
    memory.allocate(mostRows * groups * 4),
    memory.allocate(mostRows * groups * 4),
  ]);
  const panelBytes = PANEL_ROWS * widest * 4;
  return {
    rows: 0,
    wanted: 0,
    length: 0,
    capacity: 0,
    cache: 0,
    cos: rows(headDim / 2),
    sin: rows(headDim / 2),
    x: rows(hiddenSize),
    normed: rows(hiddenSize),
    q: rows(heads * headDim),
    k: rows(kvHeads * headDim),
    v: rows(kvHeads * headDim),
    mixed: rows(heads * headDim),
    gate: rows(intermediateSize),
    up: rows(intermediateSize),
    rounded,
    panel: memory.allocate(panelBytes * memory.threads),
    panelBytes,
    scores: 0,
    scoreBytes: 0,
    attention: memory.allocate(ATTENTION_BYTES * memory.threads),
    reading: 0,
    weights: 0,
    heads: 0,
    caches: 0,
    seesAll: 0,
    sync: memory.sync,
  };
}

export class KernelStack {
  /** Where the `Stack` is. */
  readonly at: number;
  /** Where the `Run` is that the last run has filled. */
  readonly run: number;

  /** @throws {WeightError} if the file does not fit; what was allocated is the memory's. */
  constructor(
    private readonly memory: KernelMemory,
    weights: KernelWeights,
    private readonly shape: LayerShape,
    /** The layers' names in the file, and whether each rotates. */
    layers: readonly { readonly prefix: string; readonly hasRope: boolean }[],
    /** The name of the norm behind the last layer. */
    norm: string,
    private readonly share = SHARE,
  ) {
    const { hiddenSize, heads, kvHeads, headDim, intermediateSize, epsilon } = shape;
    const own = layers.map(({ prefix, hasRope }) => weights.layer(prefix, shape, hasRope));
    const [table, normAt] = [memory.record(own), weights.vector(norm, hiddenSize)];
    this.at = memory.record([
      ...[hiddenSize, layers.length, heads, kvHeads, headDim, intermediateSize],
      ...[{ float: epsilon }, table, normAt],
    ]);
    this.run = memory.allocate(RUN_FIELDS.length * 4);
  }

  /**
   * All layers over new rows.
   *
   * @param fields - of the run: its room, and what runs in it.
   * @param embeddings - `[rows, hiddenSize]`, borrowed; rotations of as many rows.
   * @param clear - of what the run adds to; as all that is prepared, it may be called twice.
   */
  runLayers(fields: RunFields, embeddings: Float32Array, { cos, sin }: Rotations, clear?: () => void): void {
    const { memory } = this;
    const { hiddenSize } = this.shape;
    const { rows } = fields;
    const prepare = (): void => {
      memory.floats(fields.cos, cos.length).set(cos);
      memory.floats(fields.sin, sin.length).set(sin);
      putRows(embeddings, hiddenSize, memory.floats(fields.x, rows * paddedColumns(hiddenSize)));
      this.fill(fields);
      clear?.();
    };
    this.runShared('runStack', rows * this.layerMultiplications, [this.at, this.run], prepare);
  }

  /** What a head finds that runs before any layers do. */
  fill(fields: RunFields): void {
    this.memory.words(this.run, RUN_FIELDS.length).set(RUN_FIELDS.map((field) => fields[field]));
  }

  /** On as many threads as the multiplications pay for; once more on one if a thread fails. */
  runShared(
    kernel: SharedKernel,
    multiplications: number,
    parameters: readonly number[],
    prepare?: () => void,
  ): void {
    const threads = Math.max(1, Math.floor(multiplications / this.share));
    prepare?.();
    if (this.memory.runShared(kernel, threads, parameters)) return;
    prepare?.();
    this.memory.runShared(kernel, 1, parameters);
  }

  /** Of one row, without its attention. */
  get layerMultiplications(): number {
    const { hiddenSize, heads, kvHeads, headDim, intermediateSize } = this.shape;
    return hiddenSize * (2 * (heads + kvHeads) * headDim + 3 * intermediateSize);
  }
}

/** `[n, columns]` into rows that are padded to whole vectors. */
export function putRows(values: Float32Array, columns: number, target: Float32Array): void {
  const stride = paddedColumns(columns);
  if (stride === columns) {
    target.set(values);
    return;
  }
  for (let from = 0, to = 0; from < values.length; from += columns, to += stride) {
    target.set(values.subarray(from, from + columns), to);
  }
}

/** The way back: writes `[n, columns]` to `out` from `to` on. */
export function takeRows(source: Float32Array, columns: number, out: Float32Array, to: number): void {
  const stride = paddedColumns(columns);
  for (let from = 0; from < source.length; from += stride, to += columns) {
    out.set(source.subarray(from, from + columns), to);
  }
}
