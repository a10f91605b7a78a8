/**
 * The questions that the page may ask about the open session. None of them changes the history or the working
 * context; a measured sensitivity is noted in the tree and in the trace.
 */
import { z } from '../../../base/zod.ts';
import type { BlockSpan, NodeRun } from '../../../core/tree/ids.ts';
import { NODE_MEASURES, type NodeMeasure } from '../../../core/tree/node-columns.ts';
import { ROLES } from '../../../core/tree/provenance.ts';
import { NODE_STATES } from '../../../core/tree/query/node-filter.ts';
import type { NodeRecord } from '../../../core/tree/query/node-record.ts';
import type { ProvenanceRun } from '../../../storage/ports.ts';

/** A block as messages name it. */
export const blockFields = {
  lod: z.number().int().min(0).max(4),
  start: z.number().int().min(0),
  end: z.number().int().min(0),
};

/** Which working context is meant; the first where it is absent. */
export const headField = { head: z.number().int().min(0).optional() };

const MAX_QUERY_CHARACTERS = 2000;
const MAX_CELLS = 16_384;
const MAX_LISTED_NODES = 500;

const rangeSchema = z.object({ min: z.number().optional(), max: z.number().optional() });

/** The nodes that are meant, and in which order. */
const nodeFilterSchema = z.object({
  lod: blockFields.lod.optional(),
  documentId: z.string().optional(),
  role: z.enum(ROLES).optional(),
  states: z.array(z.enum(NODE_STATES)).readonly().optional(),
  ranges: z.partialRecord(z.enum(NODE_MEASURES), rangeSchema.optional()).optional(),
});
export const nodeQueryFields = {
  filter: nodeFilterSchema,
  order: z.object({ by: z.enum(['place', ...NODE_MEASURES]), descending: z.boolean() }),
};

export const querySchemas = [
  z.object({ kind: z.literal('inspect'), ...blockFields, ...headField }),
  /** The text of a span, cut to `maxCharacters`. */
  z.object({
    kind: z.literal('spanText'),
    start: blockFields.start,
    end: blockFields.end,
    maxCharacters: z.number().int().min(1).max(1_000_000),
  }),
  /** The tokens of a span one by one. */
  z.object({ kind: z.literal('tokens'), start: blockFields.start, end: blockFields.end }),
  z.object({ kind: z.literal('nextTokens'), count: z.number().int().min(1).max(100), ...headField }),
  /** The negative log-likelihood of a text, token by token, if it followed now. */
  z.object({
    kind: z.literal('scoreContinuation'),
    text: z.string().min(1).max(MAX_QUERY_CHARACTERS),
    ...headField,
  }),
  /** ΔNLL of losing one block's detail, measured on the newest tokens. */
  z.object({ kind: z.literal('measureSensitivity'), ...blockFields, ...headField }),
  /** What pruning would move to the cold tier now; `measure`: measure the loss of so many nodes that were not yet. */
  z.object({ kind: z.literal('planPruning'), measure: z.number().int().min(0).max(64) }),
  /** The nodes that pass a filter, `limit` of them from the `offset`-th on. */
  z.object({
    kind: z.literal('listNodes'),
    ...nodeQueryFields,
    offset: z.number().int().min(0),
    limit: z.number().int().min(1).max(MAX_LISTED_NODES),
  }),
  /** The tree's nodes that touch tokens `start..end-1`, at most `cells` of each level, by one of their measures. */
  z.object({
    kind: z.literal('treeCells'),
    start: blockFields.start,
    end: blockFields.end,
    cells: z.number().int().min(1).max(MAX_CELLS),
    measure: z.enum(NODE_MEASURES),
    filter: nodeFilterSchema.optional(),
  }),
  /** Where a text stands in the history; capitals and small letters are the same. */
  z.object({
    kind: z.literal('searchText'),
    query: z.string().min(1).max(MAX_QUERY_CHARACTERS),
    limit: z.number().int().min(1).max(1000),
  }),
  /** The gists of every level that are nearest to a text. */
  z.object({
    kind: z.literal('searchSimilar'),
    query: z.string().min(1).max(MAX_QUERY_CHARACTERS),
    limit: z.number().int().min(1).max(100),
  }),
] as const;

export type Query = z.infer<(typeof querySchemas)[number]>;

/** Is a move legal now, and if not, why. */
export interface MoveVerdict {
  readonly legal: boolean;
  readonly why: string;
}

/** A gist and how alike it is to what was looked for. */
export interface GistMatch {
  readonly start: number;
  readonly end: number;
  readonly cosine: number;
  readonly text: string;
}

