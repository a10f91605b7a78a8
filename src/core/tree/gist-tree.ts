/**
 * The MegaContext tree: the whole history at every level of detail, append-only. It holds numbers only; who
 * makes the gists and who stores them is decided elsewhere.
 */
import { ChunkedRows } from '../../base/chunked-array.ts';
import { decodeHalves, isNonFiniteHalf } from '../../base/fp16.ts';
import { HiddenSpans } from './hidden-spans.ts';
import { type Lod, GISTS_PER_PAGE, K, MAX_LOD, spanIdOf, tokensPerEntry } from './ids.ts';
import type { NodeRun, SpanId } from './ids.ts';
import { NodeColumns } from './node-columns.ts';
import { unionRuns } from './node-runs.ts';
import type { NodeFlag, NodeMeasure, NodeMetadata } from './node-columns.ts';
import { ProvenanceRuns } from './provenance.ts';
import type { Provenance, ProvenanceRun } from './provenance.ts';

export type TreeErrorCode =
  'token-id' | 'shape' | 'gap' | 'children-missing' | 'not-finite' | 'missing' | 'left-out';

/** An impossible request to the tree; nothing was changed. */
export class TreeError extends Error {
  override readonly name = 'TreeError';
  constructor(
    readonly code: TreeErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Gists that can be made now: their children exist. */
export interface GistWork {
  readonly lod: Lod;
  readonly firstIndex: number;
  readonly count: number;
}

/** How far gists were made anew by another GistNet. */
export interface RefreshStanding {
  /** By LOD: how many leading gists are new; index 0 is unused. */
  readonly fresh: readonly number[];
  /** LOD1 gists from there on are new, too; null where none are. */
  readonly freshTail: number | null;
}

/** A node as the inspector shows it. `index` counts blocks at LOD0. */
export interface TreeNode extends NodeMetadata {
  readonly spanId: SpanId;
  readonly lod: Lod;
  readonly start: number;
  readonly end: number;
  readonly parent: SpanId | null;
}

export interface TreeOptions {
  /** Width d of a gist: the base's hidden size. */
  readonly hiddenSize: number;
  readonly maxLod?: Lod;
  /** Version of the GistNet whose gists count as fresh. */
  readonly gistVersion?: number;
}

/**
 * Gives gists that were left out of memory, where the tree cannot.
 *
 * @returns `[count, d]` fp16 bits.
 */
export type GistSource = (run: NodeRun) => Promise<Uint16Array>;

const MAX_TOKEN_ID = 0xffffffff;

export class GistTree {
  readonly hiddenSize: number;
  readonly maxLod: Lod;
  /** What the researcher hid from focus. */
  hidden: HiddenSpans;
  private readonly tokenIds: ChunkedRows<Uint32Array>;
  private readonly origins: ProvenanceRuns;
  private readonly gists: readonly ChunkedRows<Uint16Array>[];
  private readonly columns: readonly NodeColumns[];
  /** By LOD: pages of gists that are stored and not in memory. */
  private readonly leftOut: readonly Set<number>[];
  private source: GistSource | null;
  /** Gists that were set in place of others since somebody asked. */
  private replaced: NodeRun[] = [];
  /** By LOD: how many leading gists the current GistNet made. */
  private readonly fresh: number[];
  /** From where on LOD1 gists are of the current GistNet again, while those before are refreshed; else null. */
  private freshTail: number | null;
  private version: number;

  /** @param shared - start as a fork of this tree; the options are then its own. */
  constructor(options: TreeOptions, shared?: GistTree) {
    this.hiddenSize = options.hiddenSize;
    this.maxLod = options.maxLod ?? MAX_LOD;
    this.version = options.gistVersion ?? 1;
    this.hidden = shared?.hidden ?? new HiddenSpans();
    const lods = Array.from({ length: this.maxLod + 1 }, (_, lod) => lod);
    this.tokenIds = shared?.tokenIds.fork() ?? new ChunkedRows((n) => new Uint32Array(n));
    this.origins = new ProvenanceRuns(shared?.origins.runs);
    this.gists = lods.map(
      (lod) =>
        shared?.gists[lod]?.fork() ??
        new ChunkedRows((n) => new Uint16Array(n), this.hiddenSize, GISTS_PER_PAGE),
    );
    this.leftOut = lods.map((lod) => new Set(shared?.leftOut[lod]));
    this.source = shared?.source ?? null;
    this.columns = lods.map((lod) => new NodeColumns(shared?.columns[lod]));
    this.fresh = lods.map((lod) => shared?.fresh[lod] ?? 0);
    this.freshTail = shared?.freshTail ?? null;
  }

  /**
   * A tree with the same content that goes its own way from here on: neither sees what the other appends. What
   * they have in common stays in memory once. O(chunks).
   */
  fork(): GistTree {
    return new GistTree(
      { hiddenSize: this.hiddenSize, maxLod: this.maxLod, gistVersion: this.version },
      this,
    );
  }

  /** T: how many tokens the history holds; also the next token's absolute index. */
  get tokenCount(): number {
    return this.tokenIds.length;
  }

  /** Blocks that are full. */
  get closedBlockCount(): number {
    return Math.floor(this.tokenCount / K);
  }

  get gistVersion(): number {
    return this.version;
  }

  get provenance(): readonly ProvenanceRun[] {
    return this.origins.runs;
  }

  /**
   * Append tokens to the history. Appending n at once equals appending them one by one.
   *
   * @param step - the refocus step during which they arrived.
   * @returns the tokens' span and how many blocks it closed.
   * @throws {TreeError} `token-id` for anything but a uint32; nothing is appended then.
   */
  appendTokens(
    ids: ArrayLike<number>,
    provenance: Provenance,
    step = 0,
  ): { readonly start: number; readonly end: number; readonly closedBlocks: number } {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!Number.isInteger(id) || id < 0 || id > MAX_TOKEN_ID) {
        throw new TreeError('token-id', `Token ${i} of ${ids.length} has id ${id}, which is no uint32.`);
      }
    }
    const start = this.tokenCount;
    const closedBefore = this.closedBlockCount;
    this.tokenIds.append(ids);
    this.origins.append(this.tokenCount, provenance);
    this.columns[0]!.growTo(Math.ceil(this.tokenCount / K), step);
    return { start, end: this.tokenCount, closedBlocks: this.closedBlockCount - closedBefore };
  }

