/**
 * The messages between the page and the engine's worker. Both directions are typed and validated; big
 * arrays are transferred. The page sends commands, each answered once by `reply`; the worker sends
 * notices at any time.
 */
import { z } from '../../../base/zod.ts';
import { runConfigSchema } from '../../../core/trace/config.ts';
import type { RunConfig } from '../../../core/trace/config.ts';
import type { LensVariant } from '../../../core/parameters/policy.ts';
import type { LearnedHeads } from '../../session/head/learned-heads.ts';
import type { TelemetryEvent } from '../../../core/trace/telemetry.ts';
import type { BackendReport } from '../../../nn/ports.ts';
import type { ChatMessageRecord, ProvenanceRun, SessionRecord } from '../../../storage/ports.ts';
import { lensTrainingRequestSchema } from '../../lens-training/messages.ts';
import type { LensTrainingReport } from '../../lens-training/messages.ts';
import type { WireError } from '../../session/messages/wire-error.ts';
import { evaluationRequestSchema } from './evaluation.ts';
import type { EvaluationCatalogue, EvaluationOutcome, EvaluationProgress } from './evaluation.ts';
import type { EvaluationReport } from '../../../core/evaluation-report/report.ts';
import { modelPlaceSchema, modelSchemas } from './models.ts';
import type { ModelFetchProgress, ModelResults } from './models.ts';
import { type ProfileReport, profileSchema } from './profile.ts';
import { runSchemas } from '../../session/messages/run-messages.ts';
import type { BranchProgress, ProbeResult, StoredRun } from '../../session/messages/run-messages.ts';
import { nodeQueryFields, querySchemas } from '../../session/messages/query-messages.ts';
import { sessionCommandSchemas } from '../../session/messages/session-messages.ts';
import type { SessionNotice, SessionResults, SessionState } from '../../session/messages/session-messages.ts';

export type {
  BlockReport,
  ContinuationScore,
  GistMatch,
  LevelCells,
  ListedNode,
  ListedToken,
  NodeList,
  PruningReport,
  SensitivityReport,
  SimilarSearch,
  TextSearch,
  TreeCells,
} from '../../session/messages/query-messages.ts';
export type {
  CalibrationPoint,
  LensTrainingOptions,
  LensTrainingReport,
  LensTrainingRequest,
  LossPoint,
  RoutingMeasure,
} from '../../lens-training/messages.ts';
export type { BranchProgress, StoredRun } from '../../session/messages/run-messages.ts';
export type { ManualAct, SessionState } from '../../session/messages/session-messages.ts';
export type { WireError } from '../../session/messages/wire-error.ts';
export type { FetchPlan, KeptModel, ModelCheck, ModelOffer, ModelPlace, ShelfReport } from './models.ts';
export type { ProfileAct, ProfileReport } from './profile.ts';
export type { BackendReport } from '../../../nn/ports.ts';
export type { ChatMessageRecord, ProvenanceRun, SessionRecord, SpanMark } from '../../../storage/ports.ts';

