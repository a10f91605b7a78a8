import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { build } from 'vite';
import { modelsPlugin } from './vite-models-plugin.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'models-plugin-'));
  for (const name of ['models/tiny', 'page']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'models/tiny/weights.bin'), Uint8Array.of(0, 255, 13, 10));
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html><title>A page</title>');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it.each([
  ['relative', () => 'out', () => join(folder, 'page/out')],
  ['absolute', () => join(folder, 'elsewhere'), () => join(folder, 'elsewhere')],
])(
  'copies the models byte for byte beside the page, for a folder given as %s',
  async (_, outDir, expected) => {
    await build({
      root: join(folder, 'page'),
      configFile: false,
      logLevel: 'silent',
      plugins: [modelsPlugin(join(folder, 'models'))],
      build: { outDir: outDir() },
    });
    expect(existsSync(join(expected(), 'index.html'))).toBe(true);
    expect([...readFileSync(join(expected(), 'models/tiny/weights.bin'))]).toEqual([0, 255, 13, 10]);
  },
);