/** What `inspect` answers about one block. */
export interface BlockReport {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
  readonly spanId: number;
  /** The gist that it is part of; null where none is made yet. */
  readonly parent: BlockSpan | null;
  readonly text: string;
  readonly inWorkingContext: boolean;
  readonly currentLod: number | null;
  readonly provenance: readonly ProvenanceRun[];
  readonly gistVersion: number | null;
  /** Is the gist older than the GistNet that is loaded. */
  readonly isStale: boolean;
  readonly createdAtStep: number | null;
  readonly accessCount: number;
  readonly lastAccessStep: number | null;
  readonly expansions: number;
  readonly collapses: number;
  readonly residencySteps: number;
  /** Last measured ΔNLL of losing its detail, nats/token; null until measured. */
  readonly sensitivity: number | null;
  readonly pinned: boolean;
  /** It, or a gist that holds it, may not be expanded. */
  readonly forbidden: boolean;
  /** Its document is hidden from focus. */
  readonly hidden: boolean;
  /** The name that the researcher gave it. */
  readonly tag: string | null;
  readonly cooldownLeft: number;
  readonly canExpand: MoveVerdict;
  readonly canCollapse: MoveVerdict;
  /** Nearest other gists of the same level by cosine. */
  readonly neighbours: readonly GistMatch[];
}

/** One token of the history. */
export interface ListedToken {
  readonly id: number;
  readonly text: string;
}

export interface TokenProbability {
  readonly tokenId: number;
  readonly text: string;
  readonly probability: number;
}

/** A text's tokens and the nats that each of them costs after those before it. */
export interface ContinuationScore {
  readonly tokens: readonly { readonly text: string; readonly nll: number }[];
  /** Nats per token. */
  readonly meanNll: number;
}

/** What it costs to lose one block's detail. */
export interface SensitivityReport {
  /** Nats/token over the horizon: `coarseNll - fineNll`; positive means that the detail helps. */
  readonly deltaNll: number;
  /** With the block as one gist. */
  readonly coarseNll: number;
  /** With the next finer level in its place. */
  readonly fineNll: number;
  /** How many of the newest tokens were scored. */
  readonly horizonTokens: number;
}

/** A dry run of pruning. */
export interface PruningReport {
  /** The last refocus. */
  readonly step: number;
  readonly runs: readonly NodeRun[];
  /** LOD0 to the second coarsest. */
  readonly levels: readonly {
    readonly lod: number;
    /** That would go. */
    readonly nodes: number;
    /** That the tree has, and of them in the cold tier already. */
    readonly total: number;
    readonly cold: number;
    readonly bytes: number;
    /** ΔNLL of losing those that were measured, nats/token; null where none was. */
    readonly measured: {
      readonly nodes: number;
      readonly meanDeltaNll: number;
      readonly maxDeltaNll: number;
    } | null;
  }[];
  readonly bytes: number;
}

/** One level's nodes in a range, `stride` of them to a cell where they are too many. `[count]` arrays. */
export interface LevelCells {
  readonly level: number;
  /** Nodes of this level that the tree has. */
  readonly nodeCount: number;
  /** Index of the first cell's first node: a multiple of `stride`. */
  readonly firstIndex: number;
  readonly stride: number;
  /** The highest of each cell's nodes by the measure that was asked for; NaN where none has a value. */
  readonly values: Float32Array;
  /** The oldest of each cell's gists; 0 at level 0. */
  readonly gistVersions: Uint32Array;
  /** Bits of `NODE_FLAGS`, of all nodes of the cell together. */
  readonly flags: Uint8Array;
  /** 1 where a node of the cell passes the filter; null without one. */
  readonly matches: Uint8Array | null;
}

export interface TreeCells {
  readonly tokenCount: number;
  /** The last refocus. */
  readonly step: number;
  /** The GistNet that is loaded: gists of another version are stale. */
  readonly gistVersion: number;
  readonly maxLod: number;
  readonly measure: NodeMeasure;
  readonly levels: readonly LevelCells[];
}

/** A node as the explorer lists it. */
export interface ListedNode extends NodeRecord {
  /** The name that the researcher gave it. */
  readonly tag: string | null;
}

export interface NodeList {
  /** Nodes that pass the filter, listed or not. */
  readonly total: number;
  /** Nodes that the tree has. */
  readonly treeNodes: number;
  readonly offset: number;
  readonly nodes: readonly ListedNode[];
}

export interface TextHit {
  /** Tokens `start..end-1` hold the match. */
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

export interface TextSearch {
  /** The first hits, in order of position. */
  readonly hits: readonly TextHit[];
  /** All of them, listed or not. */
  readonly total: number;
}

export interface SimilarSearch {
  /** What stood for the query: the mean of its embeddings, or the gist of its last full block. */
  readonly by: 'embedding' | 'gist';
  /** Best first within a level; coarsest level last. */
  readonly levels: readonly { readonly lod: number; readonly hits: readonly GistMatch[] }[];
}

/** What each query answers. */
export interface QueryResults {
  inspect: BlockReport;
  spanText: { readonly text: string; readonly truncated: boolean };
  /** From `start` on, at most 2,048. */
  tokens: readonly ListedToken[];
  nextTokens: readonly TokenProbability[];
  scoreContinuation: ContinuationScore;
  measureSensitivity: SensitivityReport;
  planPruning: PruningReport;
  treeCells: TreeCells;
  listNodes: NodeList;
  searchText: TextSearch;
  searchSimilar: SimilarSearch;
}
