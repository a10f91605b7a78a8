/** Measures how far two bases of the same weights are from each other that run differently, in all that they are asked for. */
import { ATTENTION_READINGS } from '../../core/parameters/measurement.ts';
import type { DecodeSession, LanguageModel } from '../ports.ts';
import { largestError } from './fixture-parity.ts';
import { randomValues } from './synthetic-weights.ts';

/** More than eight, so that a run of them takes tiles, and no whole number of them. */
const PROMPT = 43;

const placesFrom = (start: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => start + 1.5 * i);

/** @returns the largest absolute error by what was asked. */
export async function measureRunnerErrors(
  a: LanguageModel,
  b: LanguageModel,
): Promise<Readonly<Record<string, number>>> {
  const [first, second] = await Promise.all([answersOf(a), answersOf(b)]);
  return Object.fromEntries(
    Object.entries(first).map(([name, values]) => [name, largestError(values, second[name]!)]),
  );
}

async function answersOf(model: LanguageModel): Promise<Readonly<Record<string, Float32Array>>> {
  const d = model.hiddenSize;
  const prompt = randomValues(PROMPT * d, 91);
  const next = randomValues(d, 92);
  const sessions: DecodeSession[] = [];
  const opened = async (slots: number): Promise<DecodeSession> => {
    const session = model.createDecodeSession(PROMPT + 10);
    sessions.push(session);
    await session.append(prompt.subarray(0, slots * d), placesFrom(0, slots), 0);
    return session;
  };
  const answers: Record<string, Float32Array> = {};
  try {
    const whole = await opened(1);
    whole.truncate(0);
    const deviations = Float64Array.from({ length: PROMPT }, (_, i) => i % 3);
    answers['logits'] = await whole.append(prompt, placesFrom(0, PROMPT), 'all', deviations);
    for (const reading of ATTENTION_READINGS) {
      whole.truncate(PROMPT);
      answers[`logits with ${reading}`] = await whole.append(next, placesFrom(90, 1), 1, undefined, reading);
      answers[`attention by ${reading}`] = whole.lastAttention!;
    }
    whole.truncate(3);
    const { keys, queries } = await whole.appendForHeads(prompt.subarray(3 * d), placesFrom(5, PROMPT - 3));
    keys.forEach((values, layer) => (answers[`keys of layer ${layer}`] = values));
    queries.forEach((values, layer) => (answers[`queries of layer ${layer}`] = values));
    const together = [await opened(PROMPT), await opened(12)];
    const rows = randomValues(2 * d, 93);
    const places = placesFrom(70, 2);
    answers['hidden states together'] = await model.appendTogether(together, rows, places, undefined, 'mean');
    together.forEach((session, i) => (answers[`attention of session ${i}`] = session.lastAttention!));
    answers['logits of them'] = await model.logitsOf(answers['hidden states together']);
    answers['logits behind them'] = await together[1]!.append(next, placesFrom(80, 1), 'last');
    const copied = await opened(3);
    copied.copyFrom(together[0]!, PROMPT);
    answers['logits behind a copy'] = await copied.append(next, placesFrom(95, 1), 'last');
    return answers;
  } finally {
    for (const session of sessions) session.dispose();
  }
}
