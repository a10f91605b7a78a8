import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gzipBytesOf, measureBundle } from './bundle-size.ts';

function build(files: Readonly<Record<string, string>>): string {
  const dist = mkdtempSync(join(tmpdir(), 'bundle-'));
  mkdirSync(join(dist, 'assets'));
  const head = '<script src="./assets/index-A1.js"></script><link href="./assets/index-B2.css">';
  writeFileSync(join(dist, 'index.html'), head);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dist, 'assets', name), text);
  return dist;
}

const FILES = {
  'index-A1.js': 'import{a as b}from"./shared-C3.js";const later=()=>import("./dialog-D4.js");b(later)',
  'shared-C3.js': 'export const a=1',
  'dialog-D4.js': 'export default 2',
  'index-B2.css': 'body{}',
  'worker-E5.js': 'import"./shared-C3.js";export*from"./deep-F6.js";import("./gpu-G7.js")',
  'deep-F6.js': 'export const c=3',
  'gpu-G7.js': 'export const d=4',
  'trace-worker-H8.js': 'another()',
  'tfjs-backend-wasm-simd-I9.wasm': 'binary',
  'kernels-J0.wasm': 'own binary',
  'kernels-shared-K1.wasm': 'own binary for threads',
};

it('counts what a part cannot begin without, and nothing that is fetched later', () => {
  const parts = measureBundle(build(FILES));
  expect(Object.fromEntries(parts.map(({ name, files }) => [name, files]))).toEqual({
    page: ['index-A1.js', 'shared-C3.js'],
    style: ['index-B2.css'],
    worker: ['deep-F6.js', 'shared-C3.js', 'worker-E5.js'],
    kernels: ['kernels-J0.wasm', 'kernels-shared-K1.wasm'],
  });
  const budget = { name: 'both', parts: ['style', 'kernels'], mostGzipBytes: 0 } as const;
  expect(gzipBytesOf(parts, budget)).toBe(parts[1]!.gzipBytes + parts[3]!.gzipBytes);
});

it('says what is missing', () => {
  expect(() => measureBundle(tmpdir() + '/no-such-build')).toThrow('run npm run build first');
  const { ['worker-E5.js']: worker, ...rest } = FILES;
  expect(worker).toContain('import');
  expect(() => measureBundle(build(rest))).toThrow('has no worker');
});
