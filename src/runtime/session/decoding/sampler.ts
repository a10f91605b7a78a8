/** Picks the next token from logits. Pure: the only randomness is the generator handed in. */
import { exponentialBelow } from '../../../base/exponential.ts';
import type { RunConfig } from '../../../core/trace/config.ts';

export type SamplingConfig = Pick<RunConfig, 'temperature' | 'topK' | 'topP' | 'repetitionPenalty'>;

/** Whether what is picked is the model's first choice, whatever was picked before. */
export function isGreedy({ temperature, repetitionPenalty }: SamplingConfig): boolean {
  return temperature === 0 && repetitionPenalty === 1;
}

/** What was picked. Log-probability and entropy are the model's own (nats, before any of the settings). */
export interface Sample {
  readonly tokenId: number;
  readonly logProbability: number;
  readonly entropy: number;
}

/** Log of the sum of exponentials of `[V]` logits, without overflow. */
export function logSumExp(logits: Float32Array): number {
  let max = -Infinity;
  for (const logit of logits) if (logit > max) max = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - max);
  return max + Math.log(sum);
}

/** Index of the largest logit; the lowest index of equals. NaN is never picked unless all are NaN. */
function argmax(logits: Float32Array): number {
  let best = 0;
  let bestLogit = -Infinity;
  for (let id = 0; id < logits.length; id++) {
    if (logits[id]! > bestLogit) {
      bestLogit = logits[id]!;
      best = id;
    }
  }
  return best;
}

/** Divides positive logits of tokens seen by the penalty and multiplies negative ones, as CTRL does. */
function penalised(logits: Float32Array, penalty: number, seen: Iterable<number>): Float32Array {
  if (penalty === 1) return logits;
  const adjusted = logits.slice();
  for (const id of new Set(seen)) {
    const logit = adjusted[id];
    if (logit !== undefined) adjusted[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
  return adjusted;
}

/** Token ids that top-k and top-p leave, most likely first, with their weights at this temperature. */
function candidates(logits: Float32Array, settings: SamplingConfig): { ids: number[]; weights: number[] } {
  let ids = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  if (settings.topK > 0) ids = ids.slice(0, settings.topK);
  const top = logits[ids[0]!]!;
  const weights = ids.map((id) => Math.exp((logits[id]! - top) / settings.temperature));
  if (settings.topP >= 1) return { ids, weights };
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let kept = 0;
  let mass = 0;
  while (kept < ids.length && (kept === 0 || mass < settings.topP * total)) mass += weights[kept++]!;
  return { ids: ids.slice(0, kept), weights: weights.slice(0, kept) };
}

/**
 * Sample one token.
 *
 * @param logits - `[V]`, borrowed and unchanged.
 * @param seen - tokens generated already in this answer; the repetition penalty is for them.
 * @param random - uniform in [0, 1); not called when greedy.
 */
export function sampleToken(
  logits: Float32Array,
  settings: SamplingConfig,
  seen: Iterable<number>,
  random: () => number,
): Sample {
  const adjusted = penalised(logits, settings.repetitionPenalty, seen);
  const tokenId = settings.temperature === 0 ? argmax(adjusted) : draw(adjusted, settings, random);
  const { logSum, entropy } = distributionOf(logits);
  return { tokenId, logProbability: logits[tokenId]! - logSum, entropy };
}

/** Of the distribution that `[V]` logits stand for, nats. */
export function entropyOf(logits: Float32Array): number {
  return distributionOf(logits).entropy;
}

/** Log of the sum of exponentials, and entropy, of `[V]` logits: one exponential each serves both. */
function distributionOf(logits: Float32Array): { readonly logSum: number; readonly entropy: number } {
  const { length } = logits;
  let max = -Infinity;
  // By index: to iterate over a typed array takes twice as long, and this is done for every head and token.
  for (let id = 0; id < length; id++) if (logits[id]! > max) max = logits[id]!;
  let sum = 0;
  let weighted = 0;
  for (let id = 0; id < length; id++) {
    const below = logits[id]! - max;
    // Beside the likeliest, e^-40 is nothing to a double, and -Infinity times 0 would be no number.
    if (below < -40) continue;
    const weight = exponentialBelow(below);
    sum += weight;
    weighted += weight * below;
  }
  return { logSum: max + Math.log(sum), entropy: Math.log(sum) - weighted / sum };
}

function draw(logits: Float32Array, settings: SamplingConfig, random: () => number): number {
  const { ids, weights } = candidates(logits, settings);
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < ids.length; i++) {
    left -= weights[i]!;
    if (left < 0) return ids[i]!;
  }
  return ids[ids.length - 1]!;
}

/** The `count` most likely tokens with their probabilities, most likely first. */
export function topTokens(
  logits: Float32Array,
  count: number,
): readonly { readonly tokenId: number; readonly probability: number }[] {
  const normaliser = logSumExp(logits);
  return Array.from(logits.keys())
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, count)
    .map((tokenId) => ({ tokenId, probability: Math.exp(logits[tokenId]! - normaliser) }));
}
