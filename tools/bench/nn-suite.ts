/** The networks of a model folder under Node: GistNet, LensNet, prefill and decode. */
import type { AttentionReading } from '../../src/core/parameters/measurement.ts';
import { K } from '../../src/core/tree/ids.ts';
import type { DecodeSession, LoadedModel } from '../../src/nn/ports.ts';
import { RERUN_SLOTS } from '../../src/runtime/session/decoding/patch-plan.ts';
import { type BenchRow, compare } from './measure.ts';
import { gistBlocks, gistView, randomSlots } from './network-inputs.ts';

const SLOTS = 1024;
const BATCH = 32;

/** Where the working context changes: a tenth of it stands before. */
const CHANGED_SLOT = 100;

/** Both ways of following an expansion of one gist into a block; each leaves `SLOTS` slots. */
function followers(session: DecodeSession, embeddings: Float32Array, positions: Float64Array) {
  const d = embeddings.length / positions.length;
  const ranSlots = K + RERUN_SLOTS.opened;
  const behind = CHANGED_SLOT + ranSlots;
  const sources = Int32Array.from({ length: SLOTS - 1 }, (_, slot) =>
    slot < CHANGED_SLOT ? slot : slot < behind ? -1 : slot - K + 1,
  );
  const rows = (from: number, to: number) =>
    [embeddings.subarray(from * d, to * d), positions.subarray(from, to)] as const;
  return {
    patch: async (): Promise<void> => {
      session.truncate(SLOTS);
      session.rearrange(sources);
      await session.fill(CHANGED_SLOT, ...rows(CHANGED_SLOT, behind));
      await session.append(...rows(SLOTS - 1, SLOTS), 'last');
    },
    exact: async (): Promise<void> => {
      session.truncate(CHANGED_SLOT);
      await session.append(...rows(CHANGED_SLOT, SLOTS), 'last');
    },
  };
}

export async function nnSuite(model: LoadedModel, rounds: number): Promise<readonly BenchRow[]> {
  const { base, gistNet } = model;
  const lensNet = model.lensNet!;
  const d = base.hiddenSize;
  const { embeddings, positions } = randomSlots(base, SLOTS);
  const row = embeddings.subarray(0, d);
  const session = base.createDecodeSession(SLOTS + 64);
  const fresh = base.createDecodeSession(SLOTS + 64);
  await session.append(embeddings, positions, 'last');

  const { children, contextCounts } = gistBlocks(gistNet, embeddings, d, BATCH);
  let passes = 0;
  const view = () => gistView(embeddings, d, lensNet.tailTokens, passes++);
  const decode = async (reading?: AttentionReading): Promise<void> => {
    session.truncate(SLOTS);
    await session.append(row, Float64Array.of(SLOTS), 'last', undefined, reading);
  };
  const prefill = async (): Promise<void> => {
    fresh.truncate(0);
    await fresh.append(embeddings, positions, 'last');
  };
  const follow = followers(session, embeddings, positions);
  const lensVariants: BenchRow[] = [];
  try {
    for (const [variant, net] of model.otherLensNets) {
      const row = compare({
        name: `LensNet, ${variant}, ${SLOTS} slots`,
        rounds,
        ours: async () => {
          await net.score(view());
        },
        peer: async () => {
          await lensNet.score(view());
        },
        peerName: `LensNet, ${model.manifest.lensNet!.variant}`,
      });
      lensVariants.push(await row);
    }
    return [
      await compare({
        name: `key-value cache after one expansion at slot ${CHANGED_SLOT} of ${SLOTS}, patched`,
        rounds,
        ours: follow.patch,
        peer: follow.exact,
        peerName: 'exact: from the changed slot on',
      }),
      await compare({
        name: `decode one token behind ${SLOTS} slots`,
        rounds,
        ours: () => decode(),
        peer: prefill,
        peerName: 'recomputing the working context',
      }),
      await compare({
        name: 'the same, its attention read',
        rounds,
        ours: () => decode('mean'),
        peer: () => decode(),
        peerName: 'not reading it',
      }),
      await compare({ name: `prefill ${SLOTS} slots`, rounds, ours: prefill }),
      await compare({
        name: `GistNet, ${BATCH} blocks (${BATCH * K} tokens)`,
        rounds,
        ours: async () => {
          await gistNet.compress(1, children, contextCounts);
        },
        peer: prefill,
        peerName: `a forward pass of the base over ${SLOTS} tokens`,
      }),
      await compare({
        name: `LensNet, ${SLOTS} slots`,
        rounds,
        ours: async () => {
          await lensNet.score(view());
        },
        peer: prefill,
        peerName: `a forward pass of the base over ${SLOTS} slots`,
      }),
      ...lensVariants,
    ];
  } finally {
    session.dispose();
    fresh.dispose();
  }
}
