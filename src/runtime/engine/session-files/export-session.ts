/** A stored session as a file that travels. */
import { applyConfigChanges, type RunConfig } from '../../../core/trace/config.ts';
import type { LoadedModel } from '../../../nn/ports.ts';
import { type ArchivedNodes, archivedNodes } from '../../../storage/ctx/archive-nodes.ts';
import { writeArchive } from '../../../storage/ctx/write-archive.ts';
import type { SessionId, SessionStore, StoredSession } from '../../../storage/ports.ts';
import { restoreNodeCounters, restoreTree, withholdCold } from '../../session/journal/session-restore.ts';
import { flagMarked } from '../../session/memory/span-marks.ts';
import type { ExportedFile } from '../protocol/protocol.ts';
import { fileNameOf } from '../trace-files/export-trace.ts';

export interface Transfer {
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Everything that is stored of a session, as one `.ctx` archive, with what the trace tells of its tree's nodes.
 *
 * @param defaults - parameters that the stored ones are laid over.
 * @throws {StorageError} `not-found`; {EngineError} `model-mismatch`; the signal's reason when it is stopped.
 */
export async function exportSession(
  id: SessionId,
  store: SessionStore,
  { model, defaults }: { readonly model: LoadedModel; readonly defaults: RunConfig },
  transfer: Transfer,
): Promise<ExportedFile> {
  const handle = await store.open(id);
  try {
    const stored = await handle.load({ whole: true });
    const nodes = nodesOf(stored, model, applyConfigChanges(defaults, stored.record.config));
    const { hiddenSize } = model.base;
    const decode = (ids: Uint32Array) => model.tokenizer.decode(ids);
    const file = await writeArchive(ofOneGistNet(stored), { hiddenSize, decode, nodes, ...transfer });
    return { fileName: fileNameOf(stored.record.title, 'ctx'), file };
  } finally {
    await handle.close();
  }
}

/** A reader takes gists over whose weights it has: where they are of two GistNets, it makes all of them anew. */
function ofOneGistNet(stored: StoredSession): StoredSession {
  const isMixed = stored.gistStanding !== null && stored.gistStanding.refresh !== null;
  const modelHash = `${stored.record.modelHash}, being replaced`;
  return isMixed ? { ...stored, record: { ...stored.record, modelHash } } : stored;
}

/** What is known of a stored session's nodes, as opening it would find it. */
function nodesOf(stored: StoredSession, model: LoadedModel, config: RunConfig): readonly ArchivedNodes[] {
  const { tree } = restoreTree(stored, model);
  restoreNodeCounters(stored, tree, config);
  flagMarked(tree, stored.marks);
  withholdCold(tree, stored.cold);
  return archivedNodes(tree);
}
