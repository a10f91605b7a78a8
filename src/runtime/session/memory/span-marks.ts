/** The researcher's marks on spans: kept as a list for storage, as flags in the tree, as pins for the allocator. */
import type { PinnedSpan } from '../../../core/context/working-context.ts';
import { tokensPerEntry } from '../../../core/tree/ids.ts';
import type { NodeFlag } from '../../../core/tree/node-columns.ts';
import type { GistTree } from '../../../core/tree/gist-tree.ts';
import type { SpanMark } from '../../../storage/ports.ts';
import type { MarkAct } from '../messages/session-messages.ts';

const FLAG: Readonly<Record<SpanMark['kind'], NodeFlag>> = {
  pin: 'pinned',
  forbid: 'forbidden',
  tag: 'tagged',
};

const KIND: Readonly<Record<MarkAct, SpanMark['kind']>> = {
  pin: 'pin',
  unpin: 'pin',
  forbid: 'forbid',
  allow: 'forbid',
  tag: 'tag',
  untag: 'tag',
};

type MarkedSpan = Pick<SpanMark, 'lod' | 'start' | 'end'>;

export class SpanMarks {
  private marks: readonly SpanMark[] = [];

  /** @param stored - marks of an earlier run; those of spans that the tree lost are kept but have no effect. */
  constructor(
    private readonly tree: GistTree,
    stored: readonly SpanMark[],
  ) {
    this.marks = stored;
    flagMarked(tree, stored);
  }

  get list(): readonly SpanMark[] {
    return this.marks;
  }

  get pins(): readonly PinnedSpan[] {
    return this.marks.filter(({ kind }) => kind === 'pin').map(({ start, end }) => ({ start, end }));
  }

  /**
   * @param sinceStep - the last refocus.
   * @param name - of a tag; a span has at most one, a second takes its place.
   */
  set(act: MarkAct, { lod, start, end }: MarkedSpan, sinceStep: number, name = ''): void {
    const kind = KIND[act];
    const others = this.marks.filter(
      (mark) => mark.kind !== kind || mark.lod !== lod || mark.start !== start,
    );
    const isOn = act === kind;
    const mark: SpanMark = { lod, start, end, kind, sinceStep, ...(kind === 'tag' ? { name } : {}) };
    this.marks = isOn ? [...others, mark] : others;
    flag(this.tree, { lod, start, end }, kind, isOn);
  }
}

/** Set the flags of marked nodes; those that the tree has not are skipped. */
export function flagMarked(tree: GistTree, marks: readonly SpanMark[]): void {
  for (const mark of marks) flag(tree, mark, mark.kind, true);
}

function flag(tree: GistTree, { lod, start }: MarkedSpan, kind: SpanMark['kind'], on: boolean): void {
  if (lod > tree.maxLod || start / tokensPerEntry(lod) >= tree.metadata(lod).length) return;
  tree.setFlag(lod, start, FLAG[kind], on);
}
