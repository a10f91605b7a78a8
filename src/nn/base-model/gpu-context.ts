/** A key-value cache of fixed capacity on a WebGPU device, written in place, and the passes over it. */
import { QUERY_TILE, readingStride } from '../gpu/attention.ts';
import { moveGroups } from '../gpu/cache.ts';
import { CHOICE_WORDS, readChoices } from '../gpu/choice.ts';
import type { Step } from '../gpu/kernel.ts';
import { Recorder } from '../gpu/recorder.ts';
import { type Run, runBytes } from '../gpu/run.ts';
import type { AttentionReading } from '../../core/parameters/measurement.ts';
import { ALL_ROWS, type GpuStack, FIRST_FREE_RUN, headRuns, NORM_ROWS, WANTED_ROWS } from './gpu-stack.ts';
import type { FirstChoice } from '../ports.ts';
import type { ForwardRequest, ForwardResult, RunningContext } from './layer-runner.ts';

/** A layer's cache, with what binds it. */
interface CachedLayer {
  /** `[2, capacity, kvHeads · headDim]`: keys, then values. */
  readonly cache: GPUBuffer;
  readonly append: GPUBindGroup;
  readonly attend: GPUBindGroup;
}

/** Where the weights of attention go while they are read. */
interface ReadingRoom {
  /** `[layers, heads, stride]` */
  readonly weights: GPUBuffer;
  readonly folded: GPUBuffer;
}

export class GpuContext implements RunningContext {
  length = 0;
  private readonly layers: CachedLayer[] = [];
  /** All that is dispatched for one more slot whose logits are wanted: the same for every token. */
  private readonly decodeSteps: readonly Step[];
  private readingRoom: ReadingRoom | null = null;
  private sources: GPUBuffer | null = null;

  /** @throws {BackendError} if a layer's cache is too large for one buffer; nothing stays allocated then. */
  constructor(
    private readonly stack: GpuStack,
    readonly capacitySlots: number,
  ) {
    const { buffers, kernels, room, config } = stack;
    const bytes = 2 * capacitySlots * config.kvHeads * config.headDim * 4;
    for (const { append } of stack.layers) {
      const cache = buffers.storage(bytes);
      const { runs: run, qkv, angles, q, mixed } = room;
      this.layers.push({
        cache,
        append: kernels.bind(append, { run, qkv, angles, q, cache }),
        attend: kernels.bind(stack.attention.single, { run, q, cache, out: mixed }),
      });
    }
    this.decodeSteps = this.stepsOf(1, 1);
  }

  async forward(request: ForwardRequest): Promise<ForwardResult> {
    const { stack, capacitySlots, length } = this;
    const { wanted, reading, positions } = request;
    await stack.ready();
    const rows = positions.length;
    const vocabulary = stack.config.vocabularySize;
    const all: Run = { rows, firstRow: 0, shift: length, capacity: capacitySlots };
    const ofWanted: Run = { ...all, rows: wanted, firstRow: rows - wanted };
    stack.put(request, [all, ofWanted, { ...ofWanted, outRow: 0 }, ...headRuns(wanted)]);
    const recorder = new Recorder(stack.device);
    const isRead = reading !== undefined && wanted > 0;
    const isDecode = rows === 1 && wanted === 1 && !isRead;
    recorder.run(isDecode ? this.decodeSteps : this.stepsOf(rows, wanted, isRead ? reading : null));
    if (wanted === 0) {
      recorder.submit();
      // Nobody waits for a result, but a long prefill must not run ahead of what stops it.
      await stack.device.queue.onSubmittedWorkDone();
      return { logits: new Float32Array(0), attention: null };
    }
    const slots = length + rows;
    const logits = wanted * vocabulary;
    const values = logits + (isRead ? slots : 0);
    const back = stack.buffers.readback(values * 4);
    stack.recordHead(recorder, back, wanted);
    if (isRead) this.recordFold(recorder, ALL_ROWS, reading, { back, at: logits * 4, slots });
    recorder.submit();
    const read = await stack.buffers.read(back, values);
    return isRead
      ? { logits: read.slice(0, logits), attention: normalised(read.subarray(logits)) }
      : { logits: read, attention: null };
  }

