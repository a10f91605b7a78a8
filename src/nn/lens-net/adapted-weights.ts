/**
 * LensNet's weights as one head of Multi-Head Focus has them: the shipped ones, with a low-rank change of some maps and
 * a prompt added to the tail queries (LoRA, Hu et al. 2021, merged as it is read). Reads only; keeps nothing.
 */
import { WeightError } from '../model-folder/errors.ts';
import type { StoredMatrix, TensorFile } from '../model-folder/tensor-file.ts';

/** Maps that heads have changes of; training knows them from here. */
export const ADAPTED_MAPS = ['slot_in', 'read.attn.q_proj', 'match_q'] as const;

const QUERIES = 'tail_queries';

export class AdaptedWeights implements TensorFile {
  readonly file: string;
  readonly names: readonly string[];
  private readonly mapOf: ReadonlyMap<string, string>;

  /**
   * @param own - LensNet's weights; borrowed.
   * @param adapters - those of all heads: `adapters.<map>.a` `[H, rank, in]`, `.b` `[H, out, rank]` and
   * `adapters.prompt` `[H, Q, w]`; borrowed.
   * @throws {WeightError} if the adapters are for another number of heads or another rank.
   */
  constructor(
    private readonly own: TensorFile,
    private readonly adapters: TensorFile,
    private readonly head: number,
    private readonly heads: number,
    private readonly rank: number,
  ) {
    this.file = own.file;
    this.names = own.names;
    this.mapOf = new Map(ADAPTED_MAPS.map((map) => [`${map}.weight`, map]));
    for (const map of ADAPTED_MAPS) {
      this.check(`adapters.${map}.a`, 0, heads);
      this.check(`adapters.${map}.a`, 1, rank);
    }
  }

  has(name: string): boolean {
    return this.own.has(name);
  }

  shape(name: string): readonly number[] {
    return this.own.shape(name);
  }

  floats(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
    const values = this.own.floats(name, shape);
    const map = this.mapOf.get(name);
    if (map !== undefined) this.addChange(values, map, shape[0]!, shape[1]!);
    else if (name === QUERIES) {
      const prompt = this.ofHead('adapters.prompt', [shape[0]!, shape[1]!]);
      for (let i = 0; i < values.length; i++) values[i]! += prompt[i]!;
    }
    return values;
  }

  stored(name: string, shape: readonly [number, number]): StoredMatrix {
    if (this.mapOf.has(name) || name === QUERIES) return { format: 'f32', values: this.floats(name, shape) };
    return this.own.stored(name, shape);
  }

  /** `weight` `[outputs, inputs]` += b · a, summed in double precision. */
  private addChange(weight: Float32Array, map: string, outputs: number, inputs: number): void {
    const a = this.ofHead(`adapters.${map}.a`, [this.rank, inputs]);
    const b = this.ofHead(`adapters.${map}.b`, [outputs, this.rank]);
    for (let row = 0; row < outputs; row++) {
      for (let column = 0; column < inputs; column++) {
        let sum = 0;
        for (let i = 0; i < this.rank; i++) sum += b[row * this.rank + i]! * a[i * inputs + column]!;
        weight[row * inputs + column]! += sum;
      }
    }
  }

  /** One head's part of a tensor `[H, ...shape]`. */
  private ofHead(name: string, shape: readonly [number, number]): Float32Array {
    const all = this.adapters.floats(name, [this.heads, ...shape]);
    const size = shape[0] * shape[1];
    return all.subarray(this.head * size, (this.head + 1) * size);
  }

  private check(name: string, axis: number, wanted: number): void {
    const found = this.adapters.shape(name)[axis];
    if (found === wanted) return;
    const what = axis === 0 ? 'heads' : 'rank';
    throw new WeightError(this.adapters.file, name, `${what} ${found}, but the manifest says ${wanted}`);
  }
}
