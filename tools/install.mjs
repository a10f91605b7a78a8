// Installs what a fresh clone lacks, then gets out of the way: npm packages, and with --browser a Chromium.
import { execFileSync } from 'node:child_process';
import { accessSync, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old: 20.19 or newer is needed (https://nodejs.org).`);
  process.exit(1);
}

const run = (command, args, options = {}) =>
  execFileSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });

if (!hasPackages()) {
  console.log('Installing packages …');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

if (process.argv.includes('--browser') && !(await findChromium())) {
  if (isDebianRoot()) {
    console.log("Installing Debian's Chromium for the browser tests …");
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  } else {
    console.log("Installing Playwright's Chromium for the browser tests …");
    run('npx', ['playwright-core', 'install', 'chromium']);
  }
  if (!(await findChromium())) {
    console.error(
      'No Chromium was found after installing one. Set CHROMIUM_PATH to your browser and run again.',
    );
    process.exit(1);
  }
}

/**
 * Whether node_modules holds the lockfile's packages, whoever installed them: npm leaves there what it did as
 * its last act. What is optional may be absent, as other platforms' binaries are.
 */
function hasPackages() {
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = packagesOf(record);
  return Object.entries(packagesOf(join(root, 'package-lock.json'))).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

/** The browser that the tests will use: CHROMIUM_PATH, a system one, or Playwright's own. */
async function findChromium() {
  const { chromium } = await import('playwright-core');
  const candidates = [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    chromium.executablePath(),
  ];
  return candidates.find((path) => path && existsSync(path)) ?? null;
}

function isDebianRoot() {
  if (process.getuid?.() !== 0) return false;
  try {
    accessSync('/usr/bin/apt-get');
    return true;
  } catch {
    return false;
  }
}
