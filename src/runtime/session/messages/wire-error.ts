/** An error as it crosses the worker's border: what happened, where, what was kept, what to try. */
export interface WireError {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly kept: string;
  readonly tryNext: string;
}
