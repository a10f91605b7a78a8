import { expect, it } from 'vitest';
import { missingFeatures } from './missing-features.ts';

it('says nothing where all is there', () => {
  const navigator = { locks: {}, gpu: {}, storage: { persist: () => undefined } };
  expect(missingFeatures({ isSecureContext: true, crossOriginIsolated: true, navigator })).toEqual([]);
});

it('names what a page over plain HTTP lacks', () => {
  const words = missingFeatures({ isSecureContext: false, crossOriginIsolated: false, navigator: {} }).join(
    ' ',
  );
  for (const name of ['plain HTTP', 'WebGPU', 'WASM threads', 'Web Locks', 'Persistent storage']) {
    expect(words).toContain(name);
  }
});
