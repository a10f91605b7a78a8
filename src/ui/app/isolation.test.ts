import { expect, it } from 'vitest';
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