  /** Each row holds the choice after the one before it; nothing is read before all of them have run. */
  async choose({
    embeddings,
    positions,
    deviations,
  }: Pick<ForwardRequest, 'embeddings' | 'positions' | 'deviations'>): Promise<readonly FirstChoice[]> {
    const { stack, length, capacitySlots } = this;
    await stack.ready();
    const slots = positions.length;
    const rows = Array.from({ length: slots }, (_, row): Run => ({
      rows: 1,
      firstRow: row,
      shift: length,
      capacity: capacitySlots,
    }));
    const head = headRuns(1);
    const unused = rows[0]!;
    stack.put({ embeddings, positions, deviations }, [
      ...[unused, unused, unused, ...head],
      ...rows,
      ...rows.map((run) => ({ ...run, outRow: 0 })),
    ]);
    const recorder = new Recorder(stack.device);
    for (let row = 0; row < slots; row++) {
      const run = FIRST_FREE_RUN + row;
      const norm = { ...stack.normStep(1), run: run + slots };
      recorder.run(this.decodeSteps.map((step) => (step.run === NORM_ROWS ? norm : { ...step, run })));
      recorder.run(stack.chooseSteps(run));
    }
    const words = slots * CHOICE_WORDS;
    const back = stack.buffers.readback(words * 4);
    recorder.copy(stack.room.choices, 0, back, 0, words * 4);
    recorder.submit();
    return readChoices(await stack.buffers.read(back, words));
  }

  async forwardForHeads(request: Pick<ForwardRequest, 'embeddings' | 'positions'>): Promise<Float32Array> {
    const { stack, length, capacitySlots } = this;
    await stack.ready();
    const { heads, kvHeads, headDim } = stack.config;
    const rows = request.positions.length;
    const keyBytes = rows * kvHeads * headDim * 4;
    const queryBytes = rows * heads * headDim * 4;
    const bytes = this.layers.length * (keyBytes + queryBytes);
    const back = stack.buffers.readback(bytes);
    stack.put(request, [{ rows, firstRow: 0, shift: length, capacity: capacitySlots }]);
    const recorder = new Recorder(stack.device);
    let at = 0;
    this.layers.forEach(({ cache }, i) => {
      recorder.run([stack.projection(i, ALL_ROWS, rows), this.append(i, ALL_ROWS, rows)]);
      recorder.copy(cache, length * kvHeads * headDim * 4, back, at, keyBytes);
      recorder.copy(stack.room.q, 0, back, at + keyBytes, queryBytes);
      at += keyBytes + queryBytes;
      if (i === this.layers.length - 1) return;
      recorder.run([this.attend(i, ALL_ROWS, rows), ...stack.finish(i, ALL_ROWS, rows)]);
    });
    recorder.submit();
    return stack.buffers.read(back, bytes / 4);
  }

  copySlots(other: RunningContext, first: number, count: number): void {
    if (!(other instanceof GpuContext))
      throw new Error('A context of another device has no slots for this one.');
    const { config, device } = this.stack;
    const slotBytes = config.kvHeads * config.headDim * 4;
    const recorder = new Recorder(device);
    this.layers.forEach(({ cache }, i) => {
      const source = other.layers[i]!.cache;
      for (const [from, to] of [
        [first, first],
        [other.capacitySlots + first, this.capacitySlots + first],
      ] as const) {
        recorder.copy(source, from * slotBytes, cache, to * slotBytes, count * slotBytes);
      }
    });
    recorder.submit();
  }

