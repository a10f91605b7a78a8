/** The tree's nodes as a list: what is asked for, in which order, and the part of the answer that is shown. */
import { createStore } from 'zustand';
import type { NodeOrder } from '../../../core/tree/query/find-nodes.ts';
import type { MeasureRange, NodeFilter } from '../../../core/tree/query/node-filter.ts';
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { NodeList } from '../../../runtime/engine/protocol/protocol.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import { saveFile } from '../../widgets/save-file.ts';

/** Nodes that are listed at once. */
export const NODES_PER_PAGE = 100;

export interface NodeListingState {
  readonly open: boolean;
  readonly filter: NodeFilter;
  readonly order: NodeOrder;
  readonly offset: number;
  /** The newest answer; null before the first. */
  readonly list: NodeList | null;
  readonly busy: boolean;
  readonly exporting: boolean;
}

const NOTHING_ASKED: NodeFilter = {};

export class NodeListing {
  readonly #model: Pick<Model, 'engine' | 'problems'>;
  readonly #store = createStore<NodeListingState>()(() => ({
    open: false,
    filter: NOTHING_ASKED,
    order: { by: 'place', descending: false },
    offset: 0,
    list: null,
    busy: false,
    exporting: false,
  }));
  #newest = 0;

  constructor(model: Pick<Model, 'engine' | 'problems'>) {
    this.#model = model;
  }

  get store(): ReadableStore<NodeListingState> {
    return this.#store;
  }

  get state(): NodeListingState {
    return this.#store.getState();
  }

  /** What the icicle shows the same of: nothing while the list is closed. */
  get shownFilter(): NodeFilter | undefined {
    return this.state.open ? this.state.filter : undefined;
  }

  show(open: boolean): void {
    this.#store.setState({ open });
  }

  /** Another question begins with its first page. */
  narrow(changes: Partial<NodeFilter>): void {
    this.#store.setState(({ filter }) => ({ filter: { ...filter, ...changes }, offset: 0 }));
  }

  setRange(measure: NodeMeasure, range: MeasureRange | undefined): void {
    this.narrow({ ranges: { ...this.state.filter.ranges, [measure]: range } });
  }

  clear(): void {
    this.#store.setState({ filter: NOTHING_ASKED, offset: 0 });
  }

  /** By this column; again: the other way. What is measured begins with the highest. */
  orderBy(by: NodeOrder['by']): void {
    const { order } = this.state;
    const descending = order.by === by ? !order.descending : by !== 'place';
    this.#store.setState({ order: { by, descending }, offset: 0 });
  }

  turnPage(by: number): void {
    const { offset, list } = this.state;
    const last = Math.max(0, Math.ceil((list?.total ?? 0) / NODES_PER_PAGE) - 1) * NODES_PER_PAGE;
    this.#store.setState({ offset: Math.min(last, Math.max(0, offset + by * NODES_PER_PAGE)) });
  }

  /** Ask anew; the last question wins. */
  async read(): Promise<void> {
    const { engine, problems } = this.#model;
    const id = ++this.#newest;
    const { filter, order, offset } = this.state;
    this.#store.setState({ busy: true });
    try {
      const list = await engine.send({ kind: 'listNodes', filter, order, offset, limit: NODES_PER_PAGE });
      if (id !== this.#newest) return;
      // The tree may have become another, smaller one.
      const isBeyond = list.nodes.length === 0 && list.total > 0;
      this.#store.setState({ list, busy: false, ...(isBeyond && { offset: 0 }) });
    } catch (error) {
      if (id !== this.#newest) return;
      this.#store.setState({ busy: false });
      problems.reportError('The nodes could not be listed', error);
    }
  }

  /** All that pass the filter, listed or not, as a file. */
  async save(format: 'csv' | 'json'): Promise<void> {
    const { filter, order } = this.state;
    this.#store.setState({ exporting: true });
    const made = await this.#model.engine.attempt('The nodes could not be exported', {
      kind: 'exportNodes',
      filter,
      order,
      format,
    });
    this.#store.setState({ exporting: false });
    if (made) saveFile(made.fileName, made.file);
  }
}
