/** The researcher's marks on spans: kept as a list for storage, as flags in the tree, as pins for the allocator. */
import type { PinnedSpan } from '../core/allocator.ts';
import { tokensPerEntry } from '../core/ids.ts';
import type { GistTree } from '../core/tree.ts';
import type { SpanMark } from '../storage/ports.ts';

export class SpanMarks {
  private marks: readonly SpanMark[] = [];

  /** @param stored - marks of an earlier run; those of spans that the tree lost are kept but have no effect. */
  constructor(
    private readonly tree: GistTree,
    stored: readonly SpanMark[],
  ) {
    this.marks = stored;
    for (const mark of stored) this.flag(mark, true);
  }

  get list(): readonly SpanMark[] {
    return this.marks;
  }

  get pins(): readonly PinnedSpan[] {
    return this.marks.map(({ start, end }) => ({ start, end }));
  }

  set(kind: 'pin' | 'unpin', { lod, start, end }: Omit<SpanMark, 'kind'>): void {
    const others = this.marks.filter((mark) => mark.lod !== lod || mark.start !== start);
    this.marks = kind === 'pin' ? [...others, { lod, start, end, kind }] : others;
    this.flag({ lod, start }, kind === 'pin');
  }

  private flag({ lod, start }: Pick<SpanMark, 'lod' | 'start'>, on: boolean): void {
    if (lod > this.tree.maxLod || start / tokensPerEntry(lod) >= this.tree.metadata(lod).length) return;
    this.tree.setFlag(lod, start, 'pinned', on);
  }
}
