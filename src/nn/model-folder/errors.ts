/** What can be wrong with a model folder: which file, where in it, and why. */

/** A model folder or one of its files cannot be used. Names the file, the tensor if any, and the reason. */
export class WeightError extends Error {
  override readonly name = 'WeightError';
  constructor(
    readonly file: string,
    readonly tensor: string | null,
    readonly what: string,
    options?: ErrorOptions,
  ) {
    super(`${file}${tensor === null ? '' : `, tensor "${tensor}"`}: ${what}`, options);
  }
}

/** A file of a model folder could not be fetched or read. */
export class ModelSourceError extends Error {
  override readonly name = 'ModelSourceError';
  constructor(
    readonly file: string,
    readonly kind: 'missing' | 'not-a-model-file' | 'network' | 'truncated' | 'refused',
    what: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${what}`, options);
  }
}
