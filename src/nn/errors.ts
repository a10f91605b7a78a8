/** What a network or its device refuses: the named errors of this room that are not about a model folder. */

/** More slots were asked for than a key-value cache holds. */
export class CapacityError extends Error {
  override readonly name = 'CapacityError';
  constructor(
    readonly capacitySlots: number,
    readonly length: number,
    readonly wanted: number,
  ) {
    super(
      `The key-value cache holds ${capacitySlots} slots; ${length} are taken, ${wanted} more do not fit.`,
    );
  }
}

/** An array handed to a network has another size than its shape says: a bug of the caller. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  constructor(what: string, expected: number, found: number) {
    super(`${what}: expected ${expected} values, found ${found}.`);
  }
}

/** Training cannot go on: a figure came out that is no number. The weights are those before the step. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError';
}

/** No backend could be started, or the one asked for cannot. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
}
