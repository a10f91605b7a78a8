import { describe, expect, it } from 'vitest';
import { makeGists, tokenIds, treeOf, DOCUMENT } from '../../../core/testing/fake-history.ts';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { KV_MODES } from '../../../core/parameters/context.ts';
import { ABSOLUTE_POSITIONS } from '../../../core/context/position-scheme.ts';
import type { PositionScheme } from '../../../core/context/position-scheme.ts';
import { apply } from '../../../core/context/moves.ts';
import { emptyLayout, extendLayout } from '../../../core/context/working-context.ts';
import type { Layout } from '../../../core/context/working-context.ts';
import { Decoder } from './decoder.ts';
import { RERUN_SLOTS } from './patch-plan.ts';
import { createFakeModel } from '../../testing/fake-model.ts';

const CAPACITY = 512;
const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64, lod1WindowTokens: 512 };

function scene() {
  const model = createFakeModel();
  const tree = treeOf(3000 - (3000 % 32) + 5);
  const layout = assembleByRecency(tree, config).layout;
  return { model, tree, layout, decoder: new Decoder(model.base, tree) };
}

/** What a decoder that never saw anything else says of a layout. */
async function afresh(
  { model, tree }: ReturnType<typeof scene>,
  layout: Layout,
  scheme: PositionScheme = ABSOLUTE_POSITIONS,
): Promise<Float32Array> {
  const decoder = new Decoder(model.base, tree);
  decoder.setPositions(scheme);
  return (await decoder.sync(layout, CAPACITY)).logits.slice();
}

describe('Decoder', () => {
  it.each(KV_MODES)('%s: runs only the new tokens when the context grew', async (mode) => {
    const stage = scene();
    stage.decoder.setKvMode(mode);
    await stage.decoder.sync(stage.layout, CAPACITY);
    stage.tree.appendTokens(tokenIds(7, 3), DOCUMENT);
    const grown = extendLayout(stage.layout, stage.tree.tokenCount);
    const { logits, ranSlots } = await stage.decoder.sync(grown, CAPACITY);
    expect(ranSlots).toBe(3);
    expect(logits).toEqual(await afresh(stage, grown));
  });

  it('runs from the first changed slot after a refocus, and says what full recompute says', async () => {
    const stage = scene();
    const { layout, tree, decoder } = stage;
    await decoder.sync(layout, CAPACITY);
    const gist = layout.entries.findIndex(({ lod }) => lod === 1);
    const expanded = apply(layout, 'expand', gist, tree);
    const slotsBefore = layout.entries.slice(0, gist).reduce((sum, { cost }) => sum + cost, 0);
    const result = await decoder.sync(expanded, CAPACITY);
    expect(result.ranSlots).toBe(expanded.usedTokens - slotsBefore);
    expect(result.logits).toEqual(await afresh(stage, expanded));
    const collapsed = apply(expanded, 'collapse', gist, tree);
    expect((await decoder.sync(collapsed, CAPACITY)).logits).toEqual(await afresh(stage, layout));
  });

  it('runs nothing when nothing changed', async () => {
    const { decoder, layout, model } = scene();
    const first = (await decoder.sync(layout, CAPACITY)).logits.slice();
    const { slots } = model.work;
    const again = await decoder.sync(layout, CAPACITY);
    expect(again).toMatchObject({ logits: first, attention: null, ranSlots: 0 });
    expect(model.work.slots).toBe(slots);
  });

  it('needs the last slot again when the context only shrank', async () => {
    const stage = scene();
    const { decoder, layout, tree } = stage;
    tree.appendTokens(tokenIds(7, 3), DOCUMENT);
    await decoder.sync(extendLayout(layout, tree.tokenCount), CAPACITY);
    const { logits, ranSlots } = await decoder.sync(layout, CAPACITY);
    expect(ranSlots).toBe(1);
    expect(logits).toEqual(await afresh(stage, layout));
  });

  it('scores a continuation and leaves the cache as it was', async () => {
    const stage = scene();
    const { decoder, layout, model } = stage;
    const ids = tokenIds(40, 10).map((id) => id % 256);
    const nll = await decoder.scoreContinuation(layout, ids, CAPACITY);
    expect(nll).toBeGreaterThan(0);
    const { slots } = model.work;
    expect((await decoder.sync(layout, CAPACITY)).ranSlots).toBe(0);
    expect(model.work.slots).toBe(slots);
  });

  it('keeps one cache while it is large enough', async () => {
    const { decoder, layout, model } = scene();
    await decoder.sync(layout, CAPACITY);
    await decoder.sync(layout, CAPACITY);
    expect(model.work.sessions).toBe(1);
    await decoder.sync(layout, CAPACITY * 2);
    expect(model.work.sessions).toBe(2);
  });

  it('lets a long prefill be given up and taken up again', async () => {
    const model = createFakeModel();
    const tree = treeOf(1000);
    const layout = extendLayout(assembleByRecency(treeOf(0), config).layout, 1000);
    let isStopped = true;
    const decoder = new Decoder(model.base, tree, () =>
      isStopped ? Promise.reject(new Error('stopped')) : Promise.resolve(),
    );
    await expect(decoder.sync(layout, CAPACITY)).rejects.toThrow('stopped');
    isStopped = false;
    const { logits, ranSlots } = await decoder.sync(layout, CAPACITY);
    expect(ranSlots).toBe(1000 - 256);
    expect(logits).toEqual((await new Decoder(model.base, tree).sync(layout, CAPACITY)).logits);
  });
});

