/** Only the page's own addresses become scripts. */
import { expect, it } from 'vitest';
import { trustOwnScripts } from './trusted-scripts.ts';

it('lets scripts of its own origin pass, and no others', () => {
  let trust: (address: string) => string = () => 'no policy';
  const location = { href: 'https://example.org/app/', origin: 'https://example.org' } as Location;
  trustOwnScripts({
    location,
    trustedTypes: {
      createPolicy: (name, { createScriptURL }) => {
        expect(name).toBe('default');
        trust = createScriptURL;
      },
    },
  });
  for (const own of ['./assets/worker.js', '/app/worker.js', 'https://example.org/w.js']) {
    expect(trust(own)).toBe(own);
  }
  for (const foreign of [
    'https://evil.example/w.js',
    '//evil.example/w.js',
    'data:text/javascript,1',
    'javascript:1',
    'http://example.org/w.js',
  ]) {
    expect(() => trust(foreign)).toThrow('no script of this page');
  }
});

it('needs nothing where the browser knows no Trusted Types', () => {
  expect(() => {
    trustOwnScripts({ location: { href: 'https://example.org/' } as Location });
  }).not.toThrow();
});
