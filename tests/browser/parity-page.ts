/** Runs golden fixtures on a backend inside the page; the test imports it from there. */
import * as tf from '@tensorflow/tfjs';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { type BackendPreference, selectBackend } from '../../src/nn/backend/device.ts';
import { measureWeightError } from '../../src/nn/testing/attention-parity.ts';
import { BaseModel } from '../../src/nn/base-model/base-model.ts';
import { parseBaseConfig } from '../../src/nn/base-model/config.ts';
import { type Fixture, measureParity } from '../../src/nn/testing/fixture-parity.ts';
import { measureInPlaceError } from '../../src/nn/testing/in-place-parity.ts';
import { memoryReport } from '../../src/nn/backend/memory-report.ts';
import { measurePatchError } from '../../src/nn/testing/patch-parity.ts';
import { loadModel } from '../../src/nn/loader/load-model.ts';
import { readGgufBase } from '../../src/nn/loader/published-base.ts';
import { createFetchSource } from '../../src/nn/model-folder/fetch-source.ts';
import type { ModelSource } from '../../src/nn/model-folder/model-source.ts';
import type { BackendReport, LoadedModel } from '../../src/nn/ports.ts';
import { SafetensorsFile } from '../../src/nn/model-folder/safetensors.ts';
import { BROWSER_WASM_PATHS } from '../../src/nn/backend/wasm-paths-browser.ts';

export interface PageParity {
  readonly backend: BackendReport;
  /** Largest absolute error per fixture. */
  readonly errors: Record<string, number>;
  /** Largest absolute error of the attention weights that are read. */
  readonly weightError: number;
  /** Largest absolute error of logits behind a cache whose slots were moved and filled. */
  readonly patchError: number;
  /** Largest absolute error of what the kernels wrote into a tensor in place. */
  readonly inPlaceError: number;
  readonly leakedTensors: number;
}

async function bytesOf(name: string, file: string): Promise<ArrayBuffer> {
  const response = await fetch(`/tests/fixtures/${name}/${file}`);
  if (!response.ok) throw new Error(`${name}/${file}: ${response.status}`);
  return response.arrayBuffer();
}

export async function runParity(
  preference: BackendPreference,
  names: readonly string[],
): Promise<PageParity> {
  const backend = await selectBackend(preference, { wasmPaths: BROWSER_WASM_PATHS });
  const before = memoryReport().tensors;
  const errors: Record<string, number> = {};
  for (const name of names) {
    const fixture = JSON.parse(new TextDecoder().decode(await bytesOf(name, 'fixture.json'))) as Fixture;
    const weights = await bytesOf(name, 'weights.safetensors');
    errors[name] = await measureParity(fixture, weights, await bytesOf(name, 'io.safetensors'));
  }
  const weightError = await measureWeightError();
  const patchError = await measurePatchError();
  const inPlaceError = await measureInPlaceError();
  const leakedTensors = memoryReport().tensors - before;
  return { backend, errors, weightError, patchError, inPlaceError, leakedTensors };
}

/** Logits of so many positions are read back at once. */
const CHUNK = 64;

/**
 * The most likely next token at every position of a text, each given the text before it.
 *
 * @param folder - address that the base's files stand under.
 * @param gguf - the one file of a published base; null for a model folder of ours.
 */
export async function topTokens(
  preference: BackendPreference,
  folder: string,
  gguf: string | null,
  text: string,
  positions: number,
): Promise<readonly number[]> {
  await selectBackend(preference, { wasmPaths: BROWSER_WASM_PATHS });
  const source = createFetchSource(folder);
  const loaded = gguf === null ? await loadModel(source) : await publishedModel(source, gguf);
  const { base } = loaded;
  const ids = loaded.tokenizer.encode(text).subarray(0, positions);
  const session = base.createDecodeSession(ids.length);
  const top: number[] = [];
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.subarray(at, at + CHUNK);
    const places = Float64Array.from(chunk, (_, i) => at + i);
    const logits = await session.append(base.embed(chunk), places, 'all');
    for (let i = 0; i < chunk.length; i++)
      top.push(largest(logits, i * base.vocabularySize, base.vocabularySize));
  }
  session.dispose();
  loaded.dispose();
  return top;
}

async function publishedModel(
  source: ModelSource,
  gguf: string,
): Promise<Pick<LoadedModel, 'base' | 'tokenizer' | 'dispose'>> {
  const { config, weights, tokenizer } = await readGgufBase(source, gguf);
  const base = await BaseModel.open(config, weights);
  return {
    base,
    tokenizer,
    dispose: () => {
      base.dispose();
    },
  };
}

function largest(logits: Float32Array, from: number, count: number): number {
  let best = 0;
  for (let id = 1; id < count; id++) if (logits[from + id]! > logits[from + best]!) best = id;
  return best;
}

export interface PageRecovery {
  /** What `onDeviceLost` was told. */
  readonly reason: string;
  /** What an append that was under way on the lost device did. */
  readonly pendingAppend: 'rejected' | 'resolved';
  /** Error of the fixture on a fresh device. */
  readonly errorAfter: number;
}

/** Destroys the GPU device under a running append, then starts over on a new device. */
export async function loseDevice(name: string): Promise<PageRecovery> {
  let announce: (reason: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => (announce = resolve));
  await selectBackend('webgpu', { wasmPaths: BROWSER_WASM_PATHS, onDeviceLost: announce });
  const fixture = JSON.parse(new TextDecoder().decode(await bytesOf(name, 'fixture.json'))) as Fixture;
  const weights = await bytesOf(name, 'weights.safetensors');
  const model = await BaseModel.open(parseBaseConfig(fixture.config), SafetensorsFile.parse(weights, name));
  const session = model.createDecodeSession(8);
  const append = session.append(model.embed([1, 2, 3]), Float64Array.of(0, 1, 2), 'last');
  const backend = tf.backend();
  if (backend instanceof WebGPUBackend) backend.device.destroy();
  const pendingAppend = await append.then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  );
  const reason = await lost;
  session.dispose();
  model.dispose();
  await selectBackend('webgpu', { wasmPaths: BROWSER_WASM_PATHS });
  return {
    reason,
    pendingAppend,
    errorAfter: await measureParity(fixture, weights, await bytesOf(name, 'io.safetensors')),
  };
}
