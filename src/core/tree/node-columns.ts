/** Per-node metadata of one LOD, one typed column each: about 37 bytes a node. */
import { ChunkedRows } from '../../base/chunked-array.ts';

/** Bits of the flags column. */
export const NODE_FLAGS = { pinned: 1, tagged: 2, pruned: 4, cold: 8, forbidden: 16 } as const;
export type NodeFlag = keyof typeof NODE_FLAGS;

const UNMEASURED = NaN;
const NEVER = 0xffffffff;

/** What a node is measured by: its columns as numbers. Steps are refocuses, the sensitivity is nats/token. */
export const NODE_MEASURES = [
  'accessCount',
  'lastAccessStep',
  'expansions',
  'collapses',
  'residency',
  'sensitivity',
  'createdAtStep',
  'gistVersion',
] as const;
export type NodeMeasure = (typeof NODE_MEASURES)[number];

/** One node's metadata, read out. */
export interface NodeMetadata {
  /** Version of the GistNet that made the gist; null at LOD0. */
  readonly gistVersion: number | null;
  readonly createdAtStep: number;
  /** Refocuses after which the span stood in the working context. */
  readonly accessCount: number;
  readonly lastAccessStep: number | null;
  readonly expansions: number;
  readonly collapses: number;
  /** Refocuses that the span has stayed in the working context at this LOD, as of its last access. */
  readonly residency: number;
  /** Last measured ΔNLL of losing the span's detail, nats/token; null until measured. */
  readonly sensitivity: number | null;
  readonly flags: Readonly<Record<NodeFlag, boolean>>;
}

const bytes = (n: number) => new Uint8Array(n);
const words = (n: number) => new Uint32Array(n);
const floats = (n: number) => new Float32Array(n);
/** Columns are stored by so many nodes. */
const ROWS_PER_PAGE = 1024;

/** What the nodes `first..first+count-1` counted: one column after the other, little-endian; flags are not among it. */
export interface NodePage {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** The columns of one LOD; rows are node indices (blocks at LOD0). */
export class NodeColumns {
  readonly gistVersion: ChunkedRows<Uint32Array>;
  readonly createdAtStep: ChunkedRows<Uint32Array>;
  readonly accessCount: ChunkedRows<Uint32Array>;
  readonly lastAccessStep: ChunkedRows<Uint32Array>;
  readonly expansions: ChunkedRows<Uint32Array>;
  readonly collapses: ChunkedRows<Uint32Array>;
  readonly residency: ChunkedRows<Uint32Array>;
  readonly sensitivity: ChunkedRows<Float32Array>;
  private readonly flags: ChunkedRows<Uint8Array>;
  private withheld = 0;
  private forbidden = 0;

  /** @param shared - start as a fork of these columns. */
  constructor(shared?: NodeColumns) {
    const own = <T extends Uint8Array | Uint32Array | Float32Array>(
      make: (cells: number) => T,
      column: ChunkedRows<T> | undefined,
    ): ChunkedRows<T> => column?.fork() ?? new ChunkedRows(make, 1, ROWS_PER_PAGE);
    this.gistVersion = own(words, shared?.gistVersion);
    this.createdAtStep = own(words, shared?.createdAtStep);
    this.accessCount = own(words, shared?.accessCount);
    this.lastAccessStep = own(words, shared?.lastAccessStep);
    this.expansions = own(words, shared?.expansions);
    this.collapses = own(words, shared?.collapses);
    this.residency = own(words, shared?.residency);
    this.sensitivity = own(floats, shared?.sensitivity);
    this.flags = own(bytes, shared?.flags);
    this.withheld = shared?.withheld ?? 0;
    this.forbidden = shared?.forbidden ?? 0;
  }

  get length(): number {
    return this.flags.length;
  }

  /** Nodes that are pruned or cold; 0 lets callers skip the per-node look-up. */
  get withheldCount(): number {
    return this.withheld;
  }

  /** Nodes that may not expand by the researcher's word; 0 lets callers skip the per-node look-up. */
  get forbiddenCount(): number {
    return this.forbidden;
  }

  /** Add rows up to `length`. */
  growTo(length: number, step: number): void {
    const added = length - this.length;
    if (added <= 0) return;
    for (const column of [
      this.gistVersion,
      this.accessCount,
      this.expansions,
      this.collapses,
      this.residency,
    ]) {
      column.grow(added);
    }
    this.createdAtStep.growFilled(added, step);
    this.lastAccessStep.growFilled(added, NEVER);
    this.sensitivity.growFilled(added, UNMEASURED);
    this.flags.grow(added);
  }

  hasFlag(row: number, flag: NodeFlag): boolean {
    return (this.flags.get(row) & NODE_FLAGS[flag]) !== 0;
  }

  /** Bits of `NODE_FLAGS`. */
  flagBits(row: number): number {
    return this.flags.get(row);
  }

