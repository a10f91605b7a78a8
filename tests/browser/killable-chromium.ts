/** A Chromium with a profile on disk that can be killed like a crash or a pulled plug would end it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, executablePath } from './launch-chromium.ts';

export interface KillableChromium {
  /** The profile's own context: what it stores outlives the browser. */
  readonly context: BrowserContext;
  /** SIGKILL to the browser and all its processes; resolves when they are gone. */
  kill(): Promise<void>;
}

/** A new, empty profile and how to remove it. */
export function createProfile(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'chromium-profile-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

export async function startKillable(profile: string): Promise<KillableChromium> {
  const program = executablePath() ?? chromium.executablePath();
  const flags = [
    '--headless=new',
    '--remote-debugging-port=0',
    '--no-first-run',
    '--disable-gpu',
    `--user-data-dir=${profile}`,
  ];
  // A group of its own, so that one signal reaches every process of the browser.
  const child = spawn(program, [...CHROMIUM_FLAGS, ...flags, 'about:blank'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error(`The browser ended before it listened:\n${said}`));
    });
  });
  const browser = await chromium.connectOverCDP(address);
  return {
    context: browser.contexts()[0]!,
    kill: async () => {
      process.kill(-child.pid!, 'SIGKILL');
      await exited;
      await browser.close().catch(() => undefined);
    },
  };
}

/** Cut the last record that IndexedDB wrote, as a kill between two of its writes does. */
export function tearDatabaseLog(profile: string): void {
  const databases = join(profile, 'Default', 'IndexedDB');
  const folder = readdirSync(databases).find((name) => name.endsWith('.leveldb'))!;
  const log = readdirSync(join(databases, folder))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1)!;
  const path = join(databases, folder, log);
  truncateSync(path, statSync(path).size - 10);
}
