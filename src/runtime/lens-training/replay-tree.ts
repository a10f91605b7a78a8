/** The session's tree as it was at an earlier cursor: grown along the history, so one copy serves all states. */
import type { Lod } from '../../core/tree/ids.ts';
import { tokensPerNode } from '../../core/tree/ids.ts';
import { commonRuns, withoutRuns } from '../../core/tree/node-runs.ts';
import { GistTree } from '../../core/tree/gist-tree.ts';

export class ReplayTree {
  readonly tree: GistTree;

  /** @param source - borrowed; it may grow meanwhile. */
  constructor(private readonly source: GistTree) {
    const { hiddenSize, maxLod, gistVersion } = source;
    this.tree = new GistTree({ hiddenSize, maxLod, gistVersion });
  }

  /** Take in the history up to a cursor that lies not before the last one. */
  growTo(cursor: number): GistTree {
    const { source, tree } = this;
    for (const run of source.provenanceOf(tree.tokenCount, cursor)) {
      const end = Math.min(run.end, cursor);
      if (end > tree.tokenCount) tree.appendTokens(source.tokens(tree.tokenCount, end), run);
    }
    for (let lod = 1; lod <= tree.maxLod; lod++) {
      const first = tree.countAt(lod);
      const count = Math.min(source.countAt(lod), Math.floor(cursor / tokensPerNode(lod))) - first;
      if (count > 0) tree.setGists(lod as Lod, first, source.gistBits(lod as Lod, first, count));
    }
    const held = Array.from({ length: tree.maxLod + 1 }, (_, lod) => {
      return { lod, first: 0, count: tree.countAt(lod) };
    });
    tree.withhold(withoutRuns(commonRuns(source.coldRuns, held), tree.coldRuns));
    return tree;
  }
}
