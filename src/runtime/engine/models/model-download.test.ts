import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryFileTree } from '../../../storage/files/memory-file-tree.ts';
import { type DownloadFile, downloadFiles, type DownloadProgress } from './model-download.ts';

const CONTENT = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 251);
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves by the given answers in turn, the last one for ever; says which ranges were asked for. */
async function serve(...answers: Answer[]): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/weights`, ranges };
}

const whole: Answer = (request, response) => {
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, {
    ...(from > 0 && { 'content-range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` }),
    'content-length': CONTENT.length - from,
  });
  response.end(CONTENT.subarray(from));
};
const breaksAfter =
  (bytes: number): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, bytes), () => response.destroy());
  };

const fileAt = (url: string, change: Partial<DownloadFile> = {}): DownloadFile => ({
  name: 'model.safetensors',
  bytes: CONTENT.length,
  sha256: SHA256,
  url,
  ...change,
});

async function content(tree: MemoryFileTree): Promise<Uint8Array> {
  return new Uint8Array(await (await tree.open('m/model.safetensors')).arrayBuffer());
}

function download(tree: MemoryFileTree, files: readonly DownloadFile[], signal = new AbortController().signal) {
  const progress: DownloadProgress[] = [];
  const done = downloadFiles({ tree, folder: 'm', files, signal, onProgress: (step) => progress.push(step) });
  return { done, progress };
}

describe('fault 24: a download that is cut goes on, is checked, and leaves nothing wrong behind', () => {
  it('goes on where a broken connection ended, halfway', async () => {
    const { url, ranges } = await serve(breaksAfter(CONTENT.length / 2), whole);
    const tree = new MemoryFileTree();
    await expect(download(tree, [fileAt(url)]).done).rejects.toThrow('what came is kept');
    const kept = (await tree.size('m/model.safetensors.part'))!;
    expect(kept).toBeGreaterThan(0);
    expect(await tree.size('m/model.safetensors')).toBeNull();
    await download(tree, [fileAt(url)]).done;
    expect(ranges).toEqual([undefined, `bytes=${kept}-`]);
    expect(await content(tree)).toEqual(CONTENT);
  });

  it('throws a wrong content away, so that the next try is fresh', async () => {
    const wrong: Answer = (_, response) => response.end(CONTENT.slice().fill(1));
    const { url } = await serve(wrong, whole);
    const tree = new MemoryFileTree();
    await expect(download(tree, [fileAt(url)]).done).rejects.toThrow('thrown away');
    await download(tree, [fileAt(url)]).done;
    expect(await content(tree)).toEqual(CONTENT);
  });

  it('is not taken for the file when what came after the cut is another one', async () => {
    const other = CONTENT.slice().fill(1);
    const goesOnWrong: Answer = (request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(206, {
        'content-length': other.length - from,
        'content-range': `bytes ${from}-${other.length - 1}/${other.length}`,
      });
      response.end(other.subarray(from));
    };
    const { url, ranges } = await serve(breaksAfter(CONTENT.length / 2), goesOnWrong, whole);
    const tree = new MemoryFileTree();
    await expect(download(tree, [fileAt(url)]).done).rejects.toThrow('what came is kept');
    await expect(download(tree, [fileAt(url)]).done).rejects.toThrow('thrown away');
    expect(await tree.size('m/model.safetensors')).toBeNull();
    await download(tree, [fileAt(url)]).done;
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/), undefined]);
    expect(await content(tree)).toEqual(CONTENT);
  });
});

