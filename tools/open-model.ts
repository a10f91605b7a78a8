/**
 * Opens a model under Node: one of the repository, a folder in Hugging Face's layout, or a GGUF file; with heads that lie
 * beside a published base, or those of the repository that were made for it.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { selectBackend } from '../src/nn/backend/device.ts';
import { nodeWasmPaths } from '../src/nn/backend/wasm-paths-node.ts';
import { createBareModel } from '../src/nn/loader/bare-model.ts';
import { type HeadsOffer, SHIPPED_HEADS } from '../src/nn/loader/heads.ts';
import { loadModel } from '../src/nn/loader/load-model.ts';
import { readFolderBase, readGgufBase } from '../src/nn/loader/published-base.ts';
import { createFileSource } from '../src/nn/model-folder/file-source.ts';
import { HEADS_MANIFEST } from '../src/nn/model-folder/heads-manifest.ts';
import type { BackendReport, LoadedModel } from '../src/nn/ports.ts';
import { buildKernels } from './build-kernels.ts';
import { OptionError } from './command-line.ts';

export const root = join(import.meta.dirname, '..');

/**
 * @param name - an id below `models/`, or a path.
 * @param threads - of the WASM kernels; those of a model that was opened before end.
 * @returns the model, which the caller disposes, and the backend that it runs on.
 * @throws {OptionError} if there is no such model; {WeightError} if it cannot be read.
 */
export async function openModel(
  name: string,
  wanted: 'wasm' | 'cpu',
  threads = 1,
): Promise<{ readonly model: LoadedModel; readonly backend: BackendReport }> {
  const open = openerOf(name);
  await buildKernels();
  const backend = await selectBackend(wanted, { wasmPaths: nodeWasmPaths(), threads });
  return { model: await open(), backend };
}

/** @returns the folder of a model; null for a single file. @throws {OptionError} if there is no such model. */
export function folderOf(name: string): string | null {
  const own = join(root, 'models', name);
  if (existsSync(join(own, 'manifest.json'))) return own;
  if (!existsSync(name)) {
    throw new OptionError(`There is no model "${name}": neither ${join(own, 'manifest.json')} nor a path.`);
  }
  return statSync(name).isFile() ? null : name;
}

function openerOf(name: string): () => Promise<LoadedModel> {
  const folder = folderOf(name);
  if (folder === null) {
    const beside = dirname(name);
    return async () =>
      createBareModel(await readGgufBase(createFileSource(beside), basename(name)), {
        heads: headsFor(beside),
      });
  }
  const source = createFileSource(folder);
  if (existsSync(join(folder, 'manifest.json'))) return () => loadModel(source);
  return async () =>
    createBareModel(await readFolderBase(source, basename(name)), { heads: headsFor(folder) });
}

/** @param folder - of the base. */
function headsFor(folder: string): readonly HeadsOffer[] {
  const own = existsSync(join(folder, HEADS_MANIFEST));
  return [
    ...(own ? [{ source: createFileSource(folder), isChosen: true }] : []),
    ...SHIPPED_HEADS.map((id) => ({ source: createFileSource(join(root, 'models', id)), isChosen: false })),
  ];
}
