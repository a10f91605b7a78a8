/** Text and questions that evaluations read from the user's disk: never part of the repository. */
import { z } from '../../../base/zod.ts';
import { IN_WORDS } from '../../../base/schema-words.ts';

/** What a folder of data holds; each is read when it is first needed. */
export interface PublicData {
  /** Any prose, for haystacks. */
  readonly prose: string;
  readonly squad: readonly QaParagraph[];
  readonly hotpot: readonly HotpotQuestion[];
}

/** Which parts a folder has. Plain data: it crosses processes. */
export type DataParts = Readonly<Record<keyof PublicData, boolean>>;

/** A paragraph of SQuAD with its questions. */
export interface QaParagraph {
  readonly text: string;
  readonly questions: readonly {
    readonly question: string;
    /** Right answers; none where the paragraph does not say. */
    readonly answers: readonly { readonly text: string; readonly start: number }[];
  }[];
}

/** A question of HotpotQA with the sentences of its documents; `isSupport` marks those that it needs. */
export interface HotpotQuestion {
  readonly question: string;
  readonly answer: string;
  readonly documents: readonly {
    readonly title: string;
    readonly sentences: readonly { readonly text: string; readonly isSupport: boolean }[];
  }[];
}

/** A data file that cannot be read as what it should be. */
export class DataFileError extends Error {
  override readonly name = 'DataFileError';
}

const squadSchema = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(
        z.object({
          context: z.string(),
          qas: z.array(
            z.object({
              question: z.string(),
              answers: z.array(z.object({ text: z.string(), answer_start: z.number().int().min(0) })),
            }),
          ),
        }),
      ),
    }),
  ),
});

const hotpotSchema = z.array(
  z.object({
    question: z.string(),
    answer: z.string(),
    supporting_facts: z.array(z.tuple([z.string(), z.number().int()])),
    context: z.array(z.tuple([z.string(), z.array(z.string())])),
  }),
);

/** SQuAD's own JSON, version 1.1 or 2.0. @throws {DataFileError} naming the file and the field. */
export function parseSquad(json: string, file: string): QaParagraph[] {
  return read(json, file, squadSchema).data.flatMap(({ paragraphs }) =>
    paragraphs.map(({ context, qas }) => ({
      text: context,
      questions: qas.map(({ question, answers }) => ({
        question,
        answers: answers.map(({ text, answer_start }) => ({ text, start: answer_start })),
      })),
    })),
  );
}

/** HotpotQA's own JSON. @throws {DataFileError} naming the file and the field. */
export function parseHotpot(json: string, file: string): HotpotQuestion[] {
  return read(json, file, hotpotSchema).map(({ question, answer, supporting_facts, context }) => {
    const needed = new Set(supporting_facts.map(([title, sentence]) => `${sentence} ${title}`));
    const documents = context.map(([title, sentences]) => ({
      title,
      sentences: sentences.map((text, i) => ({ text, isSupport: needed.has(`${i} ${title}`) })),
    }));
    return { question, answer, documents };
  });
}

const REMEDY = 'Put the published file there, or run npm run eval:data.';

function read<T>(json: string, file: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new DataFileError(`${file} is no JSON: ${(error as Error).message} ${REMEDY}`, { cause: error });
  }
  const parsed = schema.safeParse(value, IN_WORDS);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataFileError(
    `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}. ${REMEDY}`,
  );
}
