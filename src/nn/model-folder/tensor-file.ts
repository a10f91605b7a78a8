/** A matrix `[rows, columns]` as the file stores it, where that is worth keeping; else as float32. */
export type StoredMatrix =
  | { readonly format: 'f32'; readonly values: Float32Array }
  /** Bits of float16 or of bfloat16. */
  | { readonly format: 'f16' | 'bf16'; readonly values: Uint16Array }
  /** Groups of 32 of a row, each number worth `scale · number + least`; int8, or two in a byte (`GroupedFormat`). */
  | {
      readonly format: 'q8' | 'q4';
      readonly values: Uint8Array;
      /** `[rows, columns / 32]` */
      readonly scale: Float32Array;
      /** The same shape; null where nothing is added. */
      readonly least: Float32Array | null;
    };

/** A file of named tensors in Hugging Face's names, whatever its format: what the networks are built from. */
export interface TensorFile {
  /** Named in errors. */
  readonly file: string;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Outermost first. @throws {WeightError} if there is no such tensor. */
  shape(name: string): readonly number[];
  /**
   * Decode one tensor.
   *
   * @param shape - what it must have.
   * @returns a copy, owned by the caller.
   * @throws {WeightError} if it is missing, of another shape, not decodable, or holds a value that is not finite.
   */
  floats(name: string, shape: readonly number[]): Float32Array<ArrayBuffer>;
  /** As `floats`, without decoding what need not be. */
  stored(name: string, shape: readonly [number, number]): StoredMatrix;
}

/** Of all tensors together. */
export function valueCount(file: Pick<TensorFile, 'names' | 'shape'>): number {
  return file.names.reduce(
    (sum, name) => sum + file.shape(name).reduce((product, size) => product * size, 1),
    0,
  );
}