  /** Token ids `start..end-1`; a view while they lie in one chunk. Borrowed. */
  tokens(start: number, end: number): Uint32Array {
    return this.tokenIds.span(start, end);
  }

  /** Copy token ids `start..end-1` into `out` from `offset` on. */
  copyTokens(start: number, end: number, out: Uint32Array, offset = 0): void {
    this.tokenIds.forEachRun(start, end, (cells, first) => {
      out.set(cells, offset + first - start);
    });
  }

  /** How many gists a LOD has; at LOD0 how many closed blocks. They are always a prefix. */
  countAt(lod: number): number {
    return lod === 0 ? this.closedBlockCount : (this.gists[lod]?.length ?? 0);
  }

  /**
   * The next gists to make, at most `limit` of them and all of one LOD, finest first so that children
   * exist first; null when every gist that can be made is there. While gists are refreshed, only LOD1 grows: what
   * stands beside an old gist, or is made of one, waits for the refresh.
   */
  nextGistWork(limit: number): GistWork | null {
    if (limit < 1) return null;
    const unfinished = this.unfinishedGroup();
    if (unfinished !== null) return unfinished;
    for (let lod = 1; lod <= this.maxLod; lod++) {
      if (lod > 1 && (this.staleAt(lod) > 0 || this.staleAt(lod - 1) > 0)) return null;
      const { length } = this.gists[lod]!;
      const possible = this.possibleAt(lod) - length;
      if (possible > 0) return { lod: lod as Lod, firstIndex: length, count: Math.min(limit, possible) };
    }
    return null;
  }