  moveSlots(first: number, sources: Int32Array): void {
    if (sources.length === 0) return;
    const { buffers, kernels, room, moves, config, device } = this.stack;
    const count = sources.length;
    const run: Run = { rows: count, firstRow: first, shift: 0, capacity: this.capacitySlots };
    this.sources ??= buffers.storage(this.capacitySlots * 4);
    buffers.write(this.sources, sources);
    buffers.write(room.runs, runBytes([run]));
    const moved = buffers.storage(2 * count * config.kvHeads * config.headDim * 4);
    const recorder = new Recorder(device);
    for (const { cache } of this.layers) {
      const bound = { run: room.runs, cache, room: moved, sources: this.sources };
      const steps = [moves.gather, moves.scatter].map((kernel) => ({
        kernel,
        group: kernels.bind(kernel, bound),
        run: ALL_ROWS,
        x: 1,
        y: moveGroups(count),
      }));
      recorder.run(steps);
    }
    recorder.submit();
    buffers.free(moved);
  }

  dispose(): void {
    const { buffers } = this.stack;
    for (const { cache } of this.layers) buffers.free(cache);
    if (this.sources !== null) buffers.free(this.sources);
    if (this.readingRoom !== null) {
      buffers.free(this.readingRoom.weights);
      buffers.free(this.readingRoom.folded);
    }
  }

  /** RoPE, and keys and values into the cache. */
  append(layer: number, run: number, rows: number): Step {
    const kernel = this.stack.layers[layer]!.append;
    return { kernel, group: this.layers[layer]!.append, run, x: this.stack.appendGroups(rows), y: 1 };
  }

  attend(layer: number, run: number, rows: number): Step {
    const { single, tiled } = this.stack.attention;
    const { heads } = this.stack.config;
    const group = this.layers[layer]!.attend;
    return rows < QUERY_TILE
      ? { kernel: single, group, run, x: rows, y: heads }
      : { kernel: tiled, group, run, x: Math.ceil(rows / QUERY_TILE), y: heads };
  }

  /** The attention of a run's last row in one layer, to its place among those of all that count; none where it does not. */
  read(layer: number, run: number, reading: AttentionReading): readonly Step[] {
    const { kernels, room, config, reading: kernel } = this.stack;
    const isLast = reading === 'last-layer';
    if (isLast && layer < this.layers.length - 1) return [];
    const at = (isLast ? 0 : layer) * config.heads * readingStride(this.capacitySlots) * 4;
    const { cache } = this.layers[layer]!;
    const bound = { run: room.runs, q: room.q, cache, out: [this.roomForReading().weights, at] } as const;
    return [{ kernel, group: kernels.bind(kernel, bound), run, x: config.heads, y: 1 }];
  }

  /** What was read so, as one number a slot that does not sum to 1 yet: to a byte of `back`. */
  recordFold(
    recorder: Recorder,
    run: number,
    reading: AttentionReading,
    to: { readonly back: GPUBuffer; readonly at: number; readonly slots: number },
  ): void {
    const { weights, folded } = this.roomForReading();
    recorder.run([this.stack.foldStep(reading, run, weights, folded, to.slots)]);
    recorder.copy(folded, 0, to.back, to.at, to.slots * 4);
  }

  /** Six dispatches a layer, one more where attention is read, and the norm behind them. */
  private stepsOf(rows: number, wanted: number, reading: AttentionReading | null = null): readonly Step[] {
    const { stack } = this;
    const top = this.layers.length - 1;
    const steps: Step[] = [];
    for (let i = 0; i <= top; i++) {
      steps.push(stack.projection(i, ALL_ROWS, rows), this.append(i, ALL_ROWS, rows));
      // The top layer computes nothing but keys and values for rows that are not wanted.
      const [run, count] = i < top ? [ALL_ROWS, rows] : [WANTED_ROWS, wanted];
      if (count === 0) return steps;
      if (reading !== null) steps.push(...this.read(i, ALL_ROWS, reading));
      steps.push(this.attend(i, run, count), ...stack.finish(i, run, count));
    }
    steps.push(stack.normStep(wanted));
    return steps;
  }

  private roomForReading(): ReadingRoom {
    const { buffers, config } = this.stack;
    const stride = readingStride(this.capacitySlots);
    this.readingRoom ??= {
      weights: buffers.storage(config.layers * config.heads * stride * 4),
      folded: buffers.storage(stride * 4),
    };
    return this.readingRoom;
  }
}

/** A copy that sums to 1. */
export function normalised(weights: Float32Array): Float32Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
