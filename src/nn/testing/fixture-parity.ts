/**
 * Runs one golden fixture of `tests/fixtures/` on the active backend and measures how far it is from
 * PyTorch. Shared by the tests under Node and in the browser.
 */
import { K } from '../../core/tree/ids.ts';
import { BaseModel } from '../base-model/base-model.ts';
import { parseBaseConfig } from '../base-model/config.ts';
import { createGistNet } from '../gist-net/gist-net.ts';
import { createLensNet } from '../lens-net/lens-net.ts';
import type { HeadStatistics } from '../../core/heads/router.ts';
import type { SlotView } from '../../core/context/slot-view.ts';
import { createFocusHeads } from '../loader/focus-heads.ts';
import type { LensInput } from '../ports.ts';
import type { FocusHeadsSection, LensNetConfig } from '../model-folder/manifest.ts';
import { SafetensorsFile } from '../model-folder/safetensors.ts';

export interface Fixture {
  readonly name: string;
  readonly kind: string;
  readonly tolerance: number;
  readonly config: Record<string, unknown>;
}

/** @returns the largest absolute error over all outputs. */
export async function measureParity(
  fixture: Fixture,
  weightBytes: ArrayBuffer,
  ioBytes: ArrayBuffer,
): Promise<number> {
  const weights = SafetensorsFile.parse(weightBytes, `${fixture.name}/weights.safetensors`);
  const io = SafetensorsFile.parse(ioBytes, `${fixture.name}/io.safetensors`);
  switch (fixture.kind) {
    case 'llama':
      return measureLlama(fixture.config, weights, io);
    case 'gistnet':
      return measureGistNet(fixture.config, weights, io);
    case 'lensnet':
      return measureLensNet(fixture.config, weights, io);
    case 'focusHeads':
      return measureFocusHeads(fixture.config, weightBytes, io);
    default:
      throw new Error(`Unknown kind of fixture: ${fixture.kind}`);
  }
}

/** The tensors of a fixture's io file, whatever their shape. */
export function readTensor(io: SafetensorsFile, name: string): Float32Array {
  return io.floats(name, io.shape(name));
}

export function largestError(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Infinity;
  return found.reduce((worst, value, i) => {
    const error = Math.abs(value - expected[i]!);
    return Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }, 0);
}

/** The whole sequence at once, then the same one slot at a time. */
async function measureLlama(
  config: Record<string, unknown>,
  weights: SafetensorsFile,
  io: SafetensorsFile,
): Promise<number> {
  const model = await BaseModel.open(parseBaseConfig(config), weights);
  const expected = readTensor(io, 'logits');
  const embeddings = readTensor(io, 'inputs_embeds');
  const positions = Float64Array.from(readTensor(io, 'position_ids'));
  const session = model.createDecodeSession(positions.length);
  try {
    let worst = largestError(await session.append(embeddings, positions, 'all'), expected);
    session.truncate(0);
    const { hiddenSize, vocabularySize } = model;
    for (let i = 0; i < positions.length; i++) {
      const row = embeddings.slice(i * hiddenSize, (i + 1) * hiddenSize);
      // Reading the attention along must not change what comes out.
      const logits = await session.append(row, positions.slice(i, i + 1), 'last', undefined, 'mean');
      const wanted = expected.subarray(i * vocabularySize, (i + 1) * vocabularySize);
      worst = Math.max(worst, largestError(logits, wanted));
    }
    return worst;
  } finally {
    session.dispose();
    model.dispose();
  }
}

async function measureGistNet(
  config: Record<string, unknown>,
  weights: SafetensorsFile,
  io: SafetensorsFile,
): Promise<number> {
  const base = parseBaseConfig(config['base']);
  const gistConfig = config['gistNet'] as Parameters<typeof createGistNet>[1];
  const net = await createGistNet(base, gistConfig, weights);
  const width = net.contextChildren;
  try {
    let worst = 0;
    for (const lod of [1, 2]) {
      const [batch = 0] = io.shape(`lod${lod}.children`);
      const children = readTensor(io, `lod${lod}.children`);
      const context = readTensor(io, `lod${lod}.context`);
      const mask = readTensor(io, `lod${lod}.context_mask`);
      const perContext = width * base.hiddenSize;
      const perBlock = K * base.hiddenSize;
      const joined = new Float32Array(batch * (perContext + perBlock));
      const counts: number[] = [];
      for (let b = 0; b < batch; b++) {
        joined.set(context.subarray(b * perContext, (b + 1) * perContext), b * (perContext + perBlock));
        const at = b * (perContext + perBlock) + perContext;
        joined.set(children.subarray(b * perBlock, (b + 1) * perBlock), at);
        counts.push(mask.subarray(b * width, (b + 1) * width).reduce((sum, bit) => sum + bit, 0));
      }
      const tokens = `lod${lod}.tokens`;
      const ids = io.has(tokens) ? readTensor(io, tokens) : undefined;
      const gists = await net.compress(lod, joined, counts, ids);
      worst = Math.max(worst, largestError(gists, readTensor(io, `lod${lod}.gists`)));
    }
    return worst;
  } finally {
    net.dispose();
  }
}

