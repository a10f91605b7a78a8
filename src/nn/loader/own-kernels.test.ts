/** The shipped model on WASM: what runs on the project's own kernels, and that TensorFlow.js starts for the rest alone. */
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { selectBackend, startTensorFlow } from '../backend/device.ts';
import { nodeWasmPaths } from '../backend/wasm-paths-node.ts';
import { BackendError } from '../errors.ts';
import { createFileSource } from '../model-folder/file-source.ts';
import type { LensInput } from '../ports.ts';
import { randomValues } from '../testing/synthetic-weights.ts';
import { SLOT_FEATURES, type SlotView } from '../../core/context/slot-view.ts';
import { LEXICAL_FEATURES } from '../../core/lexical/history-words.ts';
import { K } from '../../core/tree/ids.ts';
import { loadModel } from './load-model.ts';

/** As TensorFlow.js has it before anything of it was started. */
const running = (): string | undefined => tf.getBackend();

it('reads, focuses and decodes without TensorFlow.js, which starts with the first net that needs it', async () => {
  await expect(startTensorFlow()).rejects.toThrow(BackendError);
  const wasmPaths = nodeWasmPaths();
  await selectBackend('wasm', { wasmPaths });
  const model = await loadModel(createFileSource(join(import.meta.dirname, '../../../models/tiny')));
  const { base, gistNet, lensNet, otherLensNets } = model;
  const d = base.hiddenSize;
  const slots = randomValues((gistNet.contextChildren + K) * d, 1);
  await gistNet.compress(1, slots, [gistNet.contextChildren]);
  const slotCount = 40;
  const view: LensInput = {
    slotCount,
    embeddings: slots.subarray(0, slotCount * d),
    blockVectors: slots.subarray(0, slotCount * d),
    features: randomValues(slotCount * SLOT_FEATURES, 2),
    lexical: randomValues(slotCount * LEXICAL_FEATURES, 3),
    tail: slots.subarray(0, 8 * d),
    tailCount: 8,
  };
  await lensNet!.score(view as SlotView);
  const session = base.createDecodeSession(8);
  await session.append(slots.subarray(0, d), Float64Array.of(0), 'last', undefined, 'mean');
  expect(running()).toBeUndefined();

  const transformer = otherLensNets.get('transformer')!;
  expect(await transformer.score(view as SlotView)).toHaveLength(slotCount);
  expect(running()).toBe('wasm');
  session.dispose();
  model.dispose();
});
