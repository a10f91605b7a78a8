import { describe, expect, it } from 'vitest';
import { HistoryWords } from '../lexical/history-words.ts';
import { buildSlotView } from '../context/slot-view.ts';
import { entryAt, layoutOf } from '../context/working-context.ts';
import { embed, makeGists, HIDDEN_SIZE, DOCUMENT } from '../testing/fake-history.ts';
import { HEAD_CUES } from '../parameters/heads.ts';
import { GistTree } from '../tree/gist-tree.ts';
import { BlockSignals } from './block-signals.ts';
import { CUES } from './cues.ts';

const encode = (text: string) => Uint32Array.from(text, (character) => character.codePointAt(0)!);
const pieces = () => ({ push: (id: number) => String.fromCodePoint(id) });

/** Blocks of 32 characters, a block each, and a question behind them. */
function memoryOf(blocks: readonly string[], question: string) {
  const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
  for (const block of blocks) tree.appendTokens(encode(block.padEnd(32).slice(0, 32)), DOCUMENT);
  tree.appendTokens(encode(question.padEnd(32).slice(0, 32)), { ...DOCUMENT, role: 'user', documentId: 'q' });
  makeGists(tree);
  const words = new HistoryWords(tree, pieces);
  const signals = new BlockSignals(tree, pieces);
  const textOf = (ids: Uint32Array) => String.fromCodePoint(...ids);
  const layout = layoutOf(Array.from({ length: blocks.length + 1 }, (_, i) => entryAt(1, i * 32)));
  return { tree, words, signals, textOf, view: buildSlotView({ layout, tree, embed, tailTokens: 8 }) };
}

async function scoresOf(cue: (typeof HEAD_CUES)[number], memory: ReturnType<typeof memoryOf>) {
  return Array.from((await CUES[cue].create!(512, memory).score(memory.view)).slice(0, -1));
}

const best = (scores: readonly number[]) => scores.indexOf(Math.max(...scores));
const PLAIN = 'the keeper sat by the old wall. ';
const BLOCKS = [
  PLAIN,
  'then came Mara to the old wall. ',
  PLAIN,
  'there the wyvern egg was kept. ',
  PLAIN,
  PLAIN,
];

describe('cues', () => {
  it('names finds the name that is asked for, or else any', async () => {
    expect(best(await scoresOf('names', memoryOf(BLOCKS, 'so what of that, then?')))).toBe(1);
    const two = [...BLOCKS, 'and then Otto and Ida, Ben, Tim.'];
    expect(best(await scoresOf('names', memoryOf(two, 'was it here that Mara was?')))).toBe(1);
  });

  it('rare finds words that stand nowhere else, and what was measured to matter', async () => {
    const blocks = [PLAIN, PLAIN, PLAIN, 'there the wyvern egg was kept. ', PLAIN];
    const memory = memoryOf(blocks, 'so what of that, then?');
    expect(best(await scoresOf('rare', memory))).toBe(3);
    memory.tree.metadata(1).sensitivity.set(1, 5);
    expect(best(await scoresOf('rare', memory))).toBe(1);
  });

  it('query finds the question’s words, aggregation all that share one', async () => {
    const memory = memoryOf(BLOCKS, 'where is the wyvern egg, keeper?');
    expect(best(await scoresOf('query', memory))).toBe(3);
    const scores = await scoresOf('aggregation', memory);
    expect(scores[0]).toBeGreaterThan(scores[1]!);
    expect(scores[0]).toBe(scores[2]);
  });

  it('recency falls with the distance', async () => {
    const scores = await scoresOf('recency', memoryOf(BLOCKS, 'and?'));
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
  });

  it.each(HEAD_CUES)('%s stays within -1 and 1, and gives one score a slot', async (cue) => {
    const memory = memoryOf(BLOCKS, 'where is Mara and the wyvern?');
    const scorer = CUES[cue].create?.(512, memory);
    const scores = (await scorer?.score(memory.view)) ?? new Float32Array(memory.view.slotCount);
    expect(scores).toHaveLength(memory.view.slotCount);
    for (const score of scores) expect(Math.abs(score)).toBeLessThanOrEqual(1);
  });

  it('reads a history that grows as if it had been there at once', () => {
    const { tree, signals } = memoryOf(BLOCKS, 'and?');
    signals.rarity(3);
    tree.appendTokens(encode('Later then came Olga to the wall'), DOCUMENT);
    const afresh = new BlockSignals(tree, pieces);
    expect(signals.names('', 8)).toEqual(afresh.names('', 8));
    expect(signals.rarity(8)).toEqual(afresh.rarity(8));
  });
});
