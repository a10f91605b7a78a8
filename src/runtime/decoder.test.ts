import { describe, expect, it } from 'vitest';
import { makeGists, tokenIds, treeOf, DOCUMENT } from '../../tests/property/fake-history.ts';
import { assembleByRecency } from '../core/assembly.ts';
import { DEFAULT_RUN_CONFIG } from '../core/config.ts';
import { collapseEntry, expandEntry, extendLayout } from '../core/working-context.ts';
import type { Layout } from '../core/working-context.ts';
import { Decoder } from './decoder.ts';
import { createFakeModel } from './testing/fake-model.ts';

const CAPACITY = 512;
const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64, lod1WindowTokens: 512 };

function scene() {
  const model = createFakeModel();
  const tree = treeOf(3000 - (3000 % 32) + 5);
  const layout = assembleByRecency(tree, config).layout;
  return { model, tree, layout, decoder: new Decoder(model.base, tree) };
}

/** What a decoder that never saw anything else says of a layout. */
async function afresh({ model, tree }: ReturnType<typeof scene>, layout: Layout): Promise<Float32Array> {
  const decoder = new Decoder(model.base, tree);
  return (await decoder.sync(layout, CAPACITY)).logits.slice();
}

describe('Decoder', () => {
  it('runs only the new tokens when the context grew', async () => {
    const stage = scene();
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
    const expanded = expandEntry(layout, gist, tree);
    const slotsBefore = layout.entries.slice(0, gist).reduce((sum, { cost }) => sum + cost, 0);
    const result = await decoder.sync(expanded, CAPACITY);
    expect(result.ranSlots).toBe(expanded.usedTokens - slotsBefore);
    expect(result.logits).toEqual(await afresh(stage, expanded));
    const collapsed = collapseEntry(expanded, gist, tree);
    expect((await decoder.sync(collapsed, CAPACITY)).logits).toEqual(await afresh(stage, layout));
  });

  it('runs nothing when nothing changed', async () => {
    const { decoder, layout, model } = scene();
    const first = (await decoder.sync(layout, CAPACITY)).logits.slice();
    const { slots } = model.work;
    const again = await decoder.sync(layout, CAPACITY);
    expect(again).toEqual({ logits: first, ranSlots: 0 });
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
    const { decoder, layout, model, tree } = stage;
    const ids = tokenIds(40, 10).map((id) => id % 256);
    const nll = await decoder.scoreContinuation(layout, ids, CAPACITY);
    expect(nll).toBeGreaterThan(0);
    const { slots } = model.work;
    expect((await decoder.sync(layout, CAPACITY)).ranSlots).toBe(0);
    expect(model.work.slots).toBe(slots);
    // Token by token it is the same.
    let total = 0;
    let grown = layout;
    for (const id of ids) {
      total += await new Decoder(model.base, tree).scoreContinuation(grown, Uint32Array.of(id), CAPACITY);
      tree.appendTokens([id], DOCUMENT);
      makeGists(tree);
      grown = extendLayout(grown, tree.tokenCount);
    }
    expect(nll).toBeCloseTo(total / ids.length, 5);
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
