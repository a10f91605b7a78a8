/** Reads a model folder over HTTP. Reports what went wrong in words; keeps and caches nothing. */
import { ModelSourceError } from './errors.ts';
import type { ModelSource, ReadOptions } from './model-source.ts';

/** @param folderUrl - address of the folder that holds `manifest.json`, with or without a last slash. */
export function createFetchSource(folderUrl: string): ModelSource {
  const folder = folderUrl.endsWith('/') ? folderUrl : `${folderUrl}/`;
  const read = (file: string, options: ReadOptions = {}) => fetchFile(folder + file, file, options);
  return { read, open: read };
}

async function fetchFile(url: string, file: string, options: ReadOptions): Promise<ArrayBuffer> {
  const response = await request(url, file, options.signal);
  if (response.status === 404) {
    throw new ModelSourceError(file, 'missing', `the server has no such file (404 at ${url})`);
  }
  if (!response.ok) {
    const status = `${response.status} ${response.statusText}`.trim();
    throw new ModelSourceError(file, 'network', `the server answered ${status} at ${url}`);
  }
  // Development servers and static hosts answer unknown addresses with their start page.
  if (response.headers.get('content-type')?.includes('text/html') === true) {
    throw new ModelSourceError(file, 'not-a-model-file', `the server sent a web page instead (${url})`);
  }
  return readBody(response, file, options);
}

async function request(url: string, file: string, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new ModelSourceError(file, 'network', `could not be fetched from ${url}`, { cause: error });
  }
}

async function readBody(
  response: Response,
  file: string,
  { signal, onProgress }: ReadOptions,
): Promise<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let received = 0;
  try {
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      parts.push(part.value);
      received += part.value.byteLength;
      onProgress?.(received);
    }
  } catch (error) {
    signal?.throwIfAborted();
    const what = `the connection broke after ${received} bytes`;
    throw new ModelSourceError(file, 'truncated', what, { cause: error });
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes.buffer;
}
