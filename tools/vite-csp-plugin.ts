/**
 * The built page's Content Security Policy: a meta tag, which static hosts serve as it is, and a header where the
 * server can send one (`vite preview`; others: docs/reliability.md). Development has none: Vite's own scripts are
 * inline there.
 */
import type { Plugin } from 'vite';

const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  'default-src': ["'self'"],
  // WASM is compiled; nothing is evaluated, and no script is inline.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'worker-src': ["'self'"],
  // Charts and placed elements carry styles of their own.
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:', 'blob:'],
  'font-src': ["'self'"],
  // A model is fetched from the hub or the mirror that its user names, and from nowhere else: only when they ask.
  'connect-src': ["'self'", 'blob:', 'data:', 'https:', 'http://localhost:*', 'http://127.0.0.1:*'],
  'object-src': ["'none'"],
  'frame-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'require-trusted-types-for': ["'script'"],
  // `src/base/trusted-scripts.ts`
  'trusted-types': ['default'],
};

const policyOf = (directives: typeof DIRECTIVES): string =>
  Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');

/** What a meta tag may say. */
export const PAGE_POLICY = policyOf(DIRECTIVES);

/** What only a header may say comes with it. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policyOf({ ...DIRECTIVES, 'frame-ancestors': ["'none'"] }),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

export function cspPlugin(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: PAGE_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}
