/** Models as page and engine speak of them: where one is, and what is known of it before it is loaded. */
import { z } from 'zod';

export const modelPlaceSchema = z.discriminatedUnion('kind', [
  /** A folder with a manifest, by HTTP. */
  z.object({ kind: z.literal('shipped'), id: z.string(), baseUrl: z.string() }),
  /** Files that the user chose: one GGUF file, or those of a folder. They are not kept. */
  z.object({
    kind: z.literal('files'),
    name: z.string().min(1).max(200),
    files: z.array(z.instanceof(File)).min(1).max(256),
  }),
]);
export type ModelPlace = z.infer<typeof modelPlaceSchema>;

export const modelSchemas = [
  /** What a model is and whether it will run here, from its headers: no weight is read. */
  z.object({ kind: z.literal('examineModel'), place: modelPlaceSchema }),
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
  /** Of all weight files. */
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

export interface ModelResults {
  examineModel: ModelCheck;
}
