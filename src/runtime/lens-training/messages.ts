/** What the page and the engine say to each other about training LensNet on a session. */
import { z } from '../../base/zod.ts';
import type { LensNetVariant } from '../../nn/model-folder/manifest.ts';
import type { WireError } from '../session/messages/wire-error.ts';

/** Fewer states than this teach nothing that could be checked. */
export const LEAST_STATES = 9;

export const lensTrainingRequestSchema = z.discriminatedUnion('action', [
  z.object({ action: z.literal('status') }),
  /** Collect counterfactuals, then train. */
  z.object({
    action: z.literal('start'),
    /** Places whose moves are measured on the base. */
    states: z.number().int().min(0).max(500),
    /** Questions made of the history's own sentences. */
    questions: z.number().int().min(0).max(500),
    steps: z.number().int().min(1).max(5000),
    learningRate: z.number().min(1e-6).max(0.1),
    seed: z
      .number()
      .int()
      .min(0)
      .max(2 ** 31 - 1),
  }),
  z.object({ action: z.literal('pause') }),
  z.object({ action: z.literal('resume') }),
  /** End the run and drop what it learned; the LensNet in use stays. */
  z.object({ action: z.literal('discard') }),
  /** Use what was learned from the next refocus on. */
  z.object({ action: z.literal('keep') }),
  /** Use the model's own LensNet again, and forget the kept one. */
  z.object({ action: z.literal('useShipped') }),
  /** Use weights from a file from the next refocus on. */
  z.object({
    action: z.literal('import'),
    fileName: z.string().max(255),
    bytes: z.custom<Uint8Array<ArrayBuffer>>((value) => ArrayBuffer.isView(value), 'must be bytes'),
  }),
]);
export type LensTrainingRequest = z.infer<typeof lensTrainingRequestSchema>;
export type LensTrainingOptions = Omit<Extract<LensTrainingRequest, { action: 'start' }>, 'action'>;

/** One measured move: what the lens said and what really happened. */
export interface CalibrationPoint {
  /** The unit's mean score, in [-1, 1]. */
  readonly score: number;
  /** Nats per token that the unit's detail is worth: gained by expanding it, lost by collapsing it. */
  readonly detailNats: number;
  readonly kind: 'expand' | 'collapse';
  /** Of the entries that move: raw text and gists have different prices. */
  readonly lod: number;
}

/** Held-out answers of the history, asked for again with a LensNet and decoded freely. */
export interface AnswerMeasure {
  /** Those that say what the history says, word for word. */
  readonly hits: number;
  readonly n: number;
  /** Wilson, 95%; null without answers. */
  readonly ci95: readonly [number, number] | null;
}

/** How often what matters most is among the k highest scores. */
export interface FoundMeasure {
  readonly k: number;
  readonly hits: number;
  /** Held-out places where something matters enough. */
  readonly n: number;
  /** Wilson, 95%; null without such places. */
  readonly ci95: readonly [number, number] | null;
}

/** How well a LensNet routes, on the held-out states. */
export interface RoutingMeasure {
  /** Training steps behind it; 0 is the LensNet in use before. */
  readonly step: number;
  readonly states: number;
  /** Rank correlation of the gain that a score stands for and the worth of detail, over all held-out moves; null where undefined. */
  readonly spearman: number | null;
  /** Bootstrap over states, 95%. */
  readonly spearmanCi95: readonly [number, number] | null;
  /** Is the expansion with the largest measured gain among the k highest-scored of all legal ones? */
  readonly recall: FoundMeasure;
  /** Of the questions made of held-out sentences: is what holds the sentence among the k highest-scored? */
  readonly cloze: FoundMeasure;
  /** Measured before and after all steps; null on the way. */
  readonly answered: AnswerMeasure | null;
  readonly points: readonly CalibrationPoint[];
}

/** One training step. */
export interface LossPoint {
  readonly step: number;
  readonly total: number;
  readonly regression: number;
  readonly ranking: number;
}

/** What the session offers to learn from. */
export interface LensSupply {
  readonly tokens: number;
  /** Shortest history that gives enough states. */
  readonly neededTokens: number;
  /** States at most, by what follows them. */
  readonly answers: number;
  readonly recurrences: number;
  readonly blocks: number;
  /** That a question can be made of, and whose place is far enough back. */
  readonly sentences: number;
}

export interface LensDataset {
  readonly trainStates: number;
  readonly heldOutStates: number;
  readonly trainQuestions: number;
  readonly heldOutQuestions: number;
  readonly trainMoves: number;
  readonly heldOutMoves: number;
  /** Worth of detail, nats per token, that a score of about 0.76 stands for. */
  readonly scaleNats: number;
  /** Moves of all states whose detail is worth enough to matter. */
  readonly tellingMoves: number;
}

export type LensTrainingPhase =
  | 'unsupported'
  | 'idle'
  | 'collecting'
  | 'training'
  | 'paused'
  /** All steps are done; keep or discard. */
  | 'done'
  /** It stopped early; `problem` says why. What was learned before may be kept. */
  | 'stopped';

export interface LensTrainingReport {
  readonly sessionId: string;
  readonly phase: LensTrainingPhase;
  /** The architecture that scores now, and that a run would train; null where there is no LensNet. */
  readonly variant: LensNetVariant | null;
  /** Why it cannot be trained, in a sentence; null where it can. */
  readonly unsupported: string | null;
  /** It waits until an answer is complete. */
  readonly waiting: boolean;
  readonly inUse: {
    readonly origin: 'shipped' | 'trained' | 'imported';
    /** First digits of the weights' hash; null for the model's own. */
    readonly mark: string | null;
    /** What it is; the model's own: what scores now. */
    readonly variant: LensNetVariant | null;
    /** It comes back after a reload. */
    readonly isStored: boolean;
  };
  readonly supply: LensSupply;
  readonly options: LensTrainingOptions | null;
  readonly collected: { readonly done: number; readonly total: number; readonly moves: number } | null;
  readonly dataset: LensDataset | null;
  readonly step: number;
  readonly losses: readonly LossPoint[];
  readonly before: RoutingMeasure | null;
  readonly after: RoutingMeasure | null;
  /** Milliseconds that the phase under way will still take, about; null where unknown. */
  readonly remainingMs: number | null;
  /** There are trained weights to keep, export or discard. */
  readonly hasCandidate: boolean;
  readonly problem: WireError | null;
}
