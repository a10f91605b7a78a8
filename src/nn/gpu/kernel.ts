/** Kernels in WGSL: what one binds, how it is compiled, and how a list of them becomes one pass. */
import { BackendError } from '../errors.ts';

export interface KernelBinding {
  readonly name: string;
  /** `run` is the `Run` that all kernels share (`run.ts`). */
  readonly kind: 'run' | 'read' | 'write';
  /** WGSL's type. */
  readonly type: string;
}

export interface KernelSource {
  /** What it does, for people: `attention`. */
  readonly label: string;
  /** Numbered as they stand here. */
  readonly bindings: readonly KernelBinding[];
  /** Without the declarations of the bindings. */
  readonly code: string;
  /** Whether it sums across subgroups. */
  readonly usesSubgroups?: boolean;
}

/** A kernel on a device. Kernels with alike bindings share their layout, and so their bind groups. */
export interface Kernel {
  readonly source: KernelSource;
  readonly layout: GPUBindGroupLayout;
  /** Null until it is compiled. */
  pipeline: GPUComputePipeline | null;
}

/** One dispatch of a recorded pass. */
export interface Step {
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  /** Which `Run` it reads. */
  readonly run: number;
  readonly x: number;
  readonly y: number;
}

const COMPUTE_STAGE = 0x4;
const BUFFER_TYPES = { run: 'uniform', read: 'read-only-storage', write: 'storage' } as const;
const VARIABLES = { run: 'uniform', read: 'storage, read', write: 'storage, read_write' } as const;
/** Bytes from one `Run` to the next: the offset that every device takes. */
export const RUN_STRIDE_BYTES = 256;

/** WGSL of what the kernels bind. */
function declarations(bindings: readonly KernelBinding[]): string {
  return bindings
    .map(({ name, kind, type }, at) => `@group(0) @binding(${at}) var<${VARIABLES[kind]}> ${name} : ${type};`)
    .join('\n');
}

/** What comes first in a kernel that sums across subgroups: its loops run alike for all lanes of one. */
const SUBGROUP_LINES = 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n';

/** Compiles kernels, all at once, each only once. */
export class KernelSet {
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  private readonly kernels = new Map<string, Kernel>();
  private readonly compiling: Promise<void>[] = [];

  constructor(
    private readonly device: GPUDevice,
    /** Whether kernels may sum across subgroups, as the device then must. */
    readonly hasSubgroups = device.features.has('subgroups'),
  ) {}

  /** The kernel, which begins to be compiled. */
  take(source: KernelSource): Kernel {
    const first = source.usesSubgroups === true ? SUBGROUP_LINES : '';
    const text = `${first}${declarations(source.bindings)}\n${source.code}`;
    const known = this.kernels.get(text);
    if (known !== undefined) return known;
    const kernel: Kernel = { source, layout: this.layoutOf(source.bindings), pipeline: null };
    this.kernels.set(text, kernel);
    const compiled = this.compile(kernel, text);
    // Heard of in `ready`; it may fail before anybody waits.
    compiled.catch(() => undefined);
    this.compiling.push(compiled);
    return kernel;
  }

  /** Wait for every kernel taken so far. @throws {BackendError} if the device refuses one, with what it says. */
  async ready(): Promise<void> {
    await Promise.all(this.compiling);
  }

  /** @param buffers - by the names of the bindings; a pair is a buffer with the byte from which on it is bound. */
  bind(
    { source, layout }: Kernel,
    buffers: Readonly<Record<string, GPUBuffer | readonly [GPUBuffer, number]>>,
  ): GPUBindGroup {
    const entries = source.bindings.map(({ name, kind }, binding): GPUBindGroupEntry => {
      const given = buffers[name];
      if (given === undefined) throw new Error(`${source.label}: nothing is bound to ${name}.`);
      const [buffer, offset] = 'size' in given ? [given, 0] : given;
      const resource = kind === 'run' ? { buffer, size: RUN_STRIDE_BYTES } : { buffer, offset };
      return { binding, resource };
    });
    return this.device.createBindGroup({ label: source.label, layout, entries });
  }

  private async compile(kernel: Kernel, code: string): Promise<void> {
    const { device } = this;
    const { label } = kernel.source;
    const layout = device.createPipelineLayout({ bindGroupLayouts: [kernel.layout] });
    const module = device.createShaderModule({ label, code });
    try {
      const compute = { module, entryPoint: 'main' };
      kernel.pipeline = await device.createComputePipelineAsync({ label, layout, compute });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const said = messages.map(({ message, lineNum }) => `line ${lineNum}: ${message}`);
      throw new BackendError([`${label}: ${String(error)}`, ...said].join('; '));
    }
  }

  private layoutOf(bindings: readonly KernelBinding[]): GPUBindGroupLayout {
    const key = bindings.map(({ kind }) => kind).join(' ');
    const known = this.layouts.get(key);
    if (known !== undefined) return known;
    const entries = bindings.map(({ kind }, binding): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: COMPUTE_STAGE,
      buffer: { type: BUFFER_TYPES[kind], hasDynamicOffset: kind === 'run' },
    }));
    const layout = this.device.createBindGroupLayout({ entries });
    this.layouts.set(key, layout);
    return layout;
  }
}

/** Record dispatches into a pass; each reads what those before it wrote. */
export function record(pass: GPUComputePassEncoder, steps: readonly Step[]): void {
  for (const { kernel, group, run, x, y } of steps) {
    pass.setPipeline(kernel.pipeline!);
    pass.setBindGroup(0, group, [run * RUN_STRIDE_BYTES]);
    pass.dispatchWorkgroups(x, y);
  }
}
