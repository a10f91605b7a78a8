import { describe, expect, it } from 'vitest';
import { assembleByRecency } from '../../../core/allocator/assembly.ts';
import { extendLayout } from '../../../core/context/working-context.ts';
import { DOCUMENT, treeOf } from '../../../core/testing/fake-history.ts';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import type { DecodeSession, FirstChoice, LanguageModel } from '../../../nn/ports.ts';
import { createFakeModel } from '../../testing/fake-model.ts';
import { ChoicesAhead } from './choices-ahead.ts';
import { Decoder } from './decoder.ts';
import { GREEDY } from './greedy.ts';
import { sampleToken } from './sampler.ts';

const choice = (tokenId: number) => ({ tokenId, logProbability: -tokenId, entropy: tokenId });

/** Chosen after the last wanted slot: 7, and ahead of what the history has: 8 after 7, 9 after 8. */
function ahead(): ChoicesAhead {
  const made = new ChoicesAhead();
  made.fill([choice(7), choice(8), choice(9)], 40, {
    positions: Float64Array.of(100, 101),
    deviations: Float64Array.of(0, 0),
  });
  return made;
}

describe('ChoicesAhead', () => {
  it('gives what follows each token, as the history takes them', () => {
    const made = ahead();
    expect(made.take({ key: 40, tokenId: 7, position: 100, deviation: 0 })).toEqual(choice(8));
    expect(made.isEmpty).toBe(false);
    expect(made.take({ key: 41, tokenId: 8, position: 101, deviation: 0 })).toEqual(choice(9));
    expect(made.isEmpty).toBe(true);
    expect(made.take({ key: 42, tokenId: 9, position: 102, deviation: 0 })).toBeNull();
  });

  it.each([
    ['another token', { tokenId: 6 }],
    ['another place in the history', { key: 41 }],
    ['another position', { position: 99 }],
    ['another deviation', { deviation: 1 }],
  ])('gives nothing for %s', (_, change) => {
    const made = ahead();
    expect(made.take({ key: 40, tokenId: 7, position: 100, deviation: 0, ...change })).toBeNull();
    expect(made.isEmpty).toBe(false);
    made.clear();
    expect(made.isEmpty).toBe(true);
  });
});

const CAPACITY = 512;

/** A base whose sessions choose four tokens at a time, as those on a device do. */
function choosingBase(): LanguageModel {
  const { base } = createFakeModel();
  const greedyOf = (session: DecodeSession): DecodeSession['greedy'] => ({
    mostSlots: 4,
    append: async (embedding, positions) => {
      const choices: FirstChoice[] = [];
      for (let vector = embedding; choices.length < positions.length;) {
        const at = choices.length;
        const logits = await session.append(vector, positions.subarray(at, at + 1), 'last');
        choices.push(sampleToken(logits, GREEDY, [], () => 0));
        vector = base.embed([choices[at]!.tokenId]);
      }
      return choices;
    },
  });
  return Object.assign(Object.create(base) as LanguageModel, {
    createDecodeSession: (slots: number) => {
      const session = base.createDecodeSession(slots);
      return Object.assign(session, { greedy: greedyOf(session) });
    },
  });
}

describe('a decoder whose device chooses', () => {
  function scene() {
    const tree = treeOf(100);
    const { layout } = assembleByRecency(tree, { ...DEFAULT_RUN_CONFIG, budgetTokens: 256 });
    return { tree, layout, decoder: new Decoder(choosingBase(), tree) };
  }

  /** The most likely token after a layout, for one that reads all logits. */
  async function likeliest({ tree }: ReturnType<typeof scene>, length: number): Promise<number> {
    const { layout } = assembleByRecency(treeOf(100), { ...DEFAULT_RUN_CONFIG, budgetTokens: 256 });
    const plain = new Decoder(createFakeModel().base, tree);
    const { logits } = await plain.sync(extendLayout(layout, length), CAPACITY);
    return sampleToken(logits, GREEDY, [], () => 0).tokenId;
  }

  it('says token by token what one that reads logits says, and runs four at a time', async () => {
    const stage = scene();
    const { tree, decoder } = stage;
    let { layout } = stage;
    const ran: number[] = [];
    for (let i = 0; i < 9; i++) {
      const said = await decoder.syncChoice(layout, CAPACITY, 9 - i);
      expect(said!.choice.tokenId).toBe(await likeliest(stage, tree.tokenCount));
      ran.push(said!.ranSlots);
      tree.appendTokens(Uint32Array.of(said!.choice.tokenId), DOCUMENT);
      layout = extendLayout(layout, tree.tokenCount);
    }
    // A token that was run ahead costs nothing when it is asked for.
    expect(ran.slice(1)).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
    expect((await decoder.sync(layout, CAPACITY)).ranSlots).toBe(1);
  });

  it('forgets what it ran ahead when the history takes another token', async () => {
    const stage = scene();
    const { tree, decoder, layout } = stage;
    const { choice } = (await decoder.syncChoice(layout, CAPACITY, 4))!;
    tree.appendTokens(Uint32Array.of((choice.tokenId + 1) % 256), DOCUMENT);
    const grown = extendLayout(layout, tree.tokenCount);
    const said = (await decoder.syncChoice(grown, CAPACITY, 1))!;
    expect(said.ranSlots).toBe(1);
    expect(said.choice.tokenId).toBe(await likeliest(stage, tree.tokenCount));
    const fresh = new Decoder(createFakeModel().base, tree);
    const { logits } = await decoder.sync(grown, CAPACITY);
    expect(logits).toEqual((await fresh.sync(grown, CAPACITY)).logits);
  });

  it('leaves the choice to whoever reads logits where the device does not choose', async () => {
    const tree = treeOf(10);
    const { layout } = assembleByRecency(tree, DEFAULT_RUN_CONFIG);
    const decoder = new Decoder(createFakeModel().base, tree);
    expect(await decoder.syncChoice(layout, CAPACITY, 4)).toBeNull();
  });
});