  setFlag(row: number, flag: NodeFlag, on: boolean): void {
    const before = this.isWithheld(row);
    const wasForbidden = this.hasFlag(row, 'forbidden');
    const bits = this.flags.get(row);
    this.flags.set(row, on ? bits | NODE_FLAGS[flag] : bits & ~NODE_FLAGS[flag]);
    this.withheld += Number(this.isWithheld(row)) - Number(before);
    this.forbidden += Number(this.hasFlag(row, 'forbidden')) - Number(wasForbidden);
  }

  /** Pruned or in the cold tier: not available to a working context. */
  isWithheld(row: number): boolean {
    return (this.flags.get(row) & (NODE_FLAGS.pruned | NODE_FLAGS.cold)) !== 0;
  }

  /** The rows in the cold tier, neighbours together. O(rows) */
  coldRows(): readonly { readonly first: number; readonly count: number }[] {
    const found: { first: number; count: number }[] = [];
    this.flags.forEachRun(0, this.length, (cells, firstRow) => {
      for (let i = 0; i < cells.length; i++) {
        if ((cells[i]! & NODE_FLAGS.cold) === 0) continue;
        const last = found.at(-1);
        if (last !== undefined && last.first + last.count === firstRow + i) last.count++;
        else found.push({ first: firstRow + i, count: 1 });
      }
    });
    return found;
  }

  /**
   * The pages that changed since `earlier`, a fork of these columns; all of them where it is null. Flags do not count:
   * they follow from the researcher's marks and the cold tier.
   */
  changedPages(earlier: NodeColumns | null): readonly NodePage[] {
    const pages: NodePage[] = [];
    for (let page = 0; page * ROWS_PER_PAGE < this.length; page++) {
      const first = page * ROWS_PER_PAGE;
      const count = Math.min(ROWS_PER_PAGE, this.length - first);
      const isKnown =
        earlier !== null &&
        Math.min(ROWS_PER_PAGE, earlier.length - first) === count &&
        this.stored.every((column, i) => column.sharesChunk(earlier.stored[i]! as never, page));
      if (!isKnown) pages.push({ first, count, bytes: this.encodePage(first, count) });
    }
    return pages;
  }

  /** Take counts over from a page. @throws {RangeError} if the rows do not exist, or its bytes are not theirs. */
  adoptPage({ first, count, bytes }: NodePage): void {
    const { stored } = this;
    if (bytes.length !== count * 4 * stored.length)
      throw new RangeError(`${bytes.length} bytes are no ${stored.length} columns of ${count} nodes.`);
    const cells = new Uint32Array(bytes.slice().buffer);
    stored.forEach((column, i) => {
      const part = cells.subarray(i * count, (i + 1) * count);
      column.write(
        first,
        column === this.sensitivity ? new Float32Array(part.buffer, part.byteOffset, count) : part,
      );
    });
  }

  private encodePage(first: number, count: number): Uint8Array {
    const { stored } = this;
    const bytes = new Uint8Array(count * 4 * stored.length);
    stored.forEach((column, i) => {
      const { buffer, byteOffset, byteLength } = column.span(first, first + count);
      bytes.set(new Uint8Array(buffer, byteOffset, byteLength), i * count * 4);
    });
    return bytes;
  }

  /** The columns that pages hold, in their order. */
  private get stored(): readonly (ChunkedRows<Uint32Array> | ChunkedRows<Float32Array>)[] {
    const { gistVersion, createdAtStep, accessCount, lastAccessStep, expansions, collapses, residency } =
      this;
    return [
      gistVersion,
      createdAtStep,
      accessCount,
      lastAccessStep,
      expansions,
      collapses,
      residency,
      this.sensitivity,
    ];
  }

  recordAccess(row: number, step: number, residency: number): void {
    this.accessCount.set(row, this.accessCount.get(row) + 1);
    this.lastAccessStep.set(row, step);
    this.residency.set(row, residency);
  }

  /** One column of a node; NaN where it has no value, as where it never stood in the working context. */
  measure(row: number, measure: NodeMeasure): number {
    const value = this[measure].get(row);
    return measure === 'lastAccessStep' && value === NEVER ? NaN : value;
  }

  read(row: number, hasGist: boolean): NodeMetadata {
    const lastAccessStep = this.lastAccessStep.get(row);
    const sensitivity = this.sensitivity.get(row);
    return {
      gistVersion: hasGist ? this.gistVersion.get(row) : null,
      createdAtStep: this.createdAtStep.get(row),
      accessCount: this.accessCount.get(row),
      lastAccessStep: lastAccessStep === NEVER ? null : lastAccessStep,
      expansions: this.expansions.get(row),
      collapses: this.collapses.get(row),
      residency: this.residency.get(row),
      sensitivity: Number.isNaN(sensitivity) ? null : sensitivity,
      flags: {
        pinned: this.hasFlag(row, 'pinned'),
        tagged: this.hasFlag(row, 'tagged'),
        pruned: this.hasFlag(row, 'pruned'),
        cold: this.hasFlag(row, 'cold'),
        forbidden: this.hasFlag(row, 'forbidden'),
      },
    };
  }
}
