/** A hub for tests: answers for one repository as huggingface.co does, and can be spoiled. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

export interface TestHub {
  /** The paths that were asked for, and with which ranges. */
  readonly asked: string[];
  readonly ranges: (string | undefined)[];
  readonly commit: string;
  /** What every request is answered with instead. */
  status: number | null;
  gated: false | 'manual';
  /** Laid over the repository's `config.json`. */
  config: object;
  /** Weights are sent so far, then nothing more comes. */
  holdsAfter: number | null;
  /** Resolves once an answer was held. */
  whenHeld(): Promise<void>;
  answer(request: IncomingMessage, response: ServerResponse): void;
}

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
const TINY = join(import.meta.dirname, '../../../models/tiny');

/** The shipped base as its own makers might publish it: without our manifest and heads. */
export function createPublishedTiny(): Files {
  const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'];
  const files = new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(TINY, name)))]));
  return files.set('config.json', changedJson(files.get('config.json')!, { max_position_embeddings: 512 }));
}

export function createTestHub(files: Files): TestHub {
  const commit = 'c0ffee'.repeat(6).padEnd(40, '0');
  let held: () => void;
  const whenHeld = new Promise<void>((resolve) => {
    held = resolve;
  });
  const hub: TestHub = {
    asked: [],
    ranges: [],
    commit,
    status: null,
    gated: false,
    config: {},
    holdsAfter: null,
    whenHeld: () => whenHeld,
    answer(request, response) {
      const url = request.url ?? '';
      // Pages of any address may read the hub.
      response.setHeader('access-control-allow-origin', '*');
      response.setHeader('access-control-expose-headers', 'ETag, Content-Range');
      response.setHeader('cross-origin-resource-policy', 'cross-origin');
      hub.asked.push(url);
      hub.ranges.push(request.headers.range);
      if (hub.status !== null) {
        response.writeHead(hub.status).end();
      } else if (url.startsWith('/api/models/')) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(describe());
      } else sendFile(decodeURIComponent(url.split('/').at(-1)!), request, response);
    },
  };
  return hub;

  function describe(): string {
    return JSON.stringify({
      sha: commit,
      tags: ['license:apache-2.0'],
      gated: hub.gated,
      siblings: [...files].map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        ...(isLarge(rfilename) && { lfs: { sha256: createHash('sha256').update(bytes).digest('hex') } }),
      })),
    });
  }

  function sendFile(name: string, request: IncomingMessage, response: ServerResponse): void {
    const whole = files.get(name);
    if (whole === undefined) {
      response.writeHead(404).end();
      return;
    }
    const bytes = name === 'config.json' ? changedJson(whole, hub.config) : whole;
    const [, start, end] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const from = Number(start ?? 0);
    const to = end === undefined || end === '' ? bytes.length : Math.min(Number(end) + 1, bytes.length);
    response.writeHead(start === undefined ? 200 : 206, {
      etag: `"${name}"`,
      'content-length': to - from,
      ...(start !== undefined && { 'content-range': `bytes ${from}-${to - 1}/${bytes.length}` }),
    });
    const { holdsAfter } = hub;
    if (holdsAfter === null || !isLarge(name)) {
      response.end(bytes.subarray(from, to));
      return;
    }
    response.write(bytes.subarray(from, Math.min(from + holdsAfter, to)), () => {
      held();
    });
  }
}

function isLarge(name: string): boolean {
  return /\.(safetensors|gguf|bin)$/.test(name);
}

function changedJson(bytes: Uint8Array, change: object): Uint8Array<ArrayBuffer> {
  const value = JSON.parse(new TextDecoder().decode(bytes)) as object;
  return new TextEncoder().encode(JSON.stringify({ ...value, ...change }));
}
