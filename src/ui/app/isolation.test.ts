import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { isolate, type IsolationSurroundings } from './isolation.ts';

/** A tab whose host sends no headers; `isHelped` says whether the service worker isolates it. */
function tab(
  given: { readonly isHelped?: boolean; readonly refuses?: 'workers' | 'storage' | 'activation' } = {},
) {
  const stored = new Map<string, string>();
  const refuse = (): never => {
    throw new Error('refused');
  };
  const state = { loads: 1, isIsolated: false, registered: [] as string[] };
  const page: IsolationSurroundings = {
    get crossOriginIsolated() {
      return state.isIsolated;
    },
    isSecureContext: true,
    navigator: {
      serviceWorker: {
        register: (address) => {
          if (given.refuses === 'workers') return Promise.reject(new Error('refused'));
          state.registered.push(address);
          return Promise.resolve();
        },
        ready: given.refuses === 'activation' ? new Promise(() => undefined) : Promise.resolve(),
      },
    },
    sessionStorage: {
      getItem: given.refuses === 'storage' ? refuse : (key) => stored.get(key) ?? null,
      setItem: (key, value) => {
        stored.set(key, value);
      },
      removeItem: (key) => {
        stored.delete(key);
      },
    },
    location: {
      reload: () => {
        state.loads++;
        state.isIsolated = given.isHelped ?? true;
      },
    },
    setTimeout: (run) => {
      setImmediate(run);
    },
  };
  return { page, state, stored };
}

it('loads the page once more, and then lets it start', async () => {
  const { page, state, stored } = tab();
  expect(await isolate(page)).toBe(true);
  expect(await isolate(page)).toBe(false);
  expect(state).toMatchObject({ loads: 2, registered: ['./isolation-worker.js'] });
  // Should the worker be lost one day, it may be tried again.
  expect(stored.size).toBe(0);
});

it('never loads a page twice that it cannot help', async () => {
  const { page, state } = tab({ isHelped: false });
  expect(await isolate(page)).toBe(true);
  for (let load = 0; load < 3; load++) expect(await isolate(page)).toBe(false);
  expect(state.loads).toBe(2);
});

it.each(['workers', 'storage', 'activation'] as const)(
  'starts the page as it is where the browser refuses %s',
  async (refuses) => {
    const { page, state } = tab({ refuses });
    expect(await isolate(page)).toBe(false);
    expect(state.loads).toBe(1);
  },
);

it('leaves pages alone that are isolated, or over plain HTTP', async () => {
  const isolated = tab();
  isolated.state.isIsolated = true;
  expect(await isolate(isolated.page)).toBe(false);
  const plain = tab();
  expect(await isolate({ ...plain.page, isSecureContext: false })).toBe(false);
  expect([...isolated.state.registered, ...plain.state.registered]).toEqual([]);
});

describe('the service worker', () => {
  type Listener = (event: object) => void;
  const source = readFileSync(join(import.meta.dirname, '../../../public/isolation-worker.js'), 'utf8');

  /** @returns what it answers, null where it leaves the request to the browser. */
  function answerTo(
    url: string,
    response: Response,
    request: { readonly cache?: string; readonly mode?: string } = {},
  ): Promise<Response | null> {
    const listeners = new Map<string, Listener>();
    const self = {
      location: { origin: 'https://host.example' },
      addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
    };
    runInNewContext(source, { self, URL, Headers, Response, fetch: () => Promise.resolve(response) });
    const answers: Promise<Response>[] = [];
    listeners.get('fetch')!({
      request: { url, ...request },
      respondWith: (given: Promise<Response>) => {
        answers.push(given);
      },
    });
    return answers[0] ?? Promise.resolve(null);
  }

  it('adds the headers of isolation to what its own host answers, and changes nothing else', async () => {
    const headers = { 'Content-Type': 'application/wasm', 'Cross-Origin-Embedder-Policy': 'unsafe-none' };
    const answer = await answerTo(
      'https://host.example/a.wasm',
      new Response('bytes', { status: 206, headers }),
    );
    expect(Object.fromEntries(answer!.headers)).toEqual({
      'content-type': 'application/wasm',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(answer!.status).toBe(206);
    expect(await answer!.text()).toBe('bytes');
  });

  it('passes on what cannot be read, and leaves other hosts alone', async () => {
    const failed = Response.error();
    expect(await answerTo('https://host.example/moved', failed)).toBe(failed);
    const other = new Response('weights');
    expect(await answerTo('https://hub.example/model.gguf', other)).toBeNull();
    const asked = { cache: 'only-if-cached', mode: 'no-cors' };
    expect(await answerTo('https://host.example/a.js', other, asked)).toBeNull();
  });

  it('answers with nothing in it where there is nothing', async () => {
    const answer = await answerTo('https://host.example/none', new Response(null, { status: 204 }));
    expect([answer!.status, await answer!.text()]).toEqual([204, '']);
  });
});
