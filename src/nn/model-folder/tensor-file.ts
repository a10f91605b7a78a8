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
}
