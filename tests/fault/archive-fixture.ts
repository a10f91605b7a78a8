/** Session files to damage: one as the engine saves it, and any of its parts replaced, with sums that fit again. */
import {
  BlobReader,
  BlobWriter,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipReader,
  ZipWriter,
} from '@zip.js/zip.js/lib/zip-core-native.js';
import type { FileEntry } from '@zip.js/zip.js';
import { bootEngine, ingest, open, prose } from '../../src/runtime/testing/engine-fixture.ts';

/** A session with tokens, gists of two levels, a chat, a mark, a trace and a text that waits. */
export async function saveSession(): Promise<Blob> {
  const fixture = await bootEngine();
  const { engine } = fixture;
  const sessionId = await open(fixture, { budgetTokens: 128 });
  await ingest(fixture, prose(1100));
  await engine.handle({ kind: 'ask', text: 'Where is the lantern?' });
  await engine.handle({ kind: 'act', action: 'pin', lod: 1, start: 0, end: 32 });
  await engine.handle({ kind: 'ingestText', text: prose(100, 3), title: 'Next', role: 'document' });
  return (await engine.handle({ kind: 'exportSession', sessionId })).file;
}

export async function partsOf(archive: Blob): Promise<Map<string, Uint8Array>> {
  const reader = new ZipReader(new BlobReader(archive), { useWebWorkers: false });
  const parts = new Map<string, Uint8Array>();
  for (const entry of await reader.getEntries()) {
    const bytes = await (entry as FileEntry).getData(new Uint8ArrayWriter(), { useWebWorkers: false });
    parts.set(entry.filename, bytes);
  }
  return parts;
}

export async function archiveOf(parts: ReadonlyMap<string, Uint8Array>): Promise<Blob> {
  const zip = new ZipWriter(new BlobWriter('application/zip'), { level: 0, useWebWorkers: false });
  for (const [name, bytes] of parts) await zip.add(name, new Uint8ArrayReader(bytes));
  return zip.close();
}

type Json = Record<string, unknown>;

/** The archive with one JSON document changed in place. */
export async function withDocument(
  archive: Blob,
  name: string,
  change: (document: Json) => void,
): Promise<Blob> {
  const parts = await partsOf(archive);
  const document = JSON.parse(new TextDecoder().decode(parts.get(name))) as Json;
  change(document);
  return archiveOf(parts.set(name, new TextEncoder().encode(JSON.stringify(document))));
}

/** The archive with the bytes of one part changed in place. */
export async function withBytes(
  archive: Blob,
  name: string,
  change: (view: DataView) => void,
): Promise<Blob> {
  const parts = await partsOf(archive);
  const bytes = parts.get(name)!.slice();
  change(new DataView(bytes.buffer));
  return archiveOf(parts.set(name, bytes));
}
