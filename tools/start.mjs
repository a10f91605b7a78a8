// Builds the playground if its sources changed, serves it on this machine and prints the address; opens a
// browser where there is a screen. `npm run dev` serves the sources with hot reload instead.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, preview } from 'vite';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist', '.sources');
const sources = [
  'index.html',
  'vite.config.ts',
  'package-lock.json',
  'src',
  'kernels',
  'public',
  'models',
  'tools',
];
/** Compiled from its neighbours by the build itself. */
const BUILT = join('kernels', 'build');

/** Changes when any source file was written, added or removed. */
function fingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    if (path === BUILT) return;
    const found = statSync(join(root, path));
    if (found.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) visit(join(path, name));
    else hash.update(`${path} ${found.size} ${found.mtimeMs}\n`);
  };
  sources.forEach(visit);
  return hash.digest('hex');
}

const current = fingerprint();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== current) {
  console.log('Building …');
  await build({ root, logLevel: 'warn' });
  writeFileSync(stamp, current);
}

const hasScreen = process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY);
const open = hasScreen && process.stdout.isTTY && !process.env.CI;
const server = await preview({ root, preview: { port: Number(process.env.PORT ?? 5173), open } });
console.log('\n  MegaContext Playground\n');
server.printUrls();
console.log('\n  Opens on an example that runs by itself. Ctrl+C stops the server.\n');
