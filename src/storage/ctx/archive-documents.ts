/** The two JSON documents of an archive: what any reader needs, and what only this page needs to go on. */
import { z } from '../../base/zod.ts';
import { IN_WORDS } from '../../base/schema-words.ts';
import { runConfigSchema } from '../../core/trace/config.ts';
import { MAX_LOD } from '../../core/tree/ids.ts';
import { ROLES } from '../../core/tree/provenance.ts';
import { archivedNodesSchema } from './archive-nodes.ts';
import { CtxError } from './ctx-error.ts';

export const CTX_FORMAT = 'megacontext-ctx';
export const METADATA_FILE = 'metadata.json';
export const SESSION_FILE = 'session.json';
export const TRACE_FILE = 'trace.jsonl';
/** Tokens of texts that wait to be ingested, one after the other, as a level 0. */
export const WAITING_FILE = 'waiting.ctx';
/** What the tokens say, one line a run of provenance: for bases with another tokenizer. */
export const TEXT_FILE = 'text.jsonl';

const count = z.number().int().nonnegative();
const time = z.number();

export const metadataSchema = z.object({
  format: z.literal(CTX_FORMAT),
  version: z.literal(1),
  title: z.string(),
  /** Milliseconds since 1970. */
  createdAt: time,
  model: z.object({ id: z.string(), hash: z.string(), hiddenSize: z.number().int().min(1).max(0xffff) }),
  blockSize: count,
  levels: z
    .array(z.object({ file: z.string(), level: z.number().int().min(0).max(MAX_LOD), entryCount: count }))
    .min(1)
    .max(MAX_LOD + 1),
  provenance: z.array(
    z.object({
      start: count,
      end: count,
      role: z.enum(ROLES),
      documentId: z.string(),
      title: z.string(),
      wallClockMs: time,
    }),
  ),
  /** What is known of each level's nodes; absent where the writer knew nothing. */
  nodes: z
    .array(archivedNodesSchema)
    .max(MAX_LOD + 1)
    .optional(),
});
export type CtxMetadata = z.infer<typeof metadataSchema>;

export const sessionDocumentSchema = z.object({
  stepCount: count,
  /** Absent where it has none. */
  tags: z.array(z.string()).optional(),
  config: runConfigSchema,
  chat: z.array(
    z.looseObject({
      id: z.string(),
      role: z.enum(['user', 'assistant']),
      text: z.string(),
      start: count,
      end: count,
      createdAt: time,
      ending: z.enum(['complete', 'stopped', 'interrupted', 'cut', 'failed']),
    }),
  ),
  marks: z.array(
    z.looseObject({
      lod: z.number().int().min(0).max(MAX_LOD),
      start: count,
      end: count,
      kind: z.enum(['pin', 'forbid', 'tag']),
    }),
  ),
  /** Nodes in the cold tier; absent where nothing is. */
  cold: z.array(z.object({ lod: z.number().int().min(0).max(MAX_LOD), first: count, count })).optional(),
  waiting: z.array(
    z.object({
      documentId: z.string(),
      title: z.string(),
      role: z.enum(ROLES),
      tokenCount: count,
      ingested: count,
    }),
  ),
});
export type SessionDocument = z.infer<typeof sessionDocumentSchema>;

export const textLineSchema = z.object({
  role: z.enum(ROLES),
  documentId: z.string(),
  title: z.string(),
  wallClockMs: time,
  text: z.string(),
});
export type TextLine = z.infer<typeof textLineSchema>;

/** @throws {CtxError} `bad-metadata`, with the field that is wrong. */
export function parseDocument<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CtxError('bad-metadata', file, null, 'this is not JSON.', { cause: error });
  }
  const parsed = schema.safeParse(value, IN_WORDS);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'top level';
  throw new CtxError(
    'bad-metadata',
    file,
    null,
    `in the field “${field}”, ${issue?.message ?? 'it is wrong'}.`,
  );
}
