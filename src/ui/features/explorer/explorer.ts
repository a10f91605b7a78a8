/** What can be done in the explorer, each in one method; keys, buttons and the pointer share them. */
import { createStore } from 'zustand';
import type { NodeMeasure } from '../../../core/tree/node-columns.ts';
import type { Registry } from '../../commands/registry.ts';
import type { Model } from '../../model/model.ts';
import type { ReadableStore } from '../../model/readable-store.ts';
import type { BlockRef } from '../../model/viewport.ts';
import type { ExplorerState, Found } from './explorer-state.ts';
import { NodeListing } from './node-listing.ts';
import {
  type Step,
  type TreeShape,
  coarsestLevel,
  nodeAtToken,
  nodeOf,
  parentOf,
  walk,
} from './tree-walk.ts';

/** Levels that a tree can have; those without nodes are not shown. */
const MAX_LOD = 4;
const TEXT_HITS = 200;
const SIMILAR_HITS = 8;
/** Room on either side of a block that was zoomed to, as a part of its width. */
const ZOOM_MARGIN = 0.04;

/** The node that keys act on: the selection if the tree has it, else the oldest of the coarsest level. */
export function focusedNode(shape: TreeShape, selection: BlockRef | null): BlockRef | null {
  if (selection) return nodeAtToken(selection.lod, selection.start, shape);
  const coarsest = coarsestLevel(shape);
  return coarsest < 0 ? null : nodeOf(coarsest, 0, shape);
}

export class Explorer {
  readonly model: Model;
  readonly nodes: NodeListing;
  readonly #store = createStore<ExplorerState>()(() => ({
    heat: 'accessCount',
    searchBy: 'text',
    searching: false,
    found: null,
    wantsCaret: false,
  }));
  #newestSearch = 0;

  constructor({ model, commands }: Pick<Registry, 'model' | 'commands'>) {
    this.model = model;
    this.nodes = new NodeListing(model);
    commands.register(
      {
        id: 'explorer',
        title: 'Show the tree explorer',
        group: 'View',
        keys: ['e'],
        run: () => {
          this.toggle();
        },
      },
      {
        id: 'nodes',
        title: 'List the tree’s nodes, to filter, sort and export',
        group: 'View',
        keys: ['Shift+T'],
        run: () => {
          this.toggleNodes();
        },
      },
      {
        id: 'find',
        title: 'Search the history',
        group: 'View',
        keys: ['/'],
        run: () => {
          this.#startSearch();
        },
      },
    );
  }

  get store(): ReadableStore<ExplorerState> {
    return this.#store;
  }

  get state(): ExplorerState {
    return this.#store.getState();
  }

  get shape(): TreeShape {
    return { tokenCount: this.model.mirror.getState().session?.cursor ?? 0, maxLod: MAX_LOD };
  }

  showHeat(heat: NodeMeasure): void {
    this.#store.setState({ heat });
  }

  toggle(): void {
    const { shell, view } = this.model;
    const explorerOpen = !view.viewport.state.explorerOpen;
    view.viewport.set({ explorerOpen, ...(explorerOpen && { tableOpen: false }) });
    shell.setState({ mobileTab: 'timeline' });
  }

  /** The list of nodes below the icicle; the explorer opens for it. */
  toggleNodes(): void {
    const isShown = this.model.view.viewport.state.explorerOpen && this.nodes.state.open;
    this.nodes.show(!isShown);
    if (!this.model.view.viewport.state.explorerOpen) this.toggle();
  }

  /** Walk from the selection and keep what is reached in view. */
  walkTo(step: Step): void {
    const { selection } = this.model.view.viewport.state;
    const from = focusedNode(this.shape, selection);
    if (!from) return;
    this.selectNode(selection ? walk(from, step, this.shape) : from);
  }

  selectNode(node: BlockRef): void {
    const { view } = this.model;
    view.select(node);
    const { tokens } = view.viewport.state;
    const outside = node.end <= tokens.start || node.start >= tokens.end;
    const tooNarrow = (node.end - node.start) / (tokens.end - tokens.start) < 0.001;
    if (outside || tooNarrow) this.zoomToNode(nodeAtToken(node.lod + 1, node.start, this.shape) ?? node);
  }

  /** The block fills the width. */
  zoomToNode({ start, end }: BlockRef): void {
    const margin = (end - start) * ZOOM_MARGIN;
    this.model.view.viewport.showTokens({ start: start - margin, end: end + margin });
  }

  /** Out by one level: the smallest ancestor that is wider than the view, or everything. */
  zoomOut(): void {
    const { viewport } = this.model.view;
    const { tokens, selection } = viewport.state;
    const { shape } = this;
    let node = focusedNode(shape, selection);
    while (node && (node.end - node.start) * (1 + ZOOM_MARGIN) <= tokens.end - tokens.start) {
      node = parentOf(node, shape);
    }
    if (node) this.zoomToNode(node);
    else viewport.showAllTokens();
  }

  /** Back to the steps, with this block selected and in view. */
  showInTimeline(block: BlockRef): void {
    const { view } = this.model;
    view.viewport.set({ explorerOpen: false });
    view.select(block);
    this.zoomToNode(block);
  }

  /** Search by the other way, for the same. */
  searchBy(kind: Found['kind'], query: string): void {
    this.#store.setState({ searchBy: kind });
    void this.search(query);
  }

  /** Look a text up, or what means the same; the last search asked for wins. */
  async search(query: string): Promise<void> {
    const { engine, problems } = this.model;
    const id = ++this.#newestSearch;
    if (query.trim() === '') {
      this.#store.setState({ found: null, searching: false });
      return;
    }
    this.#store.setState({ searching: true });
    try {
      const found: Found =
        this.state.searchBy === 'text'
          ? {
              kind: 'text',
              query,
              answer: await engine.send({ kind: 'searchText', query, limit: TEXT_HITS }),
            }
          : {
              kind: 'meaning',
              query,
              answer: await engine.send({ kind: 'searchSimilar', query, limit: SIMILAR_HITS }),
            };
      if (id === this.#newestSearch) this.#store.setState({ found, searching: false });
    } catch (error) {
      if (id !== this.#newestSearch) return;
      this.#store.setState({ searching: false });
      problems.reportError('The search failed', error);
    }
  }

  /** Open the explorer with the caret in its search field. */
  #startSearch(): void {
    if (!this.model.view.viewport.state.explorerOpen) this.toggle();
    this.model.shell.setState({ mobileTab: 'timeline' });
    this.#store.setState({ wantsCaret: true });
  }

  /** The search field has the caret that was wanted. */
  caretTaken(): void {
    this.#store.setState({ wantsCaret: false });
  }
}
