/** What of WebGPU is measured in the page: kernels one by one, dispatches a token. */
import { selectBackend, gpuDevice } from '../../src/nn/backend/device.ts';
import { memoryReport } from '../../src/nn/backend/memory-report.ts';
import { BROWSER_WASM_PATHS } from '../../src/nn/backend/wasm-paths-browser.ts';
import { BaseModel } from '../../src/nn/base-model/base-model.ts';
import { loadModel } from '../../src/nn/loader/load-model.ts';
import { createFetchSource } from '../../src/nn/model-folder/fetch-source.ts';
import { measureGpuKernels } from '../../src/nn/testing/gpu-kernel-parity.ts';
import { measureRunnerErrors } from '../../src/nn/testing/runner-parity.ts';
import { syntheticBase, syntheticConfig } from '../../src/nn/testing/synthetic-weights.ts';

export interface KernelErrors {
  /** Whether the device sums across subgroups. */
  readonly hasSubgroups: boolean;
  readonly errors: Readonly<Record<string, number>>;
  /** Of the same kernels where they may not. */
  readonly errorsWithout: Readonly<Record<string, number>>;
  readonly leakedBuffers: number;
}

export async function kernelErrors(): Promise<KernelErrors> {
  await selectBackend('webgpu', { wasmPaths: BROWSER_WASM_PATHS });
  const before = memoryReport().buffers;
  const device = gpuDevice()!;
  const hasSubgroups = device.features.has('subgroups');
  const errors = await measureGpuKernels(device, hasSubgroups);
  const errorsWithout = await measureGpuKernels(device, false);
  return { hasSubgroups, errors, errorsWithout, leakedBuffers: memoryReport().buffers - before };
}

export interface DispatchCount {
  readonly layers: number;
  /** Dispatches, passes and submits of each token behind the first. */
  readonly tokens: readonly {
    readonly dispatches: number;
    readonly passes: number;
    readonly submits: number;
  }[];
  /** Of all the tokens that are decoded greedily in one call. */
  readonly greedy: { readonly dispatches: number; readonly passes: number; readonly submits: number };
  readonly greedyTokens: readonly number[];
  /** Decoded one by one, the largest logit each. */
  readonly likeliestTokens: readonly number[];
  readonly leakedBuffers: number;
}

const GREEDY_TOKENS = 4;

/** Decodes a few tokens on the shipped base and counts what each asks of the device. */
export async function countDispatches(folder: string): Promise<DispatchCount> {
  await selectBackend('webgpu', { wasmPaths: BROWSER_WASM_PATHS });
  const before = memoryReport().buffers;
  const counted = await decodeAndCount(folder);
  return { ...counted, leakedBuffers: memoryReport().buffers - before };
}

async function decodeAndCount(folder: string): Promise<Omit<DispatchCount, 'leakedBuffers'>> {
  const model = await loadModel(createFetchSource(folder));
  const { base } = model;
  const session = base.createDecodeSession(64);
  const prompt = Uint32Array.from({ length: 20 }, (_, i) => i + 40);
  const count = { dispatches: 0, passes: 0, submits: 0 };
  const undo = [
    counting(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', () => count.dispatches++),
    counting(GPUCommandEncoder.prototype, 'beginComputePass', () => count.passes++),
    counting(GPUQueue.prototype, 'submit', () => count.submits++),
  ];
  const tokens: (typeof count)[] = [];
  const likeliestTokens: number[] = [];
  const counted = async <T>(work: () => Promise<T>): Promise<[T, typeof count]> => {
    Object.assign(count, { dispatches: 0, passes: 0, submits: 0 });
    return [await work(), { ...count }];
  };
  try {
    await session.append(base.embed(prompt), Float64Array.from(prompt.keys()), 0);
    const places = Float64Array.from({ length: GREEDY_TOKENS }, (_, i) => prompt.length + i);
    let next = 7;
    for (const place of places) {
      const [logits, asked] = await counted(() =>
        session.append(base.embed([next]), Float64Array.of(place), 'last'),
      );
      tokens.push(asked);
      next = logits.indexOf(logits.reduce((best, logit) => Math.max(best, logit)));
      likeliestTokens.push(next);
    }
    session.truncate(prompt.length);
    const [choices, greedy] = await counted(() => session.greedy!.append(base.embed([7]), places));
    return {
      layers: base.layers,
      tokens,
      greedy,
      greedyTokens: choices.map(({ tokenId }) => tokenId),
      likeliestTokens,
    };
  } finally {
    for (const restore of undo) restore();
    session.dispose();
    model.dispose();
  }
}

/** @returns what puts the method back. */
function counting<T extends object>(prototype: T, name: keyof T, count: () => void): () => void {
  const original = prototype[name] as (...parameters: unknown[]) => unknown;
  Object.assign(prototype, {
    [name](this: T, ...parameters: unknown[]) {
      count();
      return original.apply(this, parameters);
    },
  });
  return () => {
    Object.assign(prototype, { [name]: original });
  };
}

export interface RefusedKernels {
  /** What the base says of a device that takes its kernels, and of one that does not. */
  readonly compromises: readonly (string | null)[];
  /** Largest absolute errors between the two. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Runs a base once on the project's own kernels and once on a device that refuses them. */
export async function refuseKernels(): Promise<RefusedKernels> {
  await selectBackend('webgpu', { wasmPaths: BROWSER_WASM_PATHS });
  const config = syntheticConfig({
    vocab_size: 70,
    hidden_size: 36,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 12,
    intermediate_size: 44,
    no_rope_layers: [1, 0],
  });
  const own = await BaseModel.open(config, syntheticBase(config));
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back as it was, not called
  const { createComputePipelineAsync } = GPUDevice.prototype;
  GPUDevice.prototype.createComputePipelineAsync = () => Promise.reject(new Error('no kernels today'));
  const plain = await BaseModel.open(config, syntheticBase(config)).finally(() => {
    GPUDevice.prototype.createComputePipelineAsync = createComputePipelineAsync;
  });
  try {
    const errors = await measureRunnerErrors(own, plain);
    return { compromises: [own.compromise, plain.compromise], errors };
  } finally {
    own.dispose();
    plain.dispose();
  }
}
