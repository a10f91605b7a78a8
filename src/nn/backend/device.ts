/**
 * Chooses the backend that networks run on, and owns the WebGPU device. Says in one sentence why it chose; never loads a
 * model. TensorFlow.js is fetched where the project's own kernels do not run everything.
 */
import { BackendError } from '../errors.ts';
import type { BackendId, BackendReport } from '../ports.ts';
import { openKernels } from './kernel-module.ts';
import { ThreadPool } from './thread-pool.ts';
import { oneThread, planThreads, type ThreadPreference } from './thread-plan.ts';
import type { WasmPaths } from './wasm-paths.ts';

export type BackendPreference = 'auto' | BackendId;

export interface BackendOptions {
  readonly wasmPaths: WasmPaths;
  /** Called once if the GPU device is lost (not by `releaseBackend`); everything on it is gone then. */
  readonly onDeviceLost?: (reason: string) => void;
  /** For the WASM kernels; one where absent. */
  readonly threads?: ThreadPreference;
  /** Called once if a thread fails while it works; from then on one does everything. */
  readonly onThreadsLost?: (reason: string) => void;
}

interface OpenAdapter {
  readonly adapter: GPUAdapter;
  readonly description: string;
  readonly isSoftware: boolean;
}

/** The backend that was started last. */
let active: BackendId | null = null;
/** Where TensorFlow.js finds its binaries on it. */
let tensorFlowPaths: WasmPaths['tfjs'] = '';
let ownedDevice: GPUDevice | null = null;
/** Takes the owned device from TensorFlow.js. */
let forgetDevice: (() => void) | null = null;
/** The WASM kernels, once the WASM backend was started; why they cannot run, where they cannot. */
let kernels: WebAssembly.Module | string | null = null;
/** Who helps with them; null for nobody. */
let pool: ThreadPool | null = null;

/** The WASM kernels, where the active backend is theirs and they run; else null, and TensorFlow.js does their work. */
export function kernelModule(): WebAssembly.Module | null {
  return active === 'wasm' && kernels instanceof WebAssembly.Module ? kernels : null;
}

/** The threads that a network's kernels may share, where there are any. */
export function kernelPool(): ThreadPool | null {
  return kernelModule() === null ? null : pool;
}

/** The device that the app owns, where WebGPU is the active backend; else null. */
export function gpuDevice(): GPUDevice | null {
  return active === 'webgpu' ? ownedDevice : null;
}

/** The backend that runs; null before one was started. */
export function activeBackend(): BackendId | null {
  return active;
}

/**
 * Start TensorFlow.js on the active backend where it does not run yet, for a network that nothing else runs.
 *
 * @throws {BackendError} if it cannot be fetched or does not start; asked again, it tries again.
 */
export async function startTensorFlow(): Promise<void> {
  if (active === null) throw new BackendError('No backend was started.');
  const failure = await tryTensorFlow(active);
  if (failure !== null) throw new BackendError(`${LABELS[active]} cannot run this network: ${failure}.`);
}

