/** JSON files of a model, which are untrusted. */
import { WeightError } from './errors.ts';

/** @throws {WeightError} naming the file if its bytes are not JSON in UTF-8. */
export function parseJson(bytes: ArrayBuffer, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new WeightError(file, null, 'is not JSON in UTF-8', { cause: error });
  }
}
