/** The two sides of a comparison, and the runs that can stand on them. */
export type Side = 'a' | 'b';
export const SIDES: readonly Side[] = ['a', 'b'];

/** A run that can be compared. */
export interface RunChoice {
  /** `live`, `recording`, `example`, `session:…` or `file:…`. */
  readonly id: string;
  readonly title: string;
}
