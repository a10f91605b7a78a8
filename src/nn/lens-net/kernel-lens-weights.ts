/** The default LensNet's weights in a kernel memory, as `Lens` of `kernels/lens.ts` has them. */
import type { KernelMemory } from '../backend/kernel-memory.ts';
import { KernelWeights, paddedColumns } from '../base-model/kernel-weights.ts';
import type { LensVariantConfig } from '../model-folder/manifest.ts';
import type { TensorFile } from '../model-folder/tensor-file.ts';
import type { LensWork } from '../ports.ts';
import { type SlotShape, slotColumns } from './input.ts';

export type KernelLensConfig = LensVariantConfig<'dual-cross-attention'>;

const BYTES = Float32Array.BYTES_PER_ELEMENT;

export class KernelLensWeights {
  private readonly weights: KernelWeights;
  /** Of all SwiGLUs the widest, once `lens` was called. */
  widestInner = 0;

  constructor(
    private readonly memory: KernelMemory,
    private readonly file: TensorFile,
    private readonly shape: SlotShape,
    private readonly config: KernelLensConfig,
  ) {
    this.weights = new KernelWeights(memory, file);
  }

  /** @returns where the `Lens` is. @throws {WeightError} if the file does not fit the configuration. */
  lens(epsilon: number): number {
    const { memory, file, weights } = this;
    const { width, heads, tailQueries } = this.config;
    const { hiddenSize } = this.shape;
    const asked = heads * (1 + tailQueries);
    const slotIn = this.slotIn();
    const head = this.floats('head.weight', 1, width);
    const headNorm = file.floats('head_norm.weight', [width]);
    const [matchScale, headBias] = [file.floats('match_scale', [1])[0]!, file.floats('head.bias', [1])[0]!];
    return memory.record([
      ...[width, heads, tailQueries, { float: epsilon }],
      ...[slotIn.own, slotIn.shared],
      weights.linear('tail_in', width, hiddenSize, true),
      this.vector(this.floats('tail_queries', tailQueries, width).map((value) => value / Math.sqrt(width))),
      this.block(
        'tail_block',
        ['input_layernorm', 'input_layernorm', 'post_attention_layernorm'],
        'self_attn',
      ),
      ...['read', 'score'].map((name) => this.block(name, ['norm_q', 'norm_kv', 'norm_mlp'], 'attn')),
      this.vector(this.floats('null', 1, width)),
      weights.linear('match_q', width, width),
      weights.rounded(this.floats('match_k.weight', width, width), width, width),
      { float: matchScale },
      this.vector(head.map((value, i) => value * headNorm[i]!)),
      { float: headBias },
      this.scratch(asked, width, memory.allocate(paddedColumns(asked) * BYTES)),
      this.scratch(width, asked),
      this.scratch(tailQueries, width),
    ]);
  }

  work(): LensWork {
    const { width, heads, tailQueries } = this.config;
    const asked = heads * (1 + tailQueries);
    const mlp = 3 * this.widestInner * width;
    return {
      slotMultiplications: (slotColumns(this.shape) + 2 * heads * tailQueries) * width,
      scoredMultiplications: (2 * asked + width + tailQueries) * width + mlp,
      tailMultiplications: (this.shape.hiddenSize + 4 * width) * width + mlp,
    };
  }

  /** What a slot is multiplied by first, in two parts: its own vector, and what its neighbours share with it. */
  private slotIn(): { readonly own: number; readonly shared: number } {
    const { width } = this.config;
    const { hiddenSize } = this.shape;
    const columns = slotColumns(this.shape);
    const all = this.floats('slot_in.weight', width, columns);
    const part = (from: number, to: number): Float32Array =>
      Float32Array.from({ length: width * (to - from) }, (_, i) => {
        const count = to - from;
        return all[Math.floor(i / count) * columns + from + (i % count)]!;
      });
    const bias = this.vector(this.file.floats('slot_in.bias', [width]));
    const shared = { format: 'f32', values: part(hiddenSize, columns) } as const;
    return {
      own: this.weights.rounded(part(0, hiddenSize), width, hiddenSize),
      shared: this.weights.store(shared, width, columns - hiddenSize, bias),
    };
  }

  /** @returns where the `LensBlock` is. The slots' own MLP is rounded, what few rows meet is as it is. */
  private block(prefix: string, norms: readonly [string, string, string], attention: string): number {
    const { memory, weights } = this;
    const { width, heads } = this.config;
    const inner = this.file.has(`${prefix}.mlp.gate_proj.weight`)
      ? this.file.shape(`${prefix}.mlp.gate_proj.weight`)[0]!
      : width;
    this.widestInner = Math.max(this.widestInner, inner);
    const name = (part: string): string => `${prefix}.${attention}.${part}_proj`;
    const scale = 1 / Math.sqrt(width / heads);
    const scaled = (values: Float32Array): Float32Array => values.map((value) => value * scale);
    const q = { format: 'f32', values: scaled(this.floats(`${name('q')}.weight`, width, width)) } as const;
    const plain = (part: string, hasBias: boolean): number => {
      const values = this.floats(`${name(part)}.weight`, width, width);
      const bias = hasBias ? weights.vector(`${name(part)}.bias`, width) : 0;
      return weights.store({ format: 'f32', values }, width, width, bias);
    };
    const mlp = (part: string, outputs: number, inputs: number): number =>
      weights.rounded(this.floats(`${prefix}.mlp.${part}_proj.weight`, outputs, inputs), outputs, inputs);
    return memory.record([
      ...norms.map((norm) => weights.vector(`${prefix}.${norm}.weight`, width)),
      weights.store(q, width, width, this.vector(scaled(this.file.floats(`${name('q')}.bias`, [width])))),
      ...[plain('k', true), plain('v', true), plain('o', false)],
      ...[mlp('gate', inner, width), mlp('up', inner, width), mlp('down', width, inner)],
    ]);
  }

  /** A float32 matrix that each run writes. @returns where its descriptor is. */
  private scratch(outputs: number, inputs: number, bias = 0): number {
    const values = new Float32Array(outputs * inputs);
    return this.weights.store({ format: 'f32', values }, outputs, inputs, bias);
  }

  private floats(name: string, rows: number, columns: number): Float32Array {
    return this.file.floats(name, [rows, columns]);
  }

  private vector(values: Float32Array): number {
    const at = this.memory.allocate(paddedColumns(values.length) * BYTES);
    this.memory.floats(at, values.length).set(values);
    return at;
  }
}
