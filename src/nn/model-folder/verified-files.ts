/** Reads files that a manifest vouches for, each checked against its size and SHA-256. */
import { WeightError } from './errors.ts';
import type { ModelManifest } from './manifest.ts';
import type { ModelSource } from './model-source.ts';
import { sha256Hex } from './sha256.ts';

export interface LoadProgress {
  readonly file: string;
  /** Over all files of the model, so that one bar tells the whole. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface LoadOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called with a sentence for people, for example that hashes could not be checked here. */
  readonly onNotice?: (sentence: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * @param names - in `listed`, each.
 * @throws {WeightError} if a file is not what the manifest says; {ModelSourceError} if it cannot be had.
 */
export async function readVerified(
  source: ModelSource,
  names: readonly string[],
  listed: ModelManifest['files'],
  { signal, onProgress, onNotice }: LoadOptions,
): Promise<ReadonlyMap<string, ArrayBuffer>> {
  const totalBytes = names.reduce((sum, name) => sum + listed[name]!.bytes, 0);
  const files = new Map<string, ArrayBuffer>();
  let finishedBytes = 0;
  let couldHash = true;
  for (const file of names) {
    signal?.throwIfAborted();
    const report = (received: number): void =>
      onProgress?.({ file, receivedBytes: Math.min(finishedBytes + received, totalBytes), totalBytes });
    const bytes = await source.read(file, { onProgress: report, ...(signal && { signal }) });
    couldHash = (await verify(file, bytes, listed[file]!)) && couldHash;
    files.set(file, bytes);
    finishedBytes += bytes.byteLength;
    report(0);
  }
  if (!couldHash) {
    onNotice?.('SHA-256 is not available on insecure pages: files were checked by their size only.');
  }
  return files;
}

/** One file, when it is needed after all. @throws as `readVerified`. */
export async function readOne(
  source: ModelSource,
  name: string,
  listed: ModelManifest['files'],
): Promise<ArrayBuffer> {
  return (await readVerified(source, [name], listed, {})).get(name)!;
}

/** @returns false where the platform cannot hash; the size was checked then. */
async function verify(
  file: string,
  bytes: ArrayBuffer,
  expected: { readonly bytes: number; readonly sha256: string },
): Promise<boolean> {
  if (bytes.byteLength !== expected.bytes) {
    throw new WeightError(file, null, `expected ${expected.bytes} bytes, found ${bytes.byteLength}`);
  }
  const found = await sha256Hex(bytes);
  if (found !== null && found !== expected.sha256) {
    throw new WeightError(file, null, `corrupted: expected SHA-256 ${expected.sha256}, found ${found}`);
  }
  return found !== null;
}

/** Names the exact set of weights; without a digest on this platform, by the manifest's hashes joined. */
export async function hashOfFiles(listed: ModelManifest['files']): Promise<string> {
  const lines = Object.entries(listed)
    .map(([name, { sha256 }]) => `${name} ${sha256}`)
    .sort()
    .join('\n');
  return (await sha256Hex(new TextEncoder().encode(lines))) ?? lines.replaceAll('\n', ' ');
}
