/**
 * Downloads the files of one model into a file tree: resumable, checked, and visible only when whole. A part that was
 * received stays; a file gets its name after its size and hash were checked.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { ModelSourceError } from '../../../nn/model-folder/errors.ts';
import { gatedError } from '../../../nn/model-folder/hub/hub-repository.ts';
import { hex } from '../../../nn/model-folder/sha256.ts';
import { type FileTree, FileTreeError } from '../../../storage/files/file-tree.ts';
import { writeText } from './tree-text.ts';

export interface DownloadFile {
  readonly name: string;
  readonly bytes: number;
  /** Null where its publisher states none: then size and etag are checked. */
  readonly sha256: string | null;
  readonly url: string;
}

export interface DownloadProgress {
  readonly file: string;
  /** Over all files, those that were there before included. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface DownloadOptions {
  readonly tree: FileTree;
  readonly folder: string;
  readonly files: readonly DownloadFile[];
  readonly onProgress: (progress: DownloadProgress) => void;
  /** Aborting pauses: what was received is kept. */
  readonly signal: AbortSignal;
}

/** What a file is called until it is whole, and where the etag stands that its part was received with. */
export const PART = '.part';
const ETAG = '.etag';

/**
 * @returns SHA-256 by file, of those that were received now.
 * @throws {ModelSourceError} if a file cannot be had or is not what its publisher states.
 * @throws {FileTreeError} if there is no space. The signal's reason if aborted.
 */
export async function downloadFiles(options: DownloadOptions): Promise<ReadonlyMap<string, string>> {
  const { tree, folder, files, onProgress, signal } = options;
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const hashes = new Map<string, string>();
  let finishedBytes = 0;
  for (const file of files) {
    signal.throwIfAborted();
    const report = (received: number): void => {
      onProgress({ file: file.name, receivedBytes: finishedBytes + received, totalBytes });
    };
    if ((await tree.size(`${folder}/${file.name}`)) !== file.bytes) {
      hashes.set(file.name, await downloadFile(file, options, report));
    }
    finishedBytes += file.bytes;
    report(0);
  }
  return hashes;
}

/** @returns its SHA-256. */
async function downloadFile(
  file: DownloadFile,
  { tree, folder, signal }: DownloadOptions,
  report: (receivedBytes: number) => void,
): Promise<string> {
  const part = `${folder}/${file.name}${PART}`;
  const etagFile = `${folder}/${file.name}${ETAG}`;
  const kept = await keptBytes(tree, part, file.bytes);
  const etag = kept > 0 && file.sha256 === null ? await readText(tree, etagFile) : null;
  const response = await requestFrom(file, kept, etag, signal);
  const from = response === null || response.status === 206 ? kept : 0;
  const received = response?.headers.get('etag') ?? null;
  if (from === 0 && received !== null) await writeText(tree, etagFile, received);
  const hash = sha256.create();
  if (from > 0) await hashPart(await tree.open(part), hash, report);
  const length =
    response === null ? from : await writeBody(response, { file, part, from, tree, hash, signal, report });
  if (length !== file.bytes) {
    const what = `the connection ended after ${length} of ${file.bytes} bytes; what came is kept and the next try goes on from there`;
    throw new ModelSourceError(file.name, 'truncated', what);
  }
  const digest = hex(hash.digest());
  if (file.sha256 !== null && digest !== file.sha256) {
    await tree.remove(part);
    const what = `what was received is not the published file (SHA-256 ${digest}, stated ${file.sha256}); it was thrown away`;
    throw new ModelSourceError(file.name, 'not-a-model-file', what);
  }
  await tree.rename(part, `${folder}/${file.name}`);
  await tree.remove(etagFile);
  return digest;
}

async function hashPart(
  part: Blob,
  hash: ReturnType<typeof sha256.create>,
  report: (bytes: number) => void,
): Promise<void> {
  let at = 0;
  const reader = part.stream().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    hash.update(next.value);
    at += next.value.byteLength;
    report(at);
  }
}

async function readText(tree: FileTree, path: string): Promise<string | null> {
  return (await tree.size(path)) === null ? null : (await tree.open(path)).text();
}

/** A part longer than the file belongs to something else. */
async function keptBytes(tree: FileTree, part: string, fileBytes: number): Promise<number> {
  const kept = (await tree.size(part)) ?? 0;
  return kept > fileBytes ? 0 : kept;
}

/**
 * @param etag - which the kept part was received with, where nothing better tells whether it is of the same file.
 * @returns null where all bytes are there already and only the check is missing.
 */
async function requestFrom(
  file: DownloadFile,
  kept: number,
  etag: string | null,
  signal: AbortSignal,
): Promise<Response | null> {
  if (kept === file.bytes && kept > 0) return null;
  const ask = async (from: number): Promise<Response> => {
    try {
      return await fetch(file.url, { signal, ...(from > 0 && { headers: { Range: `bytes=${from}-` } }) });
    } catch (error) {
      signal.throwIfAborted();
      const what = 'could not be fetched: there is no connection, or the server does not allow this page to read it';
      throw new ModelSourceError(file.name, 'network', what, { cause: error });
    }
  };
  let response = await ask(kept);
  if (response.status === 416 || (response.status === 206 && !continues(response, kept, etag))) {
    await response.body?.cancel();
    response = await ask(0);
  }
  const isPage = response.headers.get('content-type')?.includes('text/html') === true;
  if (response.ok && !isPage) return response;
  await response.body?.cancel();
  if (response.ok) throw new ModelSourceError(file.name, 'not-a-model-file', 'the server sent a web page instead');
  if (response.status === 401 || response.status === 403) throw gatedError(file.name);
  const kind = response.status === 404 ? 'missing' : 'network';
  throw new ModelSourceError(file.name, kind, `the server answered ${response.status}`);
}

/** Whether an answer goes on with the part that is kept. */
function continues({ headers }: Response, kept: number, etag: string | null): boolean {
  const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  const now = headers.get('etag');
  // Servers of other origins may not let their headers be read.
  const isElsewhere = start !== undefined && Number(start) !== kept;
  const isAnother = etag !== null && now !== null && now !== etag;
  return !isElsewhere && !isAnother;
}

interface BodyInput {
  readonly file: DownloadFile;
  readonly part: string;
  readonly from: number;
  readonly tree: FileTree;
  readonly hash: ReturnType<typeof sha256.create>;
  readonly signal: AbortSignal;
  readonly report: (receivedBytes: number) => void;
}

/** @returns how many bytes of the file are there now. */
async function writeBody(
  response: Response,
  { file, part, from, tree, hash, signal, report }: BodyInput,
): Promise<number> {
  const out = await tree.openForAppend(part, from);
  let received = from;
  try {
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
      if (received + next.value.byteLength > file.bytes) {
        await reader!.cancel();
        const what = `the server sends more than the ${file.bytes} bytes that were announced`;
        throw new ModelSourceError(file.name, 'not-a-model-file', what);
      }
      await out.write(next.value);
      hash.update(next.value);
      received += next.value.byteLength;
      report(received);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ModelSourceError || error instanceof FileTreeError) throw error;
    // The connection broke: how much came tells the rest.
    return received;
  } finally {
    await out.close();
  }
  return received;
}