/** @returns null, or the reason why it does not run. */
async function tryTensorFlow(id: BackendId): Promise<string | null> {
  try {
    const { runTensorFlowOn } = await import('./tensor-flow.ts');
    await runTensorFlowOn(id, tensorFlowPaths);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Start a backend and make it the active one. 'auto' takes WebGPU on a real adapter, else WASM, else the
 * plain CPU; a named preference is honoured even on a software adapter.
 *
 * @throws {BackendError} if the backend asked for cannot start, or, for 'auto', if none can.
 */
export async function selectBackend(
  preference: BackendPreference,
  options: BackendOptions,
): Promise<BackendReport> {
  const wasOverridden = preference !== 'auto';
  const wantsGpu = preference === 'auto' || preference === 'webgpu';
  const found = wantsGpu ? await findAdapter() : 'WebGPU was not asked for';
  const adapter = typeof found === 'string' ? null : found;
  const report = async (id: BackendId, reason: string): Promise<BackendReport> => ({
    id,
    reason:
      id === 'wasm' && typeof kernels === 'string'
        ? `${reason} It runs without its own kernels, and slower, because ${kernels}.`
        : reason,
    adapter: adapter?.description ?? null,
    isSoftwareAdapter: adapter?.isSoftware ?? false,
    wasOverridden,
    threads: await openThreads(options),
  });

  if (preference !== 'auto') {
    const failure = await start(preference, adapter, options);
    if (failure === null)
      return report(preference, `${LABELS[preference]} runs because it was chosen by hand.`);
    const why = preference === 'webgpu' && typeof found === 'string' ? found : failure;
    throw new BackendError(`${LABELS[preference]} was chosen by hand but cannot start: ${why}.`);
  }

  const failures: string[] = [];
  if (typeof found === 'string') failures.push(found);
  else if (found.isSoftware)
    failures.push(`the WebGPU adapter (${found.description}) is a software renderer`);
  else {
    const failure = await start('webgpu', found, options);
    if (failure === null) return report('webgpu', `WebGPU runs on ${found.description}.`);
    failures.push(`WebGPU failed (${failure})`);
  }
  for (const id of ['wasm', 'cpu'] as const) {
    const failure = await start(id, null, options);
    if (failure === null) return report(id, `${LABELS[id]} runs because ${failures.join(' and ')}.`);
    failures.push(`${LABELS[id]} failed (${failure})`);
  }
  throw new BackendError(`No backend can start: ${failures.join('; ')}.`);
}

/** Give the WebGPU device back, and end the threads. Models loaded on it must have been disposed. */
export function releaseBackend(): void {
  closePool();
  const device = ownedDevice;
  ownedDevice = null;
  forgetDevice?.();
  forgetDevice = null;
  device?.destroy();
}

function closePool(): void {
  pool?.close();
  pool = null;
}

/** Threads for the backend that runs now; those of the one before are ended. @returns null where they are of no use. */
async function openThreads({
  wasmPaths,
  threads = 1,
  onThreadsLost,
}: BackendOptions): Promise<BackendReport['threads']> {
  closePool();
  if (kernelModule() === null) return null;
  const plan = planThreads(threads, processors(), canShareMemory());
  if (plan.count === 1) return plan;
  try {
    const { shared, startThread } = wasmPaths.kernels;
    const module = await openKernels(shared);
    if (typeof module === 'string') return oneThread(module);
    const opened = await ThreadPool.start({
      threads: plan.count,
      module,
      startThread,
      onLost: onThreadsLost,
    });
    if (typeof opened === 'string') return oneThread(`more could not be started (${opened})`);
    pool = opened;
    return plan;
  } catch (error) {
    return oneThread(`more could not be started (${error instanceof Error ? error.message : String(error)})`);
  }
}

function processors(): number {
  return (globalThis.navigator as Navigator | undefined)?.hardwareConcurrency ?? 1;
}

/** Node may always; a page only where it is cross-origin isolated, and else has no such buffers. */
function canShareMemory(): boolean {
  return (
    typeof SharedArrayBuffer !== 'undefined' &&
    (globalThis.crossOriginIsolated as boolean | undefined) !== false
  );
}

const LABELS = { webgpu: 'WebGPU', wasm: 'WASM', cpu: 'Plain JavaScript' } satisfies Record<
  BackendId,
  string
>;

/** Make one backend the active one; null, or the reason why not. */
async function start(
  id: BackendId,
  adapter: OpenAdapter | null,
  { wasmPaths, onDeviceLost }: BackendOptions,
): Promise<string | null> {
  tensorFlowPaths = wasmPaths.tfjs;
  try {
    if (id === 'webgpu') {
      if (adapter === null) return 'no adapter';
      await registerOwnDevice(adapter.adapter, onDeviceLost);
    }
    if (id === 'wasm') kernels = await openKernels(wasmPaths.kernels.plain);
    const runsOnKernels = id === 'wasm' && kernels instanceof WebAssembly.Module;
    const failure = runsOnKernels ? null : await tryTensorFlow(id);
    if (failure === null) active = id;
    return failure;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** An adapter with its description, or the reason why there is none. */
async function findAdapter(): Promise<OpenAdapter | string> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (gpu === undefined) return 'this environment has no WebGPU';
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter === null) return 'WebGPU offers no adapter';
    const { info } = adapter;
    const parts = [info.vendor, info.architecture, info.device, info.description];
    const description = [...new Set(parts.filter((part) => part !== ''))].join(' ') || 'an unnamed adapter';
    return { adapter, description, isSoftware: isSoftwareAdapter(info) };
  } catch (error) {
    return `WebGPU refused an adapter (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** True for CPU renderers that pose as a GPU: slower here than WASM. */
export function isSoftwareAdapter(
  info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'> & {
    readonly isFallbackAdapter?: boolean;
  },
): boolean {
  if (info.isFallbackAdapter === true) return true;
  const text = [info.vendor, info.architecture, info.device, info.description].join(' ').toLowerCase();
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/.test(text);
}

/** What the kernels use where it is there: sums across subgroups, if WGSL can say which one a lane is in. */
function featuresOf({ features }: GPUAdapter): GPUFeatureName[] {
  const language: { has(name: string): boolean } = navigator.gpu.wgslLanguageFeatures;
  return features.has('subgroups') && language.has('subgroup_id') ? ['subgroups'] : [];
}

async function registerOwnDevice(
  adapter: GPUAdapter,
  onDeviceLost: BackendOptions['onDeviceLost'],
): Promise<void> {
  const { limits } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: featuresOf(adapter),
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    },
  });
  const { registerGpuDevice, forgetGpuDevice } = await import('./tensor-flow.ts');
  releaseBackend();
  await registerGpuDevice(device, adapter.info);
  forgetDevice = forgetGpuDevice;
  ownedDevice = device;
  const lose = (reason: string): void => {
    if (ownedDevice !== device) return;
    ownedDevice = null;
    onDeviceLost?.(reason);
  };
  void device.lost.then((info) => {
    lose(info.message === '' ? info.reason : info.message);
  });
  // A buffer that could not be made reads as zeros: what is computed from then on would be wrong without a word.
  device.addEventListener('uncapturederror', ({ error }) => {
    if (error instanceof GPUOutOfMemoryError) lose(`its memory ran out: ${error.message}`);
  });
}
