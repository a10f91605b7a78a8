/** The allocator at 8,192 entries, and appending to the tree. */
import { INITIAL_ALLOCATOR_STATE } from '../../src/core/allocator/pass/allocator-state.ts';
import { DEFAULT_RUN_CONFIG } from '../../src/core/trace/config.ts';
import { allocate } from '../../src/core/allocator/focus-allocator.ts';
import { K } from '../../src/core/tree/ids.ts';
import { Rng } from '../../src/base/rng.ts';
import { GistTree } from '../../src/core/tree/gist-tree.ts';
import { entryAt, layoutOf } from '../../src/core/context/working-context.ts';
import { type BenchRow, compare } from './measure.ts';

const ORIGIN = { role: 'document', documentId: 'bench', title: 'bench', wallClockMs: 0 } as const;
const HIDDEN_SIZE = 16;
const ENTRIES = 8192;

function treeOf(tokens: number): GistTree {
  const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
  tree.appendTokens(new Uint32Array(tokens), ORIGIN);
  for (let work = tree.nextGistWork(4096); work !== null; work = tree.nextGistWork(4096)) {
    tree.setGists(work.lod, work.firstIndex, new Uint16Array(work.count * HIDDEN_SIZE));
  }
  return tree;
}

export async function coreSuite(rounds: number): Promise<readonly BenchRow[]> {
  const tree = treeOf(ENTRIES * K);
  const entries = Array.from({ length: ENTRIES }, (_, i) => entryAt(1, i * K));
  const layout = layoutOf(entries);
  const rng = new Rng(1);
  const scores = Float32Array.from({ length: ENTRIES }, () => rng.nextFloat() * 2 - 1);
  const config = { ...DEFAULT_RUN_CONFIG, budgetTokens: ENTRIES + 256 };
  const step = (): void => {
    allocate({
      layout,
      scores,
      tree,
      config,
      state: INITIAL_ALLOCATOR_STATE,
      pass: 0,
    });
  };
  const sortEverything = (): void => {
    Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  };
  const ids = Uint32Array.from({ length: 8192 }, (_, i) => i % 2048);
  return [
    await compare({
      name: `allocator step, ${ENTRIES} entries`,
      rounds: rounds * 10,
      ours: step,
      peer: sortEverything,
      peerName: 'sorting all scores, nothing else',
    }),
    await compare({
      name: 'append 8,192 tokens to the tree',
      rounds,
      ours: () => {
        new GistTree({ hiddenSize: HIDDEN_SIZE }).appendTokens(ids, ORIGIN);
      },
      peer: () => {
        const tree = new GistTree({ hiddenSize: HIDDEN_SIZE });
        for (const id of ids) tree.appendTokens([id], ORIGIN);
      },
      peerName: 'token by token',
    }),
  ];
}
