/** Starts what a browser test needs: a Vite development server, and a Chromium with WebGPU in software. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';

const ROOT = join(import.meta.dirname, '../..');
const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const CHROMIUM_FLAGS = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
/** A Chromium that finds no device, as on most machines without a graphics card: the page takes WASM at once. */
export const WITHOUT_GPU = ['--no-sandbox'];

/** CHROMIUM_PATH, else an installed browser, else the one that playwright downloaded. */
export function executablePath(): string | undefined {
  const candidates = [process.env['CHROMIUM_PATH'] ?? '', ...INSTALLED];
  return candidates.find((path) => path !== '' && existsSync(path));
}

/** The caller closes the browser. */
export function launchChromium(args: readonly string[] = CHROMIUM_FLAGS): Promise<Browser> {
  const path = executablePath();
  return chromium.launch({
    headless: true,
    args: [...args],
    ...(path !== undefined && { executablePath: path }),
  });
}

export interface RunningVite {
  /** Address of the repository's root, without a last slash. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serve the repository on a free port, with the headers of the application's own configuration.
 *
 * @param cacheName - servers that run at the same time need different caches.
 */
export async function startVite(cacheName = 'browser-tests'): Promise<RunningVite> {
  const server: ViteDevServer = await createServer({
    root: ROOT,
    configFile: join(ROOT, 'vite.config.ts'),
    cacheDir: join(ROOT, 'node_modules/.vite', cacheName),
    logLevel: 'error',
    server: { port: 0, host: '127.0.0.1', hmr: false, watch: null },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (typeof address !== 'object' || address === null) throw new Error('Vite has no address.');
  return { url: `http://127.0.0.1:${address.port}`, close: () => server.close() };
}
