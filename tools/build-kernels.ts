/** Compiles the WASM kernels (`kernels/`, AssemblyScript) where their source has changed; needs no network. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '../kernels');
const BUILD = join(SOURCES, 'build');
const STAMP = join(BUILD, 'source.sha256');

/** What the binary is compiled with: deterministic, no allocator, no start function. */
const COMMON = ['-O3', '--runtime', 'stub', '--noAssert', '--enable', 'simd', '--enable', 'threads'];
/** Pages of 64 KiB that a memory has at first, and may have at most. */
const PAGES = ['--importMemory', '--initialMemory', '1', '--maximumMemory', '65536'];
/** The second is for threads: the same kernels over a memory that several share. */
const BINARIES = { 'kernels.wasm': [], 'kernels-shared.wasm': ['--sharedMemory'] } as const satisfies Record<
  string,
  readonly string[]
>;
type Binary = keyof typeof BINARIES;

/** @throws if the compiler refuses the source, with what it says. */
export async function buildKernels(): Promise<void> {
  const hash = hashOfSources();
  const isFresh = existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash;
  const names = Object.keys(BINARIES) as Binary[];
  if (isFresh && names.every((name) => existsSync(join(BUILD, name)))) return;
  mkdirSync(BUILD, { recursive: true });
  for (const name of names) replaceFile(name, await compileKernels(name));
  replaceFile('source.sha256', hash);
}

/** The compiler, as far as it is used. */
interface Compiler {
  createMemoryStream(): { toString(): string };
  main(
    parameters: readonly string[],
    host: {
      readonly stderr: { toString(): string };
      readonly readFile: (name: string) => string | null;
      readonly writeFile: (name: string, contents: Uint8Array | string) => void;
      readonly listFiles: () => readonly string[];
    },
  ): Promise<{ readonly error: Error | null }>;
}

/** Its own types declare AssemblyScript's `Array` for everyone: what may be undefined would pass for a value. */
const COMPILER: string = 'assemblyscript/asc';

/** The same source gives the same bytes. @throws as `buildKernels`. */
export async function compileKernels(binary: Binary = 'kernels.wasm'): Promise<Uint8Array> {
  const { default: asc } = (await import(COMPILER)) as { readonly default: Compiler };
  const files = sources();
  const out: { binary: Uint8Array | null } = { binary: null };
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(['index.ts', ...COMMON, ...PAGES, ...BINARIES[binary], '-o', 'out.wasm'], {
    stderr,
    readFile: (name) => files[name.replaceAll('\\', '/')] ?? null,
    writeFile: (name, contents) => {
      if (name === 'out.wasm') out.binary = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (out.binary === null) {
    throw new Error(`The kernels do not compile:\n${stderr.toString()}`, { cause: error });
  }
  return out.binary;
}

function sources(): Readonly<Record<string, string>> {
  const names = readdirSync(SOURCES).filter((name) => name.endsWith('.ts'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(SOURCES, name), 'utf8')]));
}

function hashOfSources(): string {
  const lock = readFileSync(join(SOURCES, '../package.json'), 'utf8');
  const compiler = /"assemblyscript": "[^"]+"/.exec(lock)?.[0] ?? '';
  const options = JSON.stringify([COMMON, PAGES, BINARIES]);
  return createHash('sha256')
    .update(JSON.stringify([compiler, options, sources()]))
    .digest('hex');
}

/** Several processes may build at once: each file appears whole. */
function replaceFile(name: string, content: string | Uint8Array): void {
  const temporary = join(BUILD, `${name}.${randomBytes(6).toString('hex')}`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(BUILD, name));
}
