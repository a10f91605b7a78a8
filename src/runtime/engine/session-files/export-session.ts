/** A stored session as a file that travels. */
import type { LoadedModel } from '../../../nn/ports.ts';
import { writeArchive } from '../../../storage/ctx/write-archive.ts';
import type { SessionId, SessionStore } from '../../../storage/ports.ts';
import type { ExportedFile } from '../protocol/protocol.ts';
import { fileNameOf } from '../trace-files/export-trace.ts';

export interface Transfer {
  readonly onProgress: (doneBytes: number, totalBytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Everything that is stored of a session, as one `.ctx` archive.
 *
 * @throws {StorageError} `not-found`; the signal's reason when it is stopped.
 */
export async function exportSession(
  id: SessionId,
  store: SessionStore,
  { base, tokenizer }: LoadedModel,
  transfer: Transfer,
): Promise<ExportedFile> {
  const handle = await store.open(id);
  try {
    const stored = await handle.load({ whole: true });
    const { hiddenSize } = base;
    const decode = (ids: Uint32Array) => tokenizer.decode(ids);
    const file = await writeArchive(stored, { hiddenSize, decode, ...transfer });
    return { fileName: fileNameOf(stored.record.title, 'ctx'), file };
  } finally {
    await handle.close();
  }
}
