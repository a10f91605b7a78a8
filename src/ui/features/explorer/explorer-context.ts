/** The explorer as its parts read it. */
import { useStore } from 'zustand';
import { createInstanceContext } from '../../view/instance-context.ts';
import type { ExplorerState } from './explorer-state.ts';
import type { Explorer } from './explorer.ts';
import type { NodeListingState } from './node-listing.ts';

export const [ExplorerContext, useExplorer] = createInstanceContext<Explorer>('explorer');

export function useExplorerState<T>(selector: (state: ExplorerState) => T): T {
  return useStore(useExplorer().store, selector);
}

export function useNodeListing<T>(selector: (state: NodeListingState) => T): T {
  return useStore(useExplorer().nodes.store, selector);
}
