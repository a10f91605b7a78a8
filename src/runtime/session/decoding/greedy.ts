/** How answers are decoded, whoever decodes them. */
import type { SamplingConfig } from './sampler.ts';

/** An answer that has not ended by then is cut. */
export const MAX_ANSWER_TOKENS = 64;

/** The first choice at every token. */
export const GREEDY: SamplingConfig = { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1 };
