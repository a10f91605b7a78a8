import { expect, it } from 'vitest';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { ABSOLUTE_POSITIONS } from '../../../core/context/position-scheme.ts';
import type { GistInput } from '../../../core/parameters/context.ts';
import { buildSlotView } from '../../../core/context/slot-view.ts';
import { apply } from '../../../core/context/moves.ts';
import { type Layout, layoutOf } from '../../../core/context/working-context.ts';
import { logSumExp } from '../../session/decoding/sampler.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { AnswerReader, prepareContext } from './answer-reader.ts';
import { MAX_ANSWER_TOKENS } from '../../session/decoding/greedy.ts';
import { rememberHistory } from '../memory/history-memory.ts';
import { gistsLayout } from '../baselines/layouts.ts';

it('reads every move of a window from the cached prefix as it would without a cache, and runs fewer slots', async () => {
  const model = createFakeModel();
  const step = () => Promise.resolve();
  const ids = Uint32Array.from({ length: 600 }, (_, i) => (i * 7) % 251);
  const tree = await rememberHistory(model, ids, undefined, step);
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 };
  const layout = gistsLayout(tree, config);
  const gists = layout.entries.flatMap(({ lod }, index) => (lod === 1 ? [index] : [])).reverse();
  const where = {
    sharedTokens: ids.length,
    branch: 0,
    scheme: ABSOLUTE_POSITIONS,
    gistInput: 'vector' as const,
    offsetTokens: 0,
    followingTokens: 4,
  };
  const contexts = [layout, ...gists.map((index) => apply(layout, 'expand', index, tree))].map((each) =>
    prepareContext(each, tree, where),
  );
  const reference = Uint32Array.of(5, 6, 7);
  const slotsBefore = model.work.slots;
  const shared = new AnswerReader(model, step);
  const readings = [];
  for (const context of contexts) readings.push(await shared.read(context, reference));
  const sharedSlots = model.work.slots - slotsBefore;
  for (const [index, context] of contexts.entries()) {
    const alone = new AnswerReader(model, step);
    expect(readings[index]).toEqual(await alone.read(context, reference));
    alone.dispose();
  }
  shared.dispose();
  expect(sharedSlots).toBeLessThan(0.95 * (model.work.slots - slotsBefore - sharedSlots));
});

it('judges each token of an answer by the slot right before it, behind gists too', async () => {
  const model = createFakeModel();
  const step = () => Promise.resolve();
  const ids = Uint32Array.from({ length: 600 }, (_, i) => (i * 11) % 251);
  const answer = Uint32Array.of(9, 200, 31, 77);
  const tree = await rememberHistory(model, ids, undefined, step);
  const layout = gistsLayout(tree, { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 });
  expect(layout.entries.some(({ lod }) => lod > 0)).toBe(true);
  const where = {
    sharedTokens: ids.length,
    branch: 0,
    scheme: ABSOLUTE_POSITIONS,
    gistInput: 'vector' as const,
    offsetTokens: 0,
    followingTokens: 4,
  };
  const reader = new AnswerReader(model, step);
  const { nll } = await reader.read(prepareContext(layout, tree, where), answer);
  reader.dispose();
  const session = model.base.createDecodeSession(layout.usedTokens + answer.length);
  const embed = (tokens: Uint32Array): Float32Array => model.base.embed(tokens);
  const view = buildSlotView({ layout, tree, embed, tailTokens: 1 });
  let logits = await session.append(view.embeddings, view.positions, 'last');
  for (const [i, id] of answer.entries()) {
    expect(nll[i]).toBeCloseTo(logSumExp(logits) - logits[id]!, 9);
    logits = await session.append(embed(Uint32Array.of(id)), Float64Array.of(layout.cursor + i), 'last');
  }
  session.dispose();
});

it('decodes greedily what the base gives without a cache, token by token', async () => {
  const model = createFakeModel();
  const step = () => Promise.resolve();
  const ids = Uint32Array.from({ length: 600 }, (_, i) => (i * 11) % 251);
  const tree = await rememberHistory(model, ids, undefined, step);
  const layout = gistsLayout(tree, { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 });
  const where = {
    sharedTokens: ids.length,
    branch: 0,
    scheme: ABSOLUTE_POSITIONS,
    gistInput: 'vector' as const,
    offsetTokens: 0,
    followingTokens: 0,
  };
  const reader = new AnswerReader(model, step);
  const context = prepareContext(layout, tree, where);
  await reader.read(context, Uint32Array.of(1, 2, 3));
  const { text, tokens } = await reader.decode(context);
  expect(await reader.decode(context)).toEqual({ text, tokens });
  reader.dispose();
  const session = model.base.createDecodeSession(1024);
  const embed = (some: Uint32Array): Float32Array => model.base.embed(some);
  const view = buildSlotView({ layout, tree, embed, tailTokens: 1 });
  let logits = await session.append(view.embeddings, view.positions, 'last');
  const decoded: number[] = [];
  for (;;) {
    const best = logits.indexOf(Math.max(...logits));
    decoded.push(best);
    if (best === 10 || decoded.length === MAX_ANSWER_TOKENS) break;
    const position = Float64Array.of(layout.cursor + decoded.length - 1);
    logits = await session.append(embed(Uint32Array.of(best)), position, 'last');
  }
  session.dispose();
  expect(tokens).toBe(decoded.length);
  expect(text).toBe(model.tokenizer.decode(decoded).split('\n')[0]!.trim());
});

it('reads what a run feeds: raw tokens alone where gists are left out, and a token each for keywords', async () => {
  const model = createFakeModel();
  const step = () => Promise.resolve();
  const ids = Uint32Array.from({ length: 600 }, (_, i) => (i * 11) % 251);
  const answer = Uint32Array.of(9, 200, 31);
  const tree = await rememberHistory(model, ids, undefined, step);
  const layout = gistsLayout(tree, { ...DEFAULT_RUN_CONFIG, budgetTokens: 256, recentTokens: 64 });
  const where = { sharedTokens: ids.length, branch: 0, scheme: ABSOLUTE_POSITIONS, offsetTokens: 0 };
  const nllOf = async (given: Layout, gistInput: GistInput): Promise<number[]> => {
    const context = prepareContext(given, tree, { ...where, gistInput, followingTokens: 4 });
    const reader = new AnswerReader(model, step);
    const { nll } = await reader.read(context, answer);
    reader.dispose();
    return [...nll];
  };
  const raw = layoutOf(layout.entries.filter(({ lod }) => lod === 0));
  const none = await nllOf(layout, 'none');
  expect(none).toEqual(await nllOf({ ...raw, cursor: layout.cursor }, 'vector'));
  expect(none).not.toEqual(await nllOf(layout, 'vector'));
  expect(await nllOf(layout, 'keyword')).not.toEqual(await nllOf(layout, 'vector'));
});