describe('downloadFiles', () => {
  it('keeps a file under its name once it is whole and checked, and fetches it no second time', async () => {
    const { url, ranges } = await serve(whole);
    const tree = new MemoryFileTree();
    const { done, progress } = download(tree, [fileAt(url)]);
    await done;
    expect(await content(tree)).toEqual(CONTENT);
    expect(await tree.list('m')).toHaveLength(1);
    expect(progress.at(-1)).toMatchObject({ receivedBytes: CONTENT.length, totalBytes: CONTENT.length });
    await download(tree, [fileAt(url)]).done;
    expect(ranges).toHaveLength(1);
  });

  it('begins again with a server that knows no ranges', async () => {
    const ignoresRange: Answer = (_, response) => response.end(CONTENT);
    const { url } = await serve(breaksAfter(40_000), ignoresRange);
    const tree = new MemoryFileTree();
    await expect(download(tree, [fileAt(url)]).done).rejects.toThrow();
    await download(tree, [fileAt(url)]).done;
    expect(await content(tree)).toEqual(CONTENT);
  });

  it('only checks what was received whole before its check', async () => {
    const { url, ranges } = await serve(whole);
    const tree = new MemoryFileTree();
    const part = await tree.openForAppend('m/model.safetensors.part', 0);
    await part.write(CONTENT);
    await part.close();
    await download(tree, [fileAt(url)]).done;
    expect(ranges).toEqual([]);
    expect(await tree.size('m/model.safetensors')).toBe(CONTENT.length);
  });

  it('pauses by the signal and keeps what came', async () => {
    const hangs: Answer = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 30_000));
    };
    const { url } = await serve(hangs);
    const tree = new MemoryFileTree();
    const pause = new AbortController();
    const { done } = download(tree, [fileAt(url)], pause.signal);
    await expect.poll(() => tree.size('m/model.safetensors.part')).toBe(30_000);
    pause.abort(new Error('paused'));
    await expect(done).rejects.toThrow('paused');
    expect(await tree.size('m/model.safetensors.part')).toBe(30_000);
  });

  it.each<[string, Answer, Partial<DownloadFile>, string]>([
    ['another content', whole, { sha256: 'ab'.repeat(32) }, 'is not the published file'],
    ['more than announced', whole, { bytes: 10, sha256: null }, 'sends more than the 10 bytes'],
    ['a gated file', (_, response) => response.writeHead(401).end(), {}, 'private, or gated'],
    ['a missing file', (_, response) => response.writeHead(404).end(), {}, 'answered 404'],
    [
      'a start page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      {},
      'a web page instead',
    ],
  ])('refuses %s', async (_, answer, change, message) => {
    const { url } = await serve(answer);
    const tree = new MemoryFileTree();
    await expect(download(tree, [fileAt(url, change)]).done).rejects.toThrow(message);
    expect(await tree.size('m/model.safetensors')).toBeNull();
  });

  it('begins again where the etag says that the file changed, if nothing better does', async () => {
    const other = CONTENT.slice().fill(7);
    const tagged =
      (etag: string, bytes: Uint8Array, breaksAt?: number): Answer =>
      (request, response) => {
        const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
        response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': bytes.length - from, ...(from > 0 && range) });
        if (breaksAt === undefined) response.end(bytes.subarray(from));
        else response.write(bytes.subarray(from, breaksAt), () => response.destroy());
      };
    const { url, ranges } = await serve(tagged('"a"', CONTENT, 40_000), tagged('"b"', other));
    const tree = new MemoryFileTree();
    const unknown = { sha256: null };
    await expect(download(tree, [fileAt(url, unknown)]).done).rejects.toThrow('what came is kept');
    await download(tree, [fileAt(url, unknown)]).done;
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/), undefined]);
    expect(await content(tree)).toEqual(other);
    expect(await tree.list('m')).toHaveLength(1);
  });

  it('says when the disk is full, and keeps what fitted', async () => {
    const { url } = await serve(whole);
    const tree = new MemoryFileTree(50_000);
    await expect(download(tree, [fileAt(url)]).done).rejects.toMatchObject({ kind: 'full' });
    expect(await tree.size('m/model.safetensors')).toBeNull();
  });

  it('shows one progress over all files', async () => {
    const { url } = await serve(whole);
    const tree = new MemoryFileTree();
    const { done, progress } = download(tree, [fileAt(url), fileAt(url, { name: 'second.safetensors' })]);
    await done;
    const received = progress.map(({ receivedBytes }) => receivedBytes);
    expect(received).toEqual([...received].sort((a, b) => a - b));
    expect(progress.at(-1)).toMatchObject({ receivedBytes: 200_000, totalBytes: 200_000 });
  });
});