  /** How many gists `nextGistWork` gives until it gives none. */
  get pendingGistCount(): number {
    let pending = this.unfinishedGroup()?.count ?? 0;
    let children = this.closedBlockCount;
    for (let lod = 1; lod <= this.maxLod; lod++) {
      if (lod > 1 && (this.staleAt(lod) > 0 || this.staleAt(lod - 1) > 0)) break;
      if (lod > 1) children = Math.floor(children / K);
      pending += children - this.gists[lod]!.length;
    }
    return pending;
  }

  /**
   * The next gists of an older GistNet to make anew, a LOD after the one below it is done; null when none is left.
   * Whole groups of siblings, so that no parent ever has children of two GistNets once they are set.
   *
   * @param groups - of K siblings, at most.
   */
  nextRefreshWork(groups: number): GistWork | null {
    const unfinished = this.unfinishedGroup();
    if (unfinished !== null) return unfinished;
    for (let lod = 1; lod <= this.maxLod; lod++) {
      const stale = this.staleAt(lod);
      if (stale > 0)
        return { lod: lod as Lod, firstIndex: this.fresh[lod]!, count: Math.min(groups * K, stale) };
    }
    return null;
  }

  /** Gists of an older GistNet, all LODs together. */
  get staleGistCount(): number {
    return this.gists.reduce((sum, _, lod) => sum + (lod === 0 ? 0 : this.staleAt(lod)), 0);
  }

  /** Gists that were set in place of others since this was asked last. */
  takeReplaced(): readonly NodeRun[] {
    const runs = unionRuns(this.replaced, []);
    this.replaced = [];
    return runs;
  }

  /** How far a refresh is; null where every gist is of the current GistNet. */
  get refreshStanding(): RefreshStanding | null {
    if (this.staleGistCount === 0) return null;
    return { fresh: [...this.fresh], freshTail: this.freshTail };
  }

  private possibleAt(lod: number): number {
    return lod === 1 ? this.closedBlockCount : Math.floor(this.countAt(lod - 1) / K);
  }

  private staleAt(lod: number): number {
    const end = lod === 1 ? (this.freshTail ?? Infinity) : Infinity;
    return Math.max(0, Math.min(end, this.gists[lod]!.length) - this.fresh[lod]!);
  }

  /** The newest siblings at LOD1, which new blocks will join, where they are still of an older GistNet. */
  private unfinishedGroup(): GistWork | null {
    const { length } = this.gists[1] ?? { length: 0 };
    const firstIndex = Math.floor(length / K) * K;
    if (this.freshTail !== null || this.staleAt(1) === 0 || firstIndex === length) return null;
    return { lod: 1, firstIndex, count: length - firstIndex };
  }

  /**
   * Store gists made by the current GistNet, replacing older ones at the same place.
   *
   * @param bits - `[count, d]` fp16 bits, copied.
   * @throws {TreeError} `shape`, `gap` (a gist before them is missing), `children-missing` or `not-finite`;
   * nothing is changed then.
   */
  setGists(lod: Lod, firstIndex: number, bits: Uint16Array, step = 0): void {
    const rows = this.gists[lod];
    const count = bits.length / this.hiddenSize;
    if (lod < 1 || rows === undefined || !Number.isInteger(count)) {
      throw new TreeError('shape', `${bits.length} values at LOD${lod} are no rows of ${this.hiddenSize}.`);
    }
    if (!Number.isInteger(firstIndex) || firstIndex < 0 || firstIndex > rows.length) {
      throw new TreeError('gap', `LOD${lod} gist ${firstIndex} would leave a gap behind ${rows.length}.`);
    }
    const possible = lod === 1 ? this.closedBlockCount : Math.floor(this.countAt(lod - 1) / K);
    if (firstIndex + count > possible) {
      throw new TreeError(
        'children-missing',
        `LOD${lod} gists up to ${firstIndex + count} need more children than exist (room for ${possible}).`,
      );
    }
    if (bits.some(isNonFiniteHalf)) {
      throw new TreeError('not-finite', `LOD${lod} gists from ${firstIndex} on hold NaN or infinity.`);
    }
    const replaced = Math.min(count, rows.length - firstIndex);
    if (replaced > 0) this.replaced.push({ lod, first: firstIndex, count: replaced });
    rows.write(firstIndex, bits.subarray(0, replaced * this.hiddenSize));
    rows.append(bits.subarray(replaced * this.hiddenSize));
    const columns = this.columns[lod]!;
    columns.growTo(rows.length, step);
    for (let i = 0; i < count; i++) columns.gistVersion.set(firstIndex + i, this.version);
    this.noteFresh(lod, firstIndex, count);
  }

