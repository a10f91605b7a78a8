/**
 * The telemetry event union: everything that a run does is one of these, and a trace is a list of them.
 * Versioned and validated; the reader in storage upgrades older versions.
 */
import { z } from '../../base/zod.ts';
import { attentionRecordSchema } from './attention-record.ts';
import { runConfigSchema } from './config.ts';
import { ROUTERS } from '../parameters/heads.ts';
import { ROLES } from '../tree/provenance.ts';

export const TRACE_FORMAT = 'megacontext-trace';
export const TRACE_VERSION = 11;

const lod = z.number().int().min(0).max(4);
const count = z.number().int().min(0);
const finite = z.number();
/** Which working context over the memory an event concerns; 0 is the first head, 8 the staging context. */
const head = count;

/** An entry as traces store it: `[lod, start, end]`; cost follows from them. */
export const layoutEntrySchema = z.tuple([lod, count, count]);

/** What a refocus spends its time on, in the order in which they follow one another. */
export const STAGES = ['ingest', 'gist', 'score', 'allocate', 'decode', 'telemetry'] as const;
export type Stage = (typeof STAGES)[number];

/** Why an action was taken or refused. */
export const REASONS = [
  'score-above-tau', // expansion, LensNet or another policy wanted it
  'score-below-tau', // collapse
  'paid-for-expansion', // collapse taken so that a waiting expansion fits
  'paid-for-readmission', // collapse taken so that an evicted span fits again
  'enough-open', // collapse, or refused: as many blocks with better scores stand open as openBlocks allows
  'over-budget', // forced collapse
  'cooldown-overruled', // forced collapse of what may not flip yet, because nothing else was left before an eviction
  'coarsest-and-over-budget', // eviction
  'fits-again', // readmission
  'manual', // the researcher did it
  'cooldown', // refused
  'no-budget', // refused; missingTokens says by how much
  'action-limit', // refused: N_diff reached
  'protected-recent', // refused
  'not-legal', // refused: pruned, siblings not at one LOD, or no parent gist
  'pinned', // refused
  'forbidden', // refused: the researcher forbade it
] as const;
export type Reason = (typeof REASONS)[number];

export const actionSchema = z.object({
  kind: z.enum(['expand', 'collapse', 'evict', 'readmit']),
  /**
   * The span acted on: the gist that expands, the parent that its siblings collapse into, the entry evicted, the
   * entry that an evicted span comes back as.
   */
  lod,
  start: count,
  end: count,
  /** LOD after the action (an evicted or readmitted span keeps its LOD here). */
  toLod: lod,
  score: finite.nullable(),
  /** 1 = best candidate of its queue in this pass. */
  rank: count.nullable(),
  costDelta: z.number().int(),
  reason: z.enum(REASONS),
  applied: z.boolean(),
  /** Refused for budget: tokens that were missing. */
  missingTokens: count.optional(),
  /** Refused for cooldown: refocuses left. */
  cooldownLeft: count.optional(),
  /** An expansion that collapses of the same step paid for: their starts, `[lod, start, end]`. */
  paidBy: z.array(layoutEntrySchema).optional(),
  /** Which scoring pass of this refocus (0 = first, then refine steps). */
  pass: count,
});
export type ActionRecord = z.infer<typeof actionSchema>;

/**
 * What the allocator carries from one refocus to the next, for a replay that goes on from here. The thresholds in
 * force stand in the refocus event itself.
 */
export const allocatorRecordSchema = z.object({
  /** Moving average of the net cost per refocus, tokens. */
  drift: finite,
  /** Net cost since the last refocus began, tokens. */
  netCost: z.number().int(),
  /** Last moves that still hold: `[lod, start, step of the move, kind]` of the coarser span. */
  cooldowns: z.array(z.tuple([lod, count, count, z.enum(['expand', 'collapse'])])),
  /** `[entries]` refocuses that each entry of the layout after this step has stayed at its LOD. */
  residency: z.array(count),
});
export type AllocatorRecord = z.infer<typeof allocatorRecordSchema>;

const base = { step: count, timeMs: finite };