async function measureLensNet(
  config: Record<string, unknown>,
  weights: SafetensorsFile,
  io: SafetensorsFile,
): Promise<number> {
  const net = await createFixtureLens(config, weights);
  try {
    const logits = await net.logits(lensFixtureInput(io));
    const scores = logits.map(Math.tanh);
    const scoreError = largestError(scores, readTensor(io, 'scores'));
    return Math.max(largestError(logits, readTensor(io, 'logits')), scoreError);
  } finally {
    net.dispose();
  }
}

/** Every head's LensNet, the router and the merger; their weights are one file with LensNet's own. */
async function measureFocusHeads(
  config: Record<string, unknown>,
  weightBytes: ArrayBuffer,
  io: SafetensorsFile,
): Promise<number> {
  const file = { weights: 'weights.safetensors', version: 1 };
  const lensNet = { ...(config['lensNet'] as LensNetConfig), ...file };
  const section = { ...(config['focusHeads'] as Omit<FocusHeadsSection, keyof typeof file>), ...file };
  const [hiddenSize, epsilon] = [config['hiddenSize'] as number, config['epsilon'] as number];
  const brought = await createFocusHeads({ hiddenSize, epsilon, lensNet }, section, () => weightBytes);
  try {
    const slots = io.shape('own')[0] ?? 0;
    const logits = readTensor(io, 'headLogits');
    const view = lensFixtureInput(io) as SlotView;
    let worst = 0;
    for (let head = 0; head < section.heads; head++) {
      const expected = logits.slice(head * slots, (head + 1) * slots).map(Math.tanh);
      worst = Math.max(
        worst,
        largestError(Float32Array.from(await brought.lensOf!(head).score(view)), expected),
      );
    }
    const rows = readTensor(io, 'statistics');
    const statistics = Array.from({ length: section.heads }, (_, head): HeadStatistics => {
      const [wanted, peak, mean, rawShare] = rows.subarray(head * 4, head * 4 + 4) as unknown as number[];
      return { wanted: wanted!, peak: peak!, mean: mean!, rawShare: rawShare! };
    });
    const utilities = brought.router!(readTensor(io, 'query'), statistics);
    const [hidden, entropy, utility] = ['hidden', 'entropy', 'utility'].map((name) => readTensor(io, name));
    const gates = Float32Array.from({ length: section.heads }, (_, head) => {
      const row = hidden!.subarray(head * hiddenSize, (head + 1) * hiddenSize);
      return brought.merger!(row, entropy![head]!, utility![head]!);
    });
    return Math.max(
      worst,
      largestError(Float32Array.from(utilities), readTensor(io, 'utilities')),
      largestError(gates, readTensor(io, 'gates')),
    );
  } finally {
    brought.dispose();
  }
}

/** The LensNet of a fixture; the caller disposes it. */
export function createFixtureLens(
  config: Record<string, unknown>,
  weights: SafetensorsFile,
): ReturnType<typeof createLensNet> {
  const lensConfig = config['lensNet'] as LensNetConfig;
  return createLensNet(config['hiddenSize'] as number, config['epsilon'] as number, lensConfig, weights);
}

/** What a fixture's LensNet reads. */
export function lensFixtureInput(io: SafetensorsFile): LensInput {
  return {
    slotCount: io.shape('own')[0] ?? 0,
    tailCount: io.shape('tail')[0] ?? 0,
    embeddings: readTensor(io, 'own'),
    blockVectors: readTensor(io, 'block'),
    features: readTensor(io, 'feats'),
    lexical: io.names.includes('lexical') ? readTensor(io, 'lexical') : null,
    tail: readTensor(io, 'tail'),
  };
}