  /**
   * Leave the first gists of a LOD that has none yet out of memory: they count as there and fresh, and `bringIn` reads
   * them when they are needed.
   *
   * @param count - whole pages of `GISTS_PER_PAGE`.
   * @throws {TreeError} `shape` or `children-missing`; nothing is changed then.
   */
  leaveOut(lod: Lod, count: number, source: GistSource): void {
    const rows = this.gists[lod];
    if (lod < 1 || rows?.length !== 0 || count % GISTS_PER_PAGE !== 0)
      throw new TreeError('shape', `The first ${count} gists of LOD${lod} cannot be left out.`);
    if (count > (lod === 1 ? this.closedBlockCount : Math.floor(this.countAt(lod - 1) / K)))
      throw new TreeError('children-missing', `${count} gists of LOD${lod} need more children than exist.`);
    rows.growEmpty(count);
    this.columns[lod]!.growTo(count, 0);
    for (let page = 0; page < count / GISTS_PER_PAGE; page++) this.leftOut[lod]!.add(page);
    this.fresh[lod] = count;
    this.source = source;
  }

  /** Whether every gist is in memory, so that nothing needs to be brought in. */
  get isWhole(): boolean {
    return this.leftOut.every((pages) => pages.size === 0);
  }

  /** Read in what of these nodes was left out; everything else is in memory already. @throws what the source throws */
  async bringIn(runs: readonly NodeRun[]): Promise<void> {
    for (const { lod, page } of this.pagesLeftOut(runs)) {
      const first = page * GISTS_PER_PAGE;
      const bits = await this.source!({ lod, first, count: GISTS_PER_PAGE });
      // Someone else may have brought it in meanwhile.
      if (!this.leftOut[lod]!.delete(page)) continue;
      const cold = this.coldRunsAt(lod).filter(
        (run) => run.first < first + GISTS_PER_PAGE && run.first + run.count > first,
      );
      this.gists[lod]!.write(first, bits);
      for (const run of cold) {
        const from = Math.max(first, run.first);
        this.gists[lod]!.release(from, Math.min(first + GISTS_PER_PAGE, run.first + run.count));
      }
    }
  }

  /** Read in everything that was left out. */
  bringInAll(): Promise<void> {
    return this.bringIn(this.gists.map((rows, lod) => ({ lod, first: 0, count: rows.length })));
  }

  private pagesLeftOut(runs: readonly NodeRun[]): readonly { readonly lod: number; readonly page: number }[] {
    const found: { lod: number; page: number }[] = [];
    for (const { lod, first, count } of runs) {
      const pages = this.leftOut[lod];
      if (pages === undefined || pages.size === 0) continue;
      const end = (first + count) / GISTS_PER_PAGE;
      for (let page = Math.floor(first / GISTS_PER_PAGE); page < end; page++) {
        if (pages.has(page) && !found.some((other) => other.lod === lod && other.page === page))
          found.push({ lod, page });
      }
    }
    return found;
  }

  /**
   * A new GistNet: every gist is to be made anew, LOD by LOD (`nextRefreshWork`); the old ones are read meanwhile.
   *
   * @param done - how far this was brought before, by the same GistNet.
   */
  refreshGists(gistVersion: number, done: RefreshStanding | null = null): void {
    if (gistVersion === this.version) return;
    this.version = gistVersion;
    for (let lod = 1; lod <= this.maxLod; lod++) {
      const { length } = this.gists[lod]!;
      this.fresh[lod] = Math.min(done?.fresh[lod] ?? 0, length);
    }
    this.freshTail = done?.freshTail ?? null;
    for (const [lod, columns] of this.columns.entries()) {
      if (lod === 0) continue;
      for (let row = 0; row < this.fresh[lod]!; row++) columns.gistVersion.set(row, gistVersion);
    }
    for (let row = this.freshTail ?? Infinity; row < this.gists[1]!.length; row++)
      this.columns[1]!.gistVersion.set(row, gistVersion);
  }