export const telemetryEventSchema = z.discriminatedUnion('type', [
  z.object({
    ...base,
    type: z.literal('session'),
    sessionId: z.string(),
    title: z.string(),
    modelId: z.string(),
    modelHash: z.string(),
    backend: z.string(),
    config: runConfigSchema,
  }),
  z.object({
    ...base,
    type: z.literal('ingest'),
    start: count,
    end: count,
    role: z.enum(ROLES),
    documentId: z.string(),
  }),
  /** A document was hidden from focus, or is shown again. */
  z.object({
    ...base,
    type: z.literal('hide'),
    documentId: z.string(),
    title: z.string(),
    hidden: z.boolean(),
  }),
  z.object({ ...base, type: z.literal('gist'), lod, firstIndex: count, count }),
  z.object({
    ...base,
    type: z.literal('score'),
    head,
    cursor: count,
    policy: z.string(),
    min: finite,
    mean: finite,
    max: finite,
  }),
  z.object({
    ...base,
    type: z.literal('refocus'),
    head,
    cursor: count,
    policy: z.string(),
    /** First token still in the window; what lies before was evicted. */
    windowStart: count,
    usedTokens: count,
    budgetTokens: count,
    entryCount: count,
    /**
     * The layout after this step, whole or as the replaced runs. `at` indexes the layout of the last refocus
     * event; splices are in ascending order and do not overlap.
     */
    layout: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('keyframe'), entries: z.array(layoutEntrySchema) }),
      z.object({
        kind: z.literal('delta'),
        splices: z.array(z.object({ at: count, remove: count, insert: z.array(layoutEntrySchema) })),
      }),
    ]),
    /** One score per entry of the layout that was scored first in this step (before its actions). */
    scores: z.array(finite),
    actions: z.array(actionSchema),
    swapRate: finite,
    utilisation: finite,
    meanResidency: finite,
    coherence: finite.nullable(),
    trigger: z.enum(['block', 'turn-end', 'manual']),
    /** The thresholds in force, where the strategy moved them; absent where the parameters held. */
    thresholds: z.object({ tauExpand: finite, tauCollapse: finite }).optional(),
    /** Absent in frames that a replay need not start from, and in traces of older versions. */
    allocator: allocatorRecordSchema.optional(),
  }),
  z.object({ ...base, type: z.literal('action'), head, action: actionSchema }),
  z.object({ ...base, type: z.literal('evict'), head, lod, start: count, end: count }),
  /** An evicted span is in the working context again. */
  z.object({ ...base, type: z.literal('readmit'), head, lod, start: count, end: count }),
  z.object({
    ...base,
    type: z.literal('decode'),
    head,
    tokenId: count,
    /** Its place in the history: the token's absolute index. */
    index: count,
    text: z.string(),
    logProbability: finite,
    entropy: finite,
    /** Heads whose final hidden states were merged for it, with their weights; absent where `head` alone was read. */
    merged: z.array(z.tuple([count, finite])).optional(),
    /** How much it attended to the context that it was predicted from; absent where that was not recorded. */
    attention: attentionRecordSchema.optional(),
  }),
  z.object({
    ...base,
    type: z.literal('deltaNll'),
    head,
    cursor: count,
    horizonTokens: count,
    workingContextNll: finite,
    fullNll: finite.nullable(),
    deltaNll: finite.nullable(),
    why: z.string().optional(),
    /** KV mode `patch`: what the kept keys and values cost, `workingContextNll` minus the same with `exact`. */
    patchExtraNll: finite.optional(),
    /** Where several heads are read: NLL as they read the horizon merged, and as they would without this one. */
    merged: z.object({ nll: finite, withoutNll: finite }).optional(),
  }),
  /** Which heads the base reads from here on, and why. */
  z.object({
    ...base,
    type: z.literal('router'),
    cursor: count,
    router: z.enum(ROUTERS),
    /** `[heads]`. */
    utilities: z.array(finite),
    /** Ascending. */
    chosen: z.array(head),
    /** Share of the softmax of the utilities that the chosen heads have. */
    confidence: finite,
    ms: finite,
  }),
  /** How the staging context served the heads' refocus of this step; its own frames name it as head 8. */
  z.object({
    ...base,
    type: z.literal('staging'),
    cursor: count,
    budgetTokens: count,
    usedTokens: count,
    entryCount: count,
    /** Tokens that came in since it was refocused. */
    ageTokens: count,
    /** Expansions of heads into what it holds as fine or finer, and those beyond it. */
    hits: count,
    misses: count,
    /** What its last refocus took, and how many tokens that serves. */
    refocusMs: finite,
    servedTokens: count,
  }),
  /** What losing one block's detail would cost, measured on the newest tokens. */
  z.object({
    ...base,
    type: z.literal('sensitivity'),
    head,
    lod,
    start: count,
    end: count,
    horizonTokens: count,
    deltaNll: finite,
  }),
  /** Detail went to the cold tier, or came back from it. */
  z.object({
    ...base,
    type: z.literal('prune'),
    action: z.enum(['prune', 'restore']),
    /** By the rules on their own, or because the researcher asked. */
    reason: z.enum(['rules', 'manual']),
    /** Nodes `first..first+count-1` of a LOD with the CRC-32 of their payload: token ids, or fp16 gists. */
    runs: z.array(z.object({ lod, first: count, count, bytes: count, checksum: count })),
    /** ΔNLL of losing them, measured on some; absent where nothing was measured. */
    measured: z.object({ nodes: count, meanDeltaNll: finite, maxDeltaNll: finite }).optional(),
  }),
  z.object({
    ...base,
    type: z.literal('violation'),
    /** Null where it concerns the memory that all heads share. */
    head: head.nullable(),
    check: z.string(),
    message: z.string(),
    action: z.literal('rolled-back'),
  }),
  z.object({
    ...base,
    type: z.literal('latency'),
    /** Null for what is done for the memory that all heads share. */
    head: head.nullable(),
    stage: z.enum(STAGES),
    ms: finite,
  }),
]);

/** `step` is the refocus step the event belongs to; `timeMs` counts from the run's start by the injected clock. */
export type TelemetryEvent = z.infer<typeof telemetryEventSchema>;
export type TelemetryEventOf<T extends TelemetryEvent['type']> = Extract<TelemetryEvent, { type: T }>;
export type LayoutEntry = z.infer<typeof layoutEntrySchema>;

export const traceHeaderSchema = z.object({
  format: z.literal(TRACE_FORMAT),
  version: z.literal(TRACE_VERSION),
  createdAt: z.string(),
  modelId: z.string(),
  modelHash: z.string(),
  backend: z.string(),
  seed: count,
  config: runConfigSchema,
});
export type TraceHeader = z.infer<typeof traceHeaderSchema>;