describe('Decoder, patch mode', () => {
  function patching() {
    const stage = scene();
    stage.decoder.setKvMode('patch');
    const gist = stage.layout.entries.findIndex(({ lod }) => lod === 1);
    return { ...stage, gist, expanded: apply(stage.layout, 'expand', gist, stage.tree) };
  }

  it('runs what was swapped in, the slots behind it and the last, and keeps the rest', async () => {
    const stage = patching();
    const { decoder, layout, expanded, gist, tree } = stage;
    const first = await decoder.sync(layout, CAPACITY);
    expect(first.logits).toEqual(await afresh(stage, layout));
    expect((await decoder.sync(expanded, CAPACITY)).ranSlots).toBe(32 + RERUN_SLOTS.opened + 1);
    expect((await decoder.sync(expanded, CAPACITY)).ranSlots).toBe(0);
    const collapsed = await decoder.sync(apply(expanded, 'collapse', gist, tree), CAPACITY);
    expect(collapsed.ranSlots).toBe(1 + RERUN_SLOTS.closed + 1);
    expect(decoder.cachedSlots).toBe(layout.usedTokens);
  });

  it.each(KV_MODES)('%s: forgets gists that were made anew, whatever it was asked last', async (mode) => {
    const { layout, decoder } = scene();
    decoder.setKvMode(mode);
    await decoder.sync(layout, CAPACITY);
    const at = layout.entries.findIndex(({ lod }) => lod === 1);
    const { start } = layout.entries[at]!;
    const before = layout.entries.slice(0, at).reduce((sum, { cost }) => sum + cost, 0);
    decoder.forgetGists({ lod: 1, first: start / 32 - 5, count: 5 });
    expect((await decoder.sync(layout, CAPACITY)).ranSlots).toBe(0);
    decoder.forgetGists({ lod: 1, first: start / 32 - 5, count: 6 });
    expect((await decoder.sync(layout, CAPACITY)).ranSlots).toBe(layout.usedTokens - before);
  });

  it('runs all again when it goes back to exact, or is reset', async () => {
    const stage = patching();
    const { decoder, layout, expanded } = stage;
    for (const goBack of [
      () => {
        decoder.setKvMode('exact');
      },
      () => {
        decoder.reset();
      },
    ]) {
      decoder.setKvMode('patch');
      await decoder.sync(layout, CAPACITY);
      await decoder.sync(expanded, CAPACITY);
      goBack();
      expect((await decoder.sync(expanded, CAPACITY)).logits).toEqual(await afresh(stage, expanded));
    }
  });

  it('keeps nothing that stands elsewhere now', async () => {
    const stage = patching();
    const { decoder, layout, expanded, gist } = stage;
    const scheme = { mode: 'compact', gistDecay: 0, trainedContextTokens: 512 } as const;
    decoder.setPositions(scheme);
    await decoder.sync(layout, CAPACITY);
    const { logits, ranSlots } = await decoder.sync(expanded, CAPACITY);
    expect(ranSlots).toBe(expanded.usedTokens - gist);
    expect(logits).toEqual(await afresh(stage, expanded, scheme));
  });

  it('given up between two gaps, takes nothing from behind the gap', async () => {
    const { model, tree, layout, gist, expanded } = patching();
    let isStopped = false;
    const decoder = new Decoder(model.base, tree, () =>
      isStopped ? Promise.reject(new Error('stopped')) : Promise.resolve(),
    );
    decoder.setKvMode('patch');
    await decoder.sync(layout, CAPACITY);
    isStopped = true;
    await expect(decoder.sync(expanded, CAPACITY)).rejects.toThrow('stopped');
    isStopped = false;
    expect(decoder.cachedSlots).toBe(gist);
    expect((await decoder.sync(expanded, CAPACITY)).logits).toEqual(
      await afresh({ model, tree, layout, decoder }, expanded),
    );
  });
});