  private noteFresh(lod: number, firstIndex: number, count: number): void {
    const { length } = this.gists[lod]!;
    const group = Math.floor(firstIndex / K) * K;
    // The first gists behind a stale prefix: new blocks go on from there.
    const isTail =
      lod === 1 && this.freshTail === null && firstIndex > this.fresh[1]! && firstIndex === group;
    if (isTail && firstIndex + count === length) this.freshTail = firstIndex;
    if (firstIndex <= this.fresh[lod]!) this.fresh[lod] = Math.max(this.fresh[lod]!, firstIndex + count);
    if (lod === 1 && this.freshTail !== null && this.fresh[1]! >= this.freshTail) {
      this.fresh[1] = length;
      this.freshTail = null;
    }
  }

  /** fp16 bits of gists `firstIndex..firstIndex+count-1`, `[count, d]`; borrowed. */
  gistBits(lod: Lod, firstIndex: number, count: number): Uint16Array {
    return this.rowsOf(lod, firstIndex, count).span(firstIndex, firstIndex + count);
  }

  /** Decode gists into the caller's float32 rows, from float `offset` on. */
  readGists(lod: Lod, firstIndex: number, count: number, out: Float32Array, offset = 0): void {
    this.rowsOf(lod, firstIndex, count).forEachRun(firstIndex, firstIndex + count, (cells, row) => {
      decodeHalves(cells, out, offset + (row - firstIndex) * this.hiddenSize);
    });
  }

  /** True if the tree can serve the entry `(lod, start)`: it exists and is not pruned or cold. */
  canServe(lod: number, start: number): boolean {
    const index = Math.floor(start / tokensPerEntry(lod));
    const columns = this.columns[lod];
    if (columns === undefined || index >= columns.length) return false;
    return columns.withheldCount === 0 || !columns.isWithheld(index);
  }

  /** True if all K children of the gist `(lod, start)` can be served. */
  canServeChildren(lod: number, start: number): boolean {
    if (lod < 1) return false;
    if (lod === 1) return this.canServe(0, start);
    const childLod = lod - 1;
    const columns = this.columns[childLod]!;
    const first = Math.floor(start / tokensPerEntry(childLod));
    if (first + K > columns.length) return false;
    if (columns.withheldCount === 0) return true;
    for (let i = first; i < first + K; i++) if (columns.isWithheld(i)) return false;
    return true;
  }

  /** The runs of provenance that touch tokens `start..end-1`, whole. */
  provenanceOf(start: number, end: number): readonly ProvenanceRun[] {
    return this.origins.overlapping(start, end);
  }

  /** Index into `provenance` of the run that holds a token, or -1. */
  provenanceIndexAt(token: number): number {
    return this.origins.indexAt(token);
  }

  /** The columns as they are now, by LOD; they do not change. */
  forkColumns(): readonly NodeColumns[] {
    return this.columns.map((columns) => new NodeColumns(columns));
  }

  /** Metadata columns of a LOD; rows count blocks at LOD0. */
  metadata(lod: number): NodeColumns {
    const columns = this.columns[lod];
    if (columns === undefined) throw new TreeError('missing', `The tree has no LOD${lod}.`);
    return columns;
  }

  /** One column of a node by its row; NaN where it has no value, as raw blocks have no version of a gist. */
  measure(lod: number, row: number, measure: NodeMeasure): number {
    return lod === 0 && measure === 'gistVersion' ? NaN : this.metadata(lod).measure(row, measure);
  }

