/** A model on the hub as the user is told of it before anything but its description is fetched. */
import { parseJson } from '../../../nn/model-folder/json-file.ts';
import { ModelSourceError } from '../../../nn/model-folder/errors.ts';
import { createFetchSource } from '../../../nn/model-folder/fetch-source.ts';
import { fetchHead } from '../../../nn/model-folder/hub/file-head.ts';
import {
  baseFiles,
  gatedError,
  ggufFiles,
  hubAddressText,
  type HubFile,
  hubFolderUrl,
  type HubRepository,
  parseHubAddress,
  readHubRepository,
} from '../../../nn/model-folder/hub/hub-repository.ts';
import type { ModelSource } from '../../../nn/model-folder/model-source.ts';
import { parseFolderConfig, type PublishedBase, readGgufBase } from '../../../nn/loader/published-base.ts';
import type { FetchPlan } from '../protocol/models.ts';

export interface HubModel {
  readonly plan: FetchPlan;
  readonly base: Pick<PublishedBase, 'config' | 'trainedContextTokens'>;
  /** What can be taken of the repository: null stands for its safetensors. */
  readonly choices: readonly { readonly file: string | null; readonly bytes: number }[];
  /** Which of them this is. */
  readonly file: string | null;
}

/**
 * @param file - a GGUF file of the repository, null for its safetensors, undefined for what suits best.
 * @throws {ModelSourceError} | {WeightError} saying what is wrong and what would work.
 */
export async function findHubModel(
  text: string,
  endpoint: string,
  file: string | null | undefined,
): Promise<HubModel> {
  const address = parseHubAddress(text);
  if (address === null) {
    throw new ModelSourceError(text, 'refused', 'is no repository: write owner/name, or owner/name@revision');
  }
  const repository = await readHubRepository(address, { endpoint });
  const name = hubAddressText(address);
  if (repository.isGated) throw gatedError(name);
  const folder = baseFiles(repository.files);
  const gguf = ggufFiles(repository.files);
  const choices = [
    ...(folder === null ? [] : [{ file: null, bytes: bytesOf(folder) }]),
    ...gguf.map(({ name: own, bytes }) => ({ file: own, bytes })),
  ];
  const wanted = choices.find((choice) => choice.file === file) ?? choices[0];
  if (wanted === undefined) throw new ModelSourceError(name, 'not-a-model-file', whatIsThere(repository.files));
  const url = hubFolderUrl(repository, endpoint);
  const one = gguf.find((each) => each.name === wanted.file);
  return {
    plan: planOf(repository, one === undefined ? folder! : [one], url, one?.name),
    base: one === undefined ? await readConfig(url) : await readHead(url, one),
    choices,
    file: wanted.file,
  };
}

async function readConfig(folderUrl: string): Promise<HubModel['base']> {
  const file = 'config.json';
  return parseFolderConfig(parseJson(await createFetchSource(folderUrl).read(file), file), file);
}

async function readHead(folderUrl: string, { name, bytes }: HubFile): Promise<HubModel['base']> {
  const open = () => fetchHead(folderUrl + encodeURIComponent(name), name, bytes);
  const source: ModelSource = { open, read: async () => (await open()).slice(0) };
  return readGgufBase(source, name);
}

function planOf(
  { address, commit, licence }: HubRepository,
  files: readonly HubFile[],
  url: string,
  ggufName: string | undefined,
): FetchPlan {
  const kind = ggufName === undefined ? '' : `.${ggufName}`;
  return {
    folder: `${address.owner}--${address.name}${kind}@${commit.slice(0, 12)}`.replace(/[^\w.@-]/g, '-'),
    name: `${address.owner}/${address.name}`,
    origin: hubAddressText({ ...address, revision: commit }),
    licence,
    files: files.map((file) => ({ ...file, url: url + encodeURIComponent(file.name) })),
  };
}

function bytesOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function whatIsThere(files: readonly HubFile[]): string {
  const wanted = 'config.json, tokenizer.json, tokenizer_config.json and safetensors, or a GGUF file';
  const hasPickles = files.some(({ name }) => /\.(bin|pt|pth|h5)$/.test(name));
  return hasPickles
    ? `has its weights as PyTorch or TensorFlow files only, which can run code and are not read; ${wanted} are`
    : `has no model that is read here: ${wanted} in one repository are`;
}
