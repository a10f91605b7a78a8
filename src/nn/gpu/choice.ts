/**
 * Picks the most likely token on the device and looks its embedding up for the next row, so that several tokens are
 * decoded before anybody reads one. Two dispatches a token: parts of the vocabulary, then all of it.
 */
import type { FirstChoice } from '../ports.ts';
import type { KernelSource } from './kernel.ts';
import { weightBindings, weightCode, type WeightFormat } from './matrix.ts';
import { RUN, RUN_STRUCT } from './run.ts';

/** Words of a choice, and of what is known of a part: see `readChoices`. */
export const CHOICE_WORDS = 4;
/** Logits of a workgroup. */
const PART_LOGITS = 2048;
const LANES = 64;

export function choiceParts(vocabularySize: number): number {
  return Math.ceil(vocabularySize / PART_LOGITS);
}

/**
 * Of each part of `[vocabulary]` logits the highest, its token (the lowest of equals), and with w = exp(logit - highest)
 * the sums of w and of w · (logit - highest).
 */
export function partsKernel(vocabularySize: number): KernelSource {
  return {
    label: 'likeliest of a part',
    bindings: [
      RUN,
      { name: 'logits', kind: 'read', type: 'array<f32>' },
      { name: 'parts', kind: 'write', type: 'array<vec4u>' },
    ],
    code: `${RUN_STRUCT}
var<workgroup> tops : array<f32, ${LANES}>;
var<workgroup> ids : array<u32, ${LANES}>;
var<workgroup> sums : array<vec2f, ${LANES}>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group : vec3u, @builtin(local_invocation_index) lane : u32) {
  let begin = group.x * ${PART_LOGITS}u;
  let end = min(begin + ${PART_LOGITS}u, ${vocabularySize}u);
  var top = -3.0e38;
  var id = begin;
  for (var i = begin + lane; i < end; i += ${LANES}u) {
    if (logits[i] > top) { top = logits[i]; id = i; }
  }
  tops[lane] = top;
  ids[lane] = id;
  workgroupBarrier();
  for (var other = 0u; other < ${LANES}u; other++) {
    if (tops[other] > top || (tops[other] == top && ids[other] < id)) { top = tops[other]; id = ids[other]; }
  }
  var sum = vec2f();
  for (var i = begin + lane; i < end; i += ${LANES}u) {
    let below = logits[i] - top;
    sum += exp(below) * vec2f(1.0, below);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane > 0u) { return; }
  for (var other = 1u; other < ${LANES}u; other++) { sum += sums[other]; }
  parts[group.x] = vec4u(bitcast<u32>(top), id, bitcast<u32>(sum.x), bitcast<u32>(sum.y));
}`,
  };
}

/**
 * One workgroup: the choice of a row into `choices`, at the row's place, and its embedding from the table into the row
 * behind it.
 *
 * @param format - of the embeddings.
 */
export function choiceKernel(vocabularySize: number, hiddenSize: number, format: WeightFormat): KernelSource {
  return {
    label: 'likeliest and embedding',
    bindings: [
      RUN,
      { name: 'parts', kind: 'read', type: 'array<vec4u>' },
      ...weightBindings(format),
      { name: 'x', kind: 'write', type: 'array<vec4f>' },
      { name: 'choices', kind: 'write', type: 'array<vec4u>' },
    ],
    code: `${RUN_STRUCT}
${weightCode(format, hiddenSize)}
@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane : u32) {
  var top = -3.0e38;
  var id = 0u;
  for (var part = 0u; part < ${choiceParts(vocabularySize)}u; part++) {
    let highest = bitcast<f32>(parts[part].x);
    if (highest > top) { top = highest; id = parts[part].y; }
  }
  for (var v = lane; v < INPUTS4; v += ${LANES}u) {
    x[(run.firstRow + 1u) * INPUTS4 + v] = weightAt(id, v);
  }
  if (lane > 0u) { return; }
  var sum = vec2f();
  for (var part = 0u; part < ${choiceParts(vocabularySize)}u; part++) {
    let below = bitcast<f32>(parts[part].x) - top;
    let own = vec2f(bitcast<f32>(parts[part].z), bitcast<f32>(parts[part].w));
    sum += exp(below) * vec2f(own.x, own.y + own.x * below);
  }
  choices[run.firstRow] = vec4u(id, bitcast<u32>(sum.x), bitcast<u32>(sum.y), 0u);
}`,
  };
}

/** @param words - `CHOICE_WORDS` a choice, as the device wrote them. */
export function readChoices(words: Float32Array): readonly FirstChoice[] {
  const ids = new Uint32Array(words.buffer, words.byteOffset, words.length);
  return Array.from({ length: words.length / CHOICE_WORDS }, (_, i) => {
    const at = i * CHOICE_WORDS;
    const [sum, weighted] = [words[at + 1]!, words[at + 2]!];
    return { tokenId: ids[at]!, logProbability: -Math.log(sum), entropy: Math.log(sum) - weighted / sum };
  });
}
