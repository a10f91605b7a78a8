/**
 * Models on the Hugging Face hub, or a mirror of it: which files a repository has, how large, under which licence.
 * Reads the hub's public interface (https://huggingface.co/docs/hub/api); fetches no weights.
 */
import { z } from '../../../base/zod.ts';
import { IN_WORDS } from '../../../base/schema-words.ts';
import { ModelSourceError } from '../errors.ts';

export interface HubAddress {
  readonly owner: string;
  readonly name: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

export interface HubFile {
  readonly name: string;
  readonly bytes: number;
  /** Of large files only; the hub states it for them. */
  readonly sha256: string | null;
}

export interface HubRepository {
  readonly address: HubAddress;
  /** The commit that the revision stood at. */
  readonly commit: string;
  readonly licence: string | null;
  /** Its makers want an account and an agreement before they give its files. */
  readonly isGated: boolean;
  readonly files: readonly HubFile[];
}

const ADDRESS =
  /^(?:https?:\/\/[^/\s]+\/)?([A-Za-z0-9][\w.-]{0,95})\/([A-Za-z0-9][\w.-]{0,95})(?:@([\w./-]{1,128})|\/tree\/([\w./-]{1,128}))?\/?$/;

/** `owner/name`, `owner/name@revision`, or the address of the repository's page; null for anything else. */
export function parseHubAddress(text: string): HubAddress | null {
  const [, owner, name, at, tree] = ADDRESS.exec(text.trim()) ?? [];
  return owner === undefined || name === undefined ? null : { owner, name, revision: at ?? tree ?? 'main' };
}

export function hubAddressText({ owner, name, revision }: HubAddress): string {
  return revision === 'main' ? `${owner}/${name}` : `${owner}/${name}@${revision}`;
}

const infoSchema = z.looseObject({
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  tags: z.array(z.string()).default([]),
  gated: z.union([z.boolean(), z.string()]).default(false),
  siblings: z
    .array(
      z.looseObject({
        rfilename: z.string().max(512),
        size: z.number().int().min(0).optional(),
        lfs: z
          .looseObject({
            sha256: z
              .string()
              .regex(/^[0-9a-f]{64}$/)
              .optional(),
          })
          .nullish(),
      }),
    )
    .max(10_000),
});

export interface HubOptions {
  /** Without a last slash. */
  readonly endpoint: string;
  readonly fetch?: typeof fetch;
  readonly signal?: AbortSignal;
}

/** @throws {ModelSourceError} saying what is wrong with the repository and what would work. */
export async function readHubRepository(address: HubAddress, options: HubOptions): Promise<HubRepository> {
  const { endpoint } = options;
  const name = hubAddressText(address);
  const path = `${address.owner}/${address.name}/revision/${encodeURIComponent(address.revision)}`;
  const url = `${endpoint}/api/models/${path}?blobs=true`;
  const response = await requestHub(url, name, options);
  refuseAnswer(response, name, endpoint);
  const answer = await jsonOf(response, name);
  const parsed = infoSchema.safeParse(answer, IN_WORDS);
  if (!parsed.success) {
    throw new ModelSourceError(name, 'not-a-model-file', `${endpoint} does not answer as the hub does`);
  }
  const { sha, tags, gated, siblings } = parsed.data;
  return {
    address,
    commit: sha,
    licence: tags.find((tag) => tag.startsWith('license:'))?.slice('license:'.length) ?? null,
    isGated: gated !== false,
    files: siblings.map(({ rfilename, size, lfs }) => ({
      name: rfilename,
      bytes: size ?? 0,
      sha256: lfs?.sha256 ?? null,
    })),
  };
}

/** Where the files of a repository are fetched from; ends in a slash. The commit keeps every file of one state. */
export function hubFolderUrl({ address, commit }: HubRepository, endpoint: string): string {
  return `${endpoint}/${address.owner}/${address.name}/resolve/${commit}/`;
}

async function requestHub(
  url: string,
  name: string,
  { fetch: request = fetch, signal }: HubOptions,
): Promise<Response> {
  try {
    return await request(url, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    const what = `the hub cannot be reached at ${new URL(url).origin}; a mirror can be set, or the files be opened from disk`;
    throw new ModelSourceError(name, 'network', what, { cause: error });
  }
}

function refuseAnswer(response: Response, name: string, endpoint: string): void {
  if (response.ok) return;
  if (response.status === 401 || response.status === 403) {
    throw gatedError(name);
  }
  if (response.status === 404) {
    const what = `${endpoint} has no such repository or revision; it is written as owner/name, or owner/name@revision`;
    throw new ModelSourceError(name, 'refused', what);
  }
  throw new ModelSourceError(name, 'network', `${endpoint} answered ${response.status}`);
}

export function gatedError(name: string): ModelSourceError {
  const what =
    'the repository is private, or gated: its makers want you to agree first. Download it with your account and open the folder from disk; or take a repository that is open, as HuggingFaceTB/SmolLM2-135M-Instruct is';
  return new ModelSourceError(name, 'refused', what);
}

async function jsonOf(response: Response, name: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw new ModelSourceError(name, 'not-a-model-file', 'the answer is not JSON', { cause: error });
  }
}

/** The files that a base is made of, weights last; null where the repository holds none that can be read. */
export function baseFiles(files: readonly HubFile[]): readonly HubFile[] | null {
  const byName = new Map(files.map((file) => [file.name, file]));
  const needed = ['config.json', 'tokenizer.json', 'tokenizer_config.json'].map((name) => byName.get(name));
  if (needed.includes(undefined)) return null;
  const optional = ['chat_template.jinja', 'model.safetensors.index.json'].map((name) => byName.get(name));
  const single = byName.get('model.safetensors');
  const shards = files.filter(({ name }) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name));
  const weights = single === undefined ? shards : [single];
  if (weights.length === 0) return null;
  const index = single === undefined ? optional : optional.slice(0, 1);
  return [...needed, ...index, ...weights].filter((file) => file !== undefined);
}

/** GGUF files at the repository's top that are whole models, the preferred one first: eight bits, then four, then size. */
export function ggufFiles(files: readonly HubFile[]): readonly HubFile[] {
  const isWhole = ({ name }: HubFile) => /^[^/]+\.gguf$/i.test(name) && !/-\d{5}-of-\d{5}/.test(name);
  const rank = ({ name }: HubFile) => {
    const at = PREFERRED_FORMATS.findIndex((format) => name.toUpperCase().includes(format));
    return at < 0 ? PREFERRED_FORMATS.length : at;
  };
  return files.filter(isWhole).sort((a, b) => rank(a) - rank(b) || a.bytes - b.bytes);
}

const PREFERRED_FORMATS = ['Q8_0', 'Q6_K', 'Q4_K_M', 'Q4_1', 'Q4_0'];
