/** Puts passes and copies into one command buffer; kernels that follow each other share a pass. */
import { record, type Step } from './kernel.ts';

export class Recorder {
  private readonly encoder: GPUCommandEncoder;
  private pass: GPUComputePassEncoder | null = null;

  constructor(private readonly device: GPUDevice) {
    this.encoder = device.createCommandEncoder();
  }

  run(steps: readonly Step[]): void {
    this.pass ??= this.encoder.beginComputePass();
    record(this.pass, steps);
  }

  /** Bytes, behind what was recorded so far. */
  copy(source: GPUBuffer, sourceByte: number, target: GPUBuffer, targetByte: number, bytes: number): void {
    this.endPass();
    this.encoder.copyBufferToBuffer(source, sourceByte, target, targetByte, bytes);
  }

  submit(): void {
    this.endPass();
    this.device.queue.submit([this.encoder.finish()]);
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = null;
  }
}
