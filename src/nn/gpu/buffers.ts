/** Buffers of one network on a WebGPU device, and the way of results back. */
import { BackendError } from '../errors.ts';

/** What all networks hold, for those that look for leaks; like `tf.memory()`, of the whole worker. */
export const gpuUse = { buffers: 0, bytes: 0 };

const STORAGE =
  // The numbers of `GPUBufferUsage`, which only environments with WebGPU have: STORAGE, COPY_SRC, COPY_DST.
  0x80 | 0x4 | 0x8;
const UNIFORM = 0x40 | 0x8;
const READBACK = 0x1 | 0x8;
const MAP_READ = 0x1;
const SMALLEST_READBACK_BYTES = 4096;
const LARGEST_KEPT_BYTES = 2 ** 22;

export class GpuBuffers {
  private readonly owned = new Set<GPUBuffer>();
  /** Free ones by their size. */
  private readonly readbacks = new Map<number, GPUBuffer[]>();

  constructor(readonly device: GPUDevice) {}

  /** Zeros. @throws {BackendError} if the device binds no buffer of that size. */
  storage(bytes: number): GPUBuffer {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > most) {
      throw new BackendError(
        `A buffer of ${megabytes(bytes)} is needed, and this graphics card takes no more than ${megabytes(most)} in one.`,
      );
    }
    return this.create(bytes, STORAGE);
  }

  /** Holds the bytes of `values`, padded to whole words. @throws as `storage`. */
  filled(values: ArrayBufferView): GPUBuffer {
    const buffer = this.storage(values.byteLength);
    this.write(buffer, values);
    return buffer;
  }

  uniform(bytes: number): GPUBuffer {
    return this.create(bytes, UNIFORM);
  }

  /** Write to the front of a buffer, behind all that was submitted. */
  write(buffer: GPUBuffer, values: ArrayBufferView, at = 0): void {
    const { buffer: bytes, byteOffset, byteLength } = values;
    const whole = byteLength - (byteLength % 4);
    this.device.queue.writeBuffer(buffer, at, bytes, byteOffset, whole);
    if (whole === byteLength) return;
    const rest = new Uint8Array(4);
    rest.set(new Uint8Array(bytes, byteOffset + whole, byteLength - whole));
    this.device.queue.writeBuffer(buffer, at + whole, rest);
  }

  /** A buffer to copy results into, of at least that size; `read` gives it back. */
  readback(bytes: number): GPUBuffer {
    const size = 2 ** Math.ceil(Math.log2(Math.max(bytes, SMALLEST_READBACK_BYTES)));
    return this.readbacks.get(size)?.pop() ?? this.create(size, READBACK);
  }

  /**
   * @param count - of float32 at its front.
   * @returns a copy of what a submitted command put there. @throws if the device is lost meanwhile.
   */
  async read(buffer: GPUBuffer, count: number): Promise<Float32Array<ArrayBuffer>> {
    await buffer.mapAsync(MAP_READ, 0, count * 4);
    const values = new Float32Array(buffer.getMappedRange(0, count * 4).slice(0));
    buffer.unmap();
    this.keep(buffer);
    return values;
  }

  free(buffer: GPUBuffer): void {
    if (!this.owned.delete(buffer)) return;
    gpuUse.buffers--;
    gpuUse.bytes -= buffer.size;
    buffer.destroy();
  }

  dispose(): void {
    for (const buffer of this.owned) this.free(buffer);
    this.readbacks.clear();
  }

  /** One of each size for the next result; a long prefill's is too large to wait for another. */
  private keep(buffer: GPUBuffer): void {
    if (!this.owned.has(buffer)) return;
    const free = this.readbacks.get(buffer.size);
    if (buffer.size > LARGEST_KEPT_BYTES || (free?.length ?? 0) > 0) this.free(buffer);
    else if (free === undefined) this.readbacks.set(buffer.size, [buffer]);
    else free.push(buffer);
  }

  private create(bytes: number, usage: number): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const buffer = this.device.createBuffer({ size, usage });
    this.owned.add(buffer);
    gpuUse.buffers++;
    gpuUse.bytes += size;
    return buffer;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
