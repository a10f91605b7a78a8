/** Kernels that write a key-value cache in place (`attention.ts` says what it holds). */
import type { HeadShape } from './attention.ts';
import type { KernelSource } from './kernel.ts';
import { RUN, RUN_STRUCT } from './run.ts';

const LANES = 64;

/** Workgroups that append so many rows. */
export function appendGroups({ heads, kvHeads, headDim }: HeadShape, rows: number): number {
  return Math.ceil((rows * (heads + 2 * kvHeads) * (headDim / 2)) / LANES);
}

/** The most rows that one dispatch appends on every device. */
export function mostAppendRows(shape: HeadShape): number {
  return Math.floor((65_535 * LANES) / ((shape.heads + 2 * shape.kvHeads) * (shape.headDim / 2)));
}

/**
 * Of `[rows, (heads + 2 · kvHeads) · headDim]` projections: queries rotated and divided by the root of headDim into `q`,
 * keys rotated and values into the cache. A lane for each two halves that are rotated together; `angles` holds their
 * cos and sin, `[rows, headDim / 2]`.
 */
export function appendKernel(shape: HeadShape, hasRope: boolean): KernelSource {
  const { heads, kvHeads, headDim } = shape;
  return {
    label: 'rope and append',
    bindings: [
      RUN,
      { name: 'qkv', kind: 'read', type: 'array<f32>' },
      { name: 'angles', kind: 'read', type: 'array<vec2f>' },
      { name: 'q', kind: 'write', type: 'array<f32>' },
      { name: 'cache', kind: 'write', type: 'array<f32>' },
    ],
    code: `${RUN_STRUCT}
const HEADS = ${heads}u;
const KV_HEADS = ${kvHeads}u;
const HEAD_DIM = ${headDim}u;
const HALF = ${headDim / 2}u;
const PAIRS = (HEADS + 2u * KV_HEADS) * HALF;
const SCALE = ${1 / Math.sqrt(headDim)};
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id : vec3u) {
  let inRun = id.x / PAIRS;
  if (inRun >= run.rows) { return; }
  let row = run.firstRow + inRun;
  let pair = id.x % PAIRS;
  let head = pair / HALF;
  let at = pair % HALF;
  let start = (row * (HEADS + 2u * KV_HEADS) + head) * HEAD_DIM + at;
  let low = qkv[start];
  let high = qkv[start + HALF];
  let angle = ${hasRope ? 'angles[row * HALF + at]' : 'vec2f(1.0, 0.0)'};
  let turned = vec2f(low * angle.x - high * angle.y, high * angle.x + low * angle.y);
  if (head < HEADS) {
    let to = (row * HEADS + head) * HEAD_DIM + at;
    q[to] = turned.x * SCALE;
    q[to + HALF] = turned.y * SCALE;
    return;
  }
  let slot = u32(i32(row) + run.shift);
  let isKey = head < HEADS + KV_HEADS;
  let kvHead = select(head - HEADS - KV_HEADS, head - HEADS, isKey);
  let to = (select(run.capacity, 0u, isKey) + slot) * KV_HEADS * HEAD_DIM + kvHead * HEAD_DIM + at;
  cache[to] = select(low, turned.x, isKey);
  cache[to + HALF] = select(high, turned.y, isKey);
}`,
  };
}

/** Workgroups on y of a move of so many slots: what is beyond is looped over. */
export function moveGroups(slots: number): number {
  return Math.min(slots, 65_535);
}

/**
 * Copies slots between a cache and `[slots, 2, kvHeads · headDim]` room: from the slots in `sources`, or into the slots
 * from the run's first row on. `RUN.rows` is how many.
 */
export function moveKernel({ kvHeads, headDim }: HeadShape, way: 'gather' | 'scatter'): KernelSource {
  const vectors = (kvHeads * headDim) / 4;
  const isGather = way === 'gather';
  return {
    label: way,
    bindings: [
      RUN,
      ...(isGather ? [{ name: 'sources', kind: 'read', type: 'array<u32>' } as const] : []),
      { name: 'cache', kind: isGather ? 'read' : 'write', type: 'array<vec4f>' },
      { name: 'room', kind: isGather ? 'write' : 'read', type: 'array<vec4f>' },
    ],
    code: `${RUN_STRUCT}
const VECTORS = ${vectors}u;
@compute @workgroup_size(${LANES})
fn main(
  @builtin(workgroup_id) group : vec3u,
  @builtin(num_workgroups) groups : vec3u,
  @builtin(local_invocation_index) lane : u32,
) {
  for (var i = group.y; i < run.rows; i += groups.y) {
    let slot = ${isGather ? 'sources[i]' : 'run.firstRow + i'};
    for (var v = lane; v < 2u * VECTORS; v += ${LANES}u) {
      let isValue = v >= VECTORS;
      let inCache = (slot + select(0u, run.capacity, isValue)) * VECTORS + v - select(0u, VECTORS, isValue);
      let inRoom = i * 2u * VECTORS + v;
      ${isGather ? 'room[inRoom] = cache[inCache];' : 'cache[inCache] = room[inRoom];'}
    }
  }
}`,
  };
}
