/** An archive becomes a stored session: all of it, or none. */
import type { RunConfig } from '../../../core/trace/config.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { type CtxArchive, readArchive } from '../../../storage/ctx/read-archive.ts';
import { flaggedNodes, spansOfNodes } from '../../../storage/ctx/archive-nodes.ts';
import { CtxError } from '../../../storage/ctx/ctx-error.ts';
import type {
  PendingText,
  SessionBatch,
  SessionHandle,
  SessionId,
  SessionStore,
  SpanMark,
} from '../../../storage/ports.ts';
import { EngineError } from '../../session/messages/errors.ts';
import type { Transfer } from './export-session.ts';
import { sessionBatches } from './session-batches.ts';

export interface ImportedSession {
  readonly id: SessionId;
  /** What of the archive could not be taken over, in words; empty when all was. */
  readonly notes: readonly string[];
}

interface ImportSurroundings {
  readonly store: SessionStore;
  readonly model: LoadedModel;
  /** Parameters of a session whose archive brings none that hold here. */
  readonly defaults: RunConfig;
}

/**
 * Read an archive and store it as a new session, which is closed again.
 *
 * @throws {EngineError} `bad-archive` or `model-mismatch`; {StorageError}; the signal's reason. Nothing is stored then.
 */
export async function importSession(
  file: Blob,
  { store, model, defaults }: ImportSurroundings,
  { onProgress, signal }: Transfer,
): Promise<ImportedSession> {
  const archive = await readOrRefuse(file, { onProgress, signal });
  const isOfThisModel = wasMadeBy(archive, model);
  if (!isOfThisModel) mustHaveText(archive, model);
  const { metadata, session } = archive;
  const handle = await store.create({
    title: metadata.title,
    createdAt: metadata.createdAt,
    modelId: model.id,
    modelHash: isOfThisModel ? metadata.model.hash : model.hash,
    config: (isOfThisModel ? session?.document.config : undefined) ?? defaults,
  });
  try {
    for (const batch of isOfThisModel ? batchesOf(archive) : [textsOf(archive, model)]) {
      signal.throwIfAborted();
      await handle.append(batch);
    }
  } catch (error) {
    await discard(handle, store);
    throw error;
  }
  await handle.close();
  return { id: handle.id, notes: isOfThisModel ? leftOut(archive) : [otherBase(archive, model)] };
}

async function readOrRefuse(file: Blob, transfer: Transfer): Promise<CtxArchive> {
  try {
    return await readArchive(file, transfer);
  } catch (error) {
    if (!(error instanceof CtxError)) throw error;
    throw new EngineError(
      'bad-archive',
      `The session file cannot be read. ${error.message}`,
      'Nothing of it was stored; the open session is unchanged.',
      'Save the session again where it was made, or copy the file again.',
      { cause: error },
    );
  }
}

function wasMadeBy({ metadata, tokens, session }: CtxArchive, { id, tokenizer, base }: LoadedModel): boolean {
  const isKnown = (token: number): boolean => token < tokenizer.vocabularySize;
  return (
    metadata.model.id === id &&
    metadata.model.hiddenSize === base.hiddenSize &&
    tokens.every(isKnown) &&
    (session?.pending ?? []).every(({ ids }) => ids.every(isKnown))
  );
}

function mustHaveText({ metadata, texts }: CtxArchive, model: LoadedModel): void {
  if (texts.length > 0) return;
  throw new EngineError(
    'model-mismatch',
    `The session “${metadata.title}” was made with the model “${metadata.model.id}”, and its file brings no text that “${model.id}” could read.`,
    'Nothing of it was stored; the open session is unchanged.',
    `Load the model “${metadata.model.id}”, then open the file again.`,
  );
}

function otherBase({ metadata, session }: CtxArchive, model: LoadedModel): string {
  const waited = (session?.pending ?? []).length > 0 ? ', as do texts that were waiting' : '';
  return `The file was made with the model “${metadata.model.id}”; here it is “${model.id}”. Its text was taken over and is read anew, with new gists; its chat, marks and recorded steps belong to other tokens and stay in the file${waited}.`;
}

/** What the archive brings, in batches. */
function batchesOf(archive: CtxArchive): Iterable<SessionBatch> {
  const { metadata, tokens, gists, session } = archive;
  const { provenance } = metadata;
  if (session === null) {
    const patch = { stepCount: 0 };
    const empty = { events: [], chat: [], pending: [] };
    return sessionBatches({ tokens, provenance, gists, ...empty, ...marksOfNodes(archive), patch });
  }
  const { events, chat, marks, pending, document } = session;
  const { cold = [], stepCount, tags = [] } = document;
  const patch = { stepCount, tags };
  return sessionBatches({ tokens, provenance, gists, events, chat, marks, pending, cold, patch });
}

/** Where only the levels came: what their nodes' flags say of pins, prohibitions and the cold tier. */
function marksOfNodes({ metadata: { nodes = [] }, tokens }: CtxArchive) {
  const marked = (flag: 'pinned' | 'forbidden', kind: SpanMark['kind']): readonly SpanMark[] =>
    spansOfNodes(flaggedNodes(nodes, flag), tokens.length).map((span) => ({ ...span, kind }));
  const marks = [...marked('pinned', 'pin'), ...marked('forbidden', 'forbid')];
  return { marks, cold: flaggedNodes(nodes, 'cold') };
}

/** What is left in the file, in words. */
function leftOut({ metadata: { nodes = [] }, session }: CtxArchive): readonly string[] {
  const wasUsed = nodes.some(({ accessCount }) => accessCount.some((value, i) => i % 2 === 0 && value !== 0));
  return session === null && wasUsed
    ? [
        'The file brings no recorded steps: how often its nodes were in the working context, and what losing them was measured to cost, stays in the file; pins, prohibitions and the cold tier were taken over.',
      ]
    : [];
}

/** The archive's words as texts that wait to be ingested. */
function textsOf({ texts }: CtxArchive, { tokenizer }: LoadedModel): SessionBatch {
  const pending = texts.map(({ text, title, role }, index): PendingText => {
    const ids = Uint32Array.from(tokenizer.encode(text));
    return { documentId: `imported-${index}`, title, role, ids, ingested: 0 };
  });
  return { pending };
}

async function discard(handle: SessionHandle, store: SessionStore): Promise<void> {
  await handle.close();
  await store.remove(handle.id);
}
