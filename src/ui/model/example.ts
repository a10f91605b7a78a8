/** The embedded example: a history worth watching, and questions whose answers lie far back in it. */
import { type StoreApi, createStore } from 'zustand';

export interface ExampleQuestion {
  readonly question: string;
  readonly answer: string;
  readonly value?: string;
  readonly factStartToken?: number;
  readonly factEndToken?: number;
  /** What the question tests, in a few words. */
  readonly tests?: string;
}

export interface Example {
  readonly title: string;
  readonly text: string;
  readonly questions: readonly ExampleQuestion[];
}

/** The embedded example once it is loaded; null before, and when it could not be loaded. */
export interface ExampleState {
  readonly example: Example | null;
}

export type ExampleStore = StoreApi<ExampleState>;

export function createExampleStore(): ExampleStore {
  return createStore<ExampleState>()(() => ({ example: null }));
}

/** The example's name in links. */
export const EXAMPLE_ID = 'harbour-chronicle';
const EXAMPLE_URL = `./examples/${EXAMPLE_ID}`;

/** Loads the example's text and questions. @throws {Error} if either is missing or malformed. */
export async function loadExample(): Promise<Example> {
  const [text, card] = await Promise.all([fetchText(`${EXAMPLE_URL}.txt`), fetchText(`${EXAMPLE_URL}.json`)]);
  const parsed: unknown = JSON.parse(card);
  const { title, questions } = parsed as { title?: unknown; questions?: unknown };
  return {
    title: typeof title === 'string' ? title : 'Harbour chronicle',
    text,
    questions: Array.isArray(questions) ? questions.filter(isQuestion) : [],
  };
}

async function fetchText(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return response.text();
}

function isQuestion(value: unknown): value is ExampleQuestion {
  const question = value as Partial<Record<keyof ExampleQuestion, unknown>> | null;
  return typeof question?.question === 'string' && typeof question.answer === 'string';
}
