/**
 * The models that this browser keeps, each in a folder with its plan: what it is, and which files it has. A model is
 * whole when every file of the plan is there; what is not whole can be gone on with.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { IN_WORDS } from '../../../base/schema-words.ts';
import { ModelSourceError } from '../../../nn/model-folder/errors.ts';
import { hex } from '../../../nn/model-folder/sha256.ts';
import type { FileTree } from '../../../storage/files/file-tree.ts';
import { type FetchPlan, fetchPlanSchema, type KeptModel } from '../protocol/models.ts';
import { downloadFiles, type DownloadFile, type DownloadProgress, PART } from './model-download.ts';
import { writeText } from './tree-text.ts';

const PLAN = 'plan.json';

interface Work {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DownloadProgress) => void;
}

export class KeptModels {
  /** @param tree - opened when first needed: a page may keep nothing. */
  constructor(private readonly tree: () => Promise<FileTree>) {}

  /** @throws {FileTreeError} where the browser keeps no files. */
  async list(): Promise<readonly KeptModel[]> {
    const tree = await this.tree();
    const folders = (await tree.list('')).filter(({ isFolder }) => isFolder);
    const models: KeptModel[] = [];
    for (const { name: folder } of folders) models.push(await this.standing(tree, folder));
    return models;
  }

  /** Fetch what is missing of a model. @throws as `downloadFiles`. */
  async fetch(plan: FetchPlan, { signal, onProgress }: Work): Promise<void> {
    const tree = await this.tree();
    const { folder } = plan;
    const files = plan.files.map((file): DownloadFile => {
      if (file.url !== null) return { ...file, url: file.url };
      throw new ModelSourceError(file.name, 'missing', 'came from disk and cannot be fetched; choose it again');
    });
    await writePlan(tree, plan);
    const hashes = await downloadFiles({ tree, folder, files, signal, onProgress });
    // Those that were received before an interruption were checked then.
    await writePlan(tree, withHashes(plan, hashes));
  }

  /**
   * Copy files that the user chose.
   *
   * @returns the plan by which the copy is known.
   */
  async keep(name: string, files: readonly File[], { signal, onProgress }: Work): Promise<FetchPlan> {
    const tree = await this.tree();
    const folder = `${plainName(name)}@disk`;
    const plan: FetchPlan = {
      folder,
      name,
      origin: null,
      licence: null,
      files: files.map((file) => ({ name: plainName(file.name), bytes: file.size, sha256: null, url: null })),
    };
    await tree.remove(folder);
    await writePlan(tree, plan);
    const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
    const hashes = new Map<string, string>();
    let finishedBytes = 0;
    for (const [at, file] of files.entries()) {
      const target = plan.files[at]!.name;
      const report = (received: number): void => {
        onProgress({ file: target, receivedBytes: finishedBytes + received, totalBytes });
      };
      hashes.set(target, await copyFile(tree, `${folder}/${target}`, file, signal, report));
      finishedBytes += file.size;
    }
    const checked = withHashes(plan, hashes);
    await writePlan(tree, checked);
    return checked;
  }

  /** The files of a whole model. @throws {ModelSourceError} naming what is missing. */
  async open(folder: string): Promise<{ readonly plan: FetchPlan; readonly files: ReadonlyMap<string, Blob> }> {
    const tree = await this.tree();
    const plan = await readPlan(tree, folder);
    if (plan === null) throw new ModelSourceError(folder, 'missing', 'is not kept in this browser any more');
    const files = new Map<string, Blob>();
    for (const { name, bytes } of plan.files) {
      const found = await tree.size(`${folder}/${name}`);
      if (found !== bytes) {
        const what = found === null ? 'was not fetched to its end' : `has ${found} bytes instead of ${bytes}`;
        throw new ModelSourceError(`${plan.name}, ${name}`, 'truncated', what);
      }
      files.set(name, await tree.open(`${folder}/${name}`));
    }
    return { plan, files };
  }

  async remove(folder: string): Promise<void> {
    await (await this.tree()).remove(folder);
  }

  private async standing(tree: FileTree, folder: string): Promise<KeptModel> {
    const plan = (await readPlan(tree, folder)) ?? { folder, name: folder, origin: null, licence: null, files: [] };
    let receivedBytes = 0;
    let isComplete = plan.files.length > 0;
    for (const { name, bytes } of plan.files) {
      const whole = await tree.size(`${folder}/${name}`);
      if (whole !== bytes) isComplete = false;
      receivedBytes += whole ?? (await tree.size(`${folder}/${name}${PART}`)) ?? 0;
    }
    return { plan, receivedBytes, totalBytes: totalOf(plan), isComplete };
  }
}

export function totalOf({ files }: FetchPlan): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function withHashes(plan: FetchPlan, hashes: ReadonlyMap<string, string>): FetchPlan {
  const files = plan.files.map((file) => ({ ...file, sha256: file.sha256 ?? hashes.get(file.name) ?? null }));
  return { ...plan, files };
}

async function writePlan(tree: FileTree, plan: FetchPlan): Promise<void> {
  const path = `${plan.folder}/${PLAN}`;
  await writeText(tree, `${path}${PART}`, JSON.stringify(plan));
  await tree.rename(`${path}${PART}`, path);
}

/** Null where there is none, or none that can be understood. */
async function readPlan(tree: FileTree, folder: string): Promise<FetchPlan | null> {
  const path = `${folder}/${PLAN}`;
  if ((await tree.size(path)) === null) return null;
  try {
    const plan: unknown = JSON.parse(await (await tree.open(path)).text());
    const parsed = fetchPlanSchema.safeParse(plan, IN_WORDS);
    return parsed.success && parsed.data.folder === folder ? parsed.data : null;
  } catch {
    return null;
  }
}

/** @returns its SHA-256. */
async function copyFile(
  tree: FileTree,
  path: string,
  file: Blob,
  signal: AbortSignal,
  report: (bytes: number) => void,
): Promise<string> {
  const hash = sha256.create();
  const out = await tree.openForAppend(`${path}${PART}`, 0);
  try {
    let received = 0;
    const reader = file.stream().getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      signal.throwIfAborted();
      await out.write(next.value);
      hash.update(next.value);
      received += next.value.byteLength;
      report(received);
    }
  } finally {
    await out.close();
  }
  await tree.rename(`${path}${PART}`, path);
  return hex(hash.digest());
}

/** A name that every platform takes for a file. */
function plainName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return plain.slice(0, 120) || 'model';
}