  /** Read one node. @throws {TreeError} `missing` if the tree does not have it. */
  node(lod: Lod, index: number): TreeNode {
    const columns = this.metadata(lod);
    if (index < 0 || index >= columns.length) {
      throw new TreeError('missing', `The tree has ${columns.length} nodes at LOD${lod}, not ${index}.`);
    }
    const span = tokensPerEntry(lod);
    const parentLod = lod + 1;
    const hasParent =
      parentLod <= this.maxLod &&
      this.countAt(parentLod) > Math.floor((index * span) / tokensPerEntry(parentLod));
    return {
      spanId: spanIdOf(lod, index * span),
      lod,
      start: index * span,
      end: Math.min((index + 1) * span, this.tokenCount),
      parent: hasParent ? spanIdOf(parentLod, index * span) : null,
      ...columns.read(index, lod > 0),
    };
  }

  /**
   * Move nodes to the cold tier: no working context can have them, and the memory of their gists is given back, where
   * zeros stand from now on. Tokens stay, because text is searched and read in the cold tier, too.
   *
   * @throws {TreeError} `missing` if the tree does not have all of them; nothing is changed then.
   */
  withhold(runs: readonly NodeRun[]): void {
    for (const run of runs) this.mustHold(run);
    for (const { lod, first, count } of runs) {
      this.flagCold(lod, first, count, true);
      if (lod > 0) this.gists[lod]!.release(first, first + count);
    }
  }

  /**
   * Take nodes back from the cold tier.
   *
   * @param bits - `[count, d]` of gists, copied; null where the tree holds them already, as it does at LOD0.
   * @throws {TreeError} `missing` or `shape`; nothing is changed then.
   */
  restore(run: NodeRun, bits: Uint16Array | null): void {
    const { lod, first, count } = run;
    this.mustHold(run);
    if (bits !== null && (lod === 0 || bits.length !== count * this.hiddenSize)) {
      throw new TreeError('shape', `${bits.length} values are no ${count} gists of ${this.hiddenSize}.`);
    }
    if (bits !== null) this.gists[lod]!.write(first, bits);
    this.flagCold(lod, first, count, false);
  }

  /** The nodes that are in the cold tier, in order of LOD and place. O(nodes) where there are any. */
  get coldRuns(): readonly NodeRun[] {
    return this.columns.flatMap((_, lod) => this.coldRunsAt(lod));
  }

  private coldRunsAt(lod: number): readonly NodeRun[] {
    const columns = this.columns[lod]!;
    return columns.withheldCount === 0 ? [] : columns.coldRows().map((rows) => ({ lod, ...rows }));
  }

  setFlag(lod: number, start: number, flag: NodeFlag, on: boolean): void {
    this.metadata(lod).setFlag(Math.floor(start / tokensPerEntry(lod)), flag, on);
  }

  /** Bytes held by tokens and gists. */
  get allocatedBytes(): number {
    return this.tokenIds.allocatedBytes + this.gists.reduce((sum, rows) => sum + rows.allocatedBytes, 0);
  }

  private mustHold({ lod, first, count }: NodeRun): void {
    const nodes = this.countAt(lod);
    if (lod <= this.maxLod && first >= 0 && count >= 0 && first + count <= nodes) return;
    throw new TreeError(
      'missing',
      `The tree has ${nodes} nodes at LOD${lod}, not ${first}..${first + count}.`,
    );
  }

  private flagCold(lod: number, first: number, count: number, on: boolean): void {
    for (let row = first; row < first + count; row++) this.columns[lod]!.setFlag(row, 'cold', on);
  }

  private rowsOf(lod: number, firstIndex: number, count: number): ChunkedRows<Uint16Array> {
    const rows = this.gists[lod];
    if (lod < 1 || rows === undefined || firstIndex < 0 || firstIndex + count > rows.length) {
      throw new TreeError('missing', `LOD${lod} gists ${firstIndex}..${firstIndex + count} do not exist.`);
    }
    if (!this.isWhole && this.pagesLeftOut([{ lod, first: firstIndex, count }]).length > 0) {
      throw new TreeError(
        'left-out',
        `LOD${lod} gists ${firstIndex}..${firstIndex + count} are stored and were not read in.`,
      );
    }
    return rows;
  }
}
