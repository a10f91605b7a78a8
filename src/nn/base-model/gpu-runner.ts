/**
 * A base's layers on WebGPU, by the project's own kernels: a run of all layers is one recorded pass over buffers that
 * stay, six dispatches a layer and two behind them. Decoding a token replays one recording.
 */
import { type Run, runBytes } from '../gpu/run.ts';
import { Recorder } from '../gpu/recorder.ts';
import { storedRows } from '../model-folder/stored-rows.ts';
import type { StoredMatrix, TensorFile } from '../model-folder/tensor-file.ts';
import { PREFILL_SLOTS } from '../ports.ts';
import type { BaseConfig } from './config.ts';
import { GpuContext, normalised } from './gpu-context.ts';
import { ALL_ROWS, GpuStack, headRuns, NORM_ROWS } from './gpu-stack.ts';
import type { LayerRunner, RunningContext, TogetherRequest, TogetherResult } from './layer-runner.ts';
import { baseTensors } from './tensor-names.ts';

export { canRunOnGpu } from './gpu-stack.ts';

export class GpuRunner implements LayerRunner {
  readonly weightBytes: number;
  private readonly stack: GpuStack;
  /** `[vocabulary, d]` as the file stores it, on the CPU: a lookup needs no device. */
  private readonly embeddings: StoredMatrix;

  /**
   * @throws {WeightError} if the file does not fit the configuration, {BackendError} if the device has no room in one
   *   buffer; nothing is left behind.
   */
  constructor(
    private readonly config: BaseConfig,
    file: TensorFile,
    device: GPUDevice,
  ) {
    const { embeddings } = baseTensors(config);
    this.embeddings = file.stored(`${embeddings}.weight`, [config.vocabularySize, config.hiddenSize]);
    this.stack = new GpuStack(config, file, device);
    this.weightBytes = this.stack.weightBytes;
  }

  ready(): Promise<void> {
    return this.stack.ready();
  }

  lookUp(ids: ArrayLike<number>): Float32Array {
    const { hiddenSize } = this.config;
    const result = new Float32Array(ids.length * hiddenSize);
    for (let i = 0; i < ids.length; i++) {
      result.set(storedRows(this.embeddings, hiddenSize, ids[i]!, 1), i * hiddenSize);
    }
    return result;
  }

  createContext(capacitySlots: number): RunningContext {
    return new GpuContext(this.stack, capacitySlots);
  }

  async forwardTogether(
    contexts: readonly RunningContext[],
    { reading, ...request }: TogetherRequest,
  ): Promise<TogetherResult> {
    const own = contexts.map((context) => {
      if (context instanceof GpuContext) return context;
      throw new Error('A context of another device cannot run here.');
    });
    const { stack } = this;
    await stack.ready();
    const rows = own.length;
    const all: Run = { rows, firstRow: 0, shift: 0, capacity: 0 };
    const alone = own.map(({ length, capacitySlots }, row): Run => ({
      rows: 1,
      firstRow: row,
      shift: length - row,
      capacity: capacitySlots,
    }));
    const firstOfAlone = NORM_ROWS + 1;
    stack.put(request, [all, all, all, ...alone]);
    const recorder = new Recorder(stack.device);
    for (let i = 0; i < stack.layers.length; i++) {
      recorder.run([stack.projection(i, ALL_ROWS, rows)]);
      own.forEach((context, row) => {
        const run = firstOfAlone + row;
        recorder.run([context.append(i, run, 1), context.attend(i, run, 1)]);
        if (reading !== undefined) recorder.run(context.read(i, run, reading));
      });
      recorder.run(stack.finish(i, ALL_ROWS, rows));
    }
    recorder.run([stack.normStep(rows)]);
    const values = rows * this.config.hiddenSize;
    const slots = own.map(({ length }) => (reading === undefined ? 0 : length + 1));
    const ends = slots.map((_, i) => slots.slice(0, i + 1).reduce((sum, count) => sum + count, values));
    const total = ends.at(-1) ?? values;
    const back = stack.buffers.readback(total * 4);
    recorder.copy(stack.room.normed, 0, back, 0, values * 4);
    if (reading !== undefined) {
      own.forEach((context, row) => {
        const at = (ends[row]! - slots[row]!) * 4;
        context.recordFold(recorder, firstOfAlone + row, reading, { back, at, slots: slots[row]! });
      });
    }
    recorder.submit();
    const read = await stack.buffers.read(back, total);
    if (reading === undefined) return { hidden: read, attention: null };
    const attention = own.map((_, row) => normalised(read.subarray(ends[row]! - slots[row]!, ends[row])));
    return { hidden: read.slice(0, values), attention };
  }

  async logitsOf(hidden: Float32Array): Promise<Float32Array> {
    const { stack } = this;
    await stack.ready();
    const { hiddenSize, vocabularySize } = this.config;
    const rows = hidden.length / hiddenSize;
    const result = new Float32Array(rows * vocabularySize);
    for (let first = 0; first < rows; first += PREFILL_SLOTS) {
      const count = Math.min(PREFILL_SLOTS, rows - first);
      const none: Run = { rows: 0, firstRow: 0, shift: 0, capacity: 0 };
      stack.buffers.write(stack.room.runs, runBytes([none, none, none, ...headRuns(count)]));
      stack.buffers.write(
        stack.room.normed,
        hidden.subarray(first * hiddenSize, (first + count) * hiddenSize),
      );
      const recorder = new Recorder(stack.device);
      const back = stack.buffers.readback(count * vocabularySize * 4);
      stack.recordHead(recorder, back, count);
      recorder.submit();
      result.set(await stack.buffers.read(back, count * vocabularySize), first * vocabularySize);
    }
    return result;
  }

  dispose(): void {
    this.stack.dispose();
  }
}