/** `trace` is JSON Lines, `csv` one line a refocus step, `chrome-trace` what Perfetto opens. */
export const EXPORT_FORMATS = ['trace', 'trace-gzip', 'csv', 'chrome-trace'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportedFile {
  readonly fileName: string;
  readonly file: Blob;
}

/** Characters of a session's name and of a tag, and tags of a session. */
const MAX_TITLE = 120;
const MAX_TAG = 40;
const MAX_TAGS = 20;

/** More help no base that a browser can hold. */
export const MOST_THREADS = 16;

export const commandSchema = z.discriminatedUnion('kind', [
  /** Load a model and choose a backend. Sent once; again to change backend or model (sessions stay stored). */
  z.object({
    kind: z.literal('boot'),
    place: modelPlaceSchema,
    backend: z.enum(['auto', 'webgpu', 'wasm', 'cpu']),
    /** Of the processor, for the WASM kernels; automatic where absent. */
    threads: z.union([z.literal('auto'), z.number().int().min(1).max(MOST_THREADS)]).optional(),
  }),
  ...modelSchemas,
  /** What the engine's time went to. */
  profileSchema,
  z.object({ kind: z.literal('listSessions') }),
  z.object({ kind: z.literal('createSession'), title: z.string(), config: runConfigSchema.partial() }),
  z.object({ kind: z.literal('openSession'), sessionId: z.string() }),
  /** Rename a session, tag it, or delete it so that it can be taken back; open or not. */
  z.object({
    kind: z.literal('changeSession'),
    sessionId: z.string(),
    title: z.string().trim().min(1).max(MAX_TITLE).optional(),
    tags: z.array(z.string().trim().min(1).max(MAX_TAG)).max(MAX_TAGS).readonly().optional(),
    deleted: z.boolean().optional(),
  }),
  /** A copy of all that is stored of a session. It is not opened. */
  z.object({ kind: z.literal('duplicateSession'), sessionId: z.string(), title: z.string() }),
  /** Remove a session for good. */
  z.object({ kind: z.literal('removeSession'), sessionId: z.string() }),
  ...sessionCommandSchemas,
  ...querySchemas,
  ...runSchemas,
  /** Ask beside the open session, and judge what is decoded. Nothing of it is kept. One at a time. */
  z.object({
    kind: z.literal('probe'),
    question: z.string().min(1).max(2000),
    expected: z.array(z.string().min(1).max(200)).min(1).max(20),
  }),
  /** Nodes of the open session's tree, with all that is known of them, as a file. */
  z.object({ kind: z.literal('exportNodes'), ...nodeQueryFields, format: z.enum(['csv', 'json']) }),
  /** The run so far as a file. */
  z.object({ kind: z.literal('exportTrace'), format: z.enum(EXPORT_FORMATS) }),
  /** A session with all that belongs to it, as a `.ctx` archive. */
  z.object({ kind: z.literal('exportSession'), sessionId: z.string() }),
  /** Store what is in a `.ctx` archive as a new session, and open it. */
  z.object({ kind: z.literal('importSession'), file: z.instanceof(Blob) }),
  /** Break off the export or import under way; it answers with the error `stopped`. */
  z.object({ kind: z.literal('stopTransfer') }),
  z.object({ kind: z.literal('listEvaluations') }),
  /** Evaluate beside the open session; notices tell the progress. One at a time. */
  z.object({ kind: z.literal('evaluate'), request: evaluationRequestSchema }),
  z.object({ kind: z.literal('cancelEvaluation') }),
  /** Train LensNet on the open session, and choose which LensNet it uses. Notices tell the progress. */
  z.object({ kind: z.literal('lensTraining'), request: lensTrainingRequestSchema }),
  /** The weights that were learned, else those in use, as safetensors. */
  z.object({ kind: z.literal('exportLens') }),
]);
export type Command = z.infer<typeof commandSchema>;
export type CommandKind = Command['kind'];

/** Everything the page needs to draw a session that was just created or opened. */
export interface SessionSnapshot {
  readonly state: SessionState;
  readonly events: readonly TelemetryEvent[];
  /** Of a long session: what `readEvents` has in place of the first `shown` events, which say where they lead. */
  readonly earlier?: { readonly eventCount: number; readonly shown: number };
  readonly chat: readonly ChatMessageRecord[];
  readonly provenance: readonly ProvenanceRun[];
  /** What could not be taken over as it was stored, and what was done about it. */
  readonly damage: readonly string[];
}

export interface ModelReport {
  readonly id: string;
  readonly title: string;
  readonly hash: string;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly vocabularySize: number;
  readonly parameters: number;
  readonly trainedContextTokens: number;
  /** What `lensVariant` may ask for. */
  readonly lensVariants: readonly LensVariant[];
  /** For how many heads it brings a learned router, and a learned merger. */
  readonly learnedHeads: LearnedHeads;
  /** Whether it brings LensNet-G. */
  readonly hasStagingLens: boolean;
  /** Whether it has a LensNet; without one, gists are means and a policy without training chooses. */
  readonly hasHeads: boolean;
  /** Of heads that came from elsewhere than the base, what they are called; null for none, and for the base's own. */
  readonly headsTitle: string | null;
  readonly licence: string;
  readonly figures: readonly {
    readonly name: string;
    readonly value: number;
    readonly n: number;
    readonly ci95: readonly number[];
    readonly command: string;
  }[];
}

export interface BootReport {
  readonly backend: BackendReport;
  readonly model: ModelReport;
  readonly storage: { readonly kind: 'indexeddb' | 'memory' | 'file'; readonly reason: string };
  /** Config defaults for this model. */
  readonly defaults: RunConfig;
}

/** What each command answers. */
export interface CommandResults extends SessionResults, ModelResults {
  boot: BootReport;
  listSessions: readonly SessionRecord[];
  createSession: SessionSnapshot;
  openSession: SessionSnapshot;
  /** The open session's state if it is the one; it is closed by being deleted. */
  changeSession: SessionState | null;
  duplicateSession: SessionRecord['id'];
  removeSession: null;
  branchSession: SessionSnapshot;
  leaveOutDocument: SessionSnapshot;
  stopBranch: null;
  probe: ProbeResult;
  profile: ProfileReport;
  readRun: StoredRun;
  readEvents: { readonly events: readonly TelemetryEvent[] };
  runTexts: readonly string[];
  exportNodes: ExportedFile;
  exportTrace: ExportedFile;
  exportSession: ExportedFile;
  importSession: SessionSnapshot;
  stopTransfer: null;
  listEvaluations: EvaluationCatalogue;
  evaluate: EvaluationOutcome;
  cancelEvaluation: null;
  lensTraining: LensTrainingReport;
  exportLens: ExportedFile;
}

export type Notice =
  | {
      readonly kind: 'progress';
      readonly task: 'load' | 'ingest' | 'rebuild' | 'transfer';
      readonly label: string;
      readonly done: number;
      readonly total: number;
    }
  /** Tells of one session, which may have been closed since. */
  | (SessionNotice & { readonly sessionId: string })
  /** Something failed, whichever session is open. */
  | { readonly kind: 'problem'; readonly error: WireError }
  | { readonly kind: 'branch'; readonly progress: BranchProgress }
  /** How far fetching or copying a model is. */
  | { readonly kind: 'modelFetch'; readonly progress: ModelFetchProgress }
  /** How far training LensNet is, whole. */
  | { readonly kind: 'lensTraining'; readonly report: LensTrainingReport }
  /** How far an evaluation is; with the report of what is counted whenever that was made anew. */
  | {
      readonly kind: 'evaluation';
      readonly progress: EvaluationProgress;
      readonly report: EvaluationReport | null;
      /** Lines of a records file that are new; the first ones begin with its header. */
      readonly records: string | null;
    }
  /**
   * The worker died or lost its GPU and was started again by the client. `snapshot` is the session that was
   * open, read back from storage; null when none was open or when nothing of it outlived the worker.
   */
  | { readonly kind: 'restarted'; readonly boot: BootReport; readonly snapshot: SessionSnapshot | null };

/** What the page sends; validated by the worker before anything is done. */
export const toWorkerSchema = z.object({ id: z.number().int().min(0), command: commandSchema });
export type ToWorker = { readonly id: number; readonly command: Command };
export type FromWorker =
  | { readonly type: 'reply'; readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly type: 'reply'; readonly id: number; readonly ok: false; readonly error: WireError }
  /** Of the reply with this id, in order and ahead of it: a page reads a long run piece by piece. */
  | { readonly type: 'events'; readonly id: number; readonly events: readonly TelemetryEvent[] }
  | { readonly type: 'notice'; readonly notice: Notice }
  /** The worker cannot go on (its GPU is gone): the client starts another one. */
  | { readonly type: 'fatal'; readonly error: WireError };
