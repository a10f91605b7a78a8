/** Models as page and engine speak of them: where one is, what is known of it before it is loaded, what is kept. */
import { z } from '../../../base/zod.ts';

/** A name that no platform reads as a way out of its folder. */
const plainName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,199}$/, 'must be a plain name');
const title = z.string().min(1).max(300);

/** Where the heads that come with the page are; the client fills it in. */
const modelsUrl = z.string().optional();

export const modelPlaceSchema = z.discriminatedUnion('kind', [
  /** A folder with a manifest, by HTTP. */
  z.object({ kind: z.literal('shipped'), id: z.string(), baseUrl: z.string() }),
  /** Files that the user chose: one GGUF file, or those of a folder. They are not kept. */
  z.object({
    kind: z.literal('files'),
    name: title,
    files: z.array(z.instanceof(File)).min(1).max(256),
    modelsUrl,
  }),
  /** In this browser's private file system. */
  z.object({ kind: z.literal('kept'), folder: plainName, name: title, modelsUrl }),
]);
export type ModelPlace = z.infer<typeof modelPlaceSchema>;

/** What is kept of a model, and where it comes from. Stored beside its files. */
export const fetchPlanSchema = z.object({
  folder: plainName,
  name: title,
  /** The repository with its commit, as `owner/name@commit`; null for files from disk. */
  origin: z.string().max(300).nullable(),
  licence: z.string().max(300).nullable(),
  files: z
    .array(
      z.object({
        name: plainName,
        bytes: z.number().int().min(0),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .nullable(),
        url: z.url({ protocol: /^https?$/ }).nullable(),
      }),
    )
    .min(1)
    .max(256),
});
export type FetchPlan = z.infer<typeof fetchPlanSchema>;

export const modelSchemas = [
  /** What a model is and whether it will run here, from its headers: no weight is read. */
  z.object({ kind: z.literal('examineModel'), place: modelPlaceSchema }),
  /** The same of a repository on the hub or a mirror; `file` chooses one of its GGUF files, null its safetensors. */
  z.object({
    kind: z.literal('findModel'),
    address: z.string().min(1).max(300),
    endpoint: z.url({ protocol: /^https?$/ }),
    file: z.string().max(300).nullish(),
  }),
  z.object({ kind: z.literal('listModels') }),
  /** Fetch what is missing of a model; one at a time. Notices tell the progress. */
  z.object({ kind: z.literal('fetchModel'), plan: fetchPlanSchema }),
  /** Copy files that the user chose, so that they are there after a reload. */
  z.object({ kind: z.literal('keepModel'), name: title, files: z.array(z.instanceof(File)).min(1).max(256) }),
  /** What was received stays. */
  z.object({ kind: z.literal('pauseFetch') }),
  z.object({ kind: z.literal('removeModel'), folder: plainName }),
] as const;

/** What is known of a model before its weights are read. */
export interface ModelCheck {
  readonly name: string;
  /** As its makers state it; null where the files do not. */
  readonly licence: string | null;
  /** For people, as “Llama, 30 layers of 576”. */
  readonly architecture: string;
  readonly parameters: number;
  readonly trainedContextTokens: number;
  /** Of all weight files; of all files where they are to be fetched. */
  readonly fileBytes: number;
  /** False where gists are means and nothing was trained to choose: the page says so. */
  readonly hasHeads: boolean;
  readonly forecast: RunForecast;
}

/** Whether a model will run here, and roughly how fast. */
export interface RunForecast {
  readonly fits: 'yes' | 'tight' | 'no';
  /** One sentence for people. */
  readonly why: string;
  readonly memoryBytes: number;
  /** When decoding, from a measurement on the running backend; null before there is one. */
  readonly tokensPerSecond: number | null;
}

/** A model on the hub, before it is fetched. */
export interface ModelOffer {
  readonly plan: FetchPlan;
  readonly check: ModelCheck;
  /** What can be taken of the repository; a null file stands for its safetensors. */
  readonly choices: readonly { readonly file: string | null; readonly bytes: number }[];
  readonly file: string | null;
  /** Why it cannot be kept here, in words; null where it can. */
  readonly noRoom: string | null;
}

/** A model in this browser's private file system, whole or not. */
export interface KeptModel {
  readonly plan: FetchPlan;
  readonly receivedBytes: number;
  readonly totalBytes: number;
  readonly isComplete: boolean;
}

export interface ShelfReport {
  readonly models: readonly KeptModel[];
  /** Of everything that the page keeps in this browser; null where the browser does not tell. */
  readonly usageBytes: number | null;
  readonly quotaBytes: number | null;
  /** Why nothing can be kept here, in words; null where it can. */
  readonly unavailable: string | null;
}

export interface ModelResults {
  examineModel: ModelCheck;
  findModel: ModelOffer;
  listModels: ShelfReport;
  fetchModel: 'whole' | 'paused';
  keepModel: FetchPlan;
  pauseFetch: null;
  removeModel: null;
}

/** How far fetching or copying a model is, over all its files. */
export interface ModelFetchProgress {
  readonly folder: string;
  readonly file: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
}