const SCHEMES: readonly PositionScheme[] = (['absolute', 'grouped', 'compact'] as const).flatMap((mode) =>
  [0, 1].map((gistDecay) => ({ mode, gistDecay, trainedContextTokens: 512 })),
);

describe('Decoder positions', () => {
  it.each(SCHEMES)(
    '$mode with gist decay $gistDecay: decodes what full recompute decodes, over a block’s edge',
    async (scheme) => {
      const stage = scene();
      const { decoder, tree } = stage;
      decoder.setPositions(scheme);
      let { layout } = stage;
      for (let count = 0; count < 40; count++) {
        const logits = (await decoder.sync(layout, CAPACITY)).logits.slice();
        expect(logits).toEqual(await afresh(stage, layout, scheme));
        tree.appendTokens([logits.indexOf(Math.max(...logits))], DOCUMENT);
        makeGists(tree);
        layout = extendLayout(layout, tree.tokenCount);
      }
    },
  );

  it.each(SCHEMES.filter(({ mode }) => mode !== 'grouped'))(
    '$mode with gist decay $gistDecay: a token costs one slot, over a block’s edge too',
    async (scheme) => {
      const { decoder, layout, tree } = scene();
      decoder.setPositions(scheme);
      let grown = layout;
      await decoder.sync(grown, CAPACITY);
      for (let count = 0; count < 40; count++) {
        tree.appendTokens(tokenIds(count, 1), DOCUMENT);
        grown = extendLayout(grown, tree.tokenCount);
        expect((await decoder.sync(grown, CAPACITY)).ranSlots).toBe(1);
      }
    },
  );

  it('that change under a running context are taken up whole', async () => {
    const stage = scene();
    const { decoder, layout } = stage;
    for (const scheme of [...SCHEMES, ...SCHEMES.toReversed()]) {
      decoder.setPositions(scheme);
      const { logits } = await decoder.sync(layout, CAPACITY);
      expect(logits).toEqual(await afresh(stage, layout, scheme));
    }
    decoder.setPositions({ mode: 'compact', gistDecay: 0, trainedContextTokens: 512 });
    expect((await decoder.sync(layout, CAPACITY)).ranSlots).toBe(layout.usedTokens);
  });

  it('of raw tokens are not blurred: gist decay changes nothing where there is no gist', async () => {
    const { decoder, tree } = scene();
    const raw = extendLayout(emptyLayout(), 300);
    const sharp = await decoder.sync(raw, CAPACITY);
    decoder.setPositions({ ...ABSOLUTE_POSITIONS, gistDecay: 4 });
    expect(await decoder.sync(raw, CAPACITY)).toMatchObject({ logits: sharp.logits, ranSlots: 0 });
    expect(tree.tokenCount).toBeGreaterThan(raw.cursor);
  });

  it.each(SCHEMES)(
    '$mode with gist decay $gistDecay: a continuation stands where decoding would put it',
    async (scheme) => {
      const { decoder, layout, model, tree } = scene();
      const ids = tokenIds(40, 10).map((id) => id % 256);
      decoder.setPositions(scheme);
      const nll = await decoder.scoreContinuation(layout, ids, CAPACITY);
      let total = 0;
      let grown = layout;
      for (const id of ids) {
        const branch = new Decoder(model.base, tree);
        branch.setPositions(scheme);
        total += await branch.scoreContinuation(grown, Uint32Array.of(id), CAPACITY);
        tree.appendTokens([id], DOCUMENT);
        grown = extendLayout(grown, tree.tokenCount);
      }
      expect(nll).toBeCloseTo(total / ids.length, 5);
    },
  );
});
