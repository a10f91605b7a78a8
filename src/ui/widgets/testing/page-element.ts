/** A document for tests of components under Node, without layout. */
import { parseHTML } from 'linkedom';
import { type ReactNode, act } from 'react';
import { createRoot } from 'react-dom/client';
import { vi } from 'vitest';

export interface PageElement {
  readonly element: HTMLElement;
  /** Resolves once the effects have run. */
  readonly render: (content: ReactNode) => Promise<void>;
}

/** An empty element of a document of its own, which stands for the global one until `vi.unstubAllGlobals`. */
export function pageElement(): PageElement {
  const { window, document } = parseHTML('<!doctype html><html><body><div id="root"></div></body></html>');
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', document);
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  const element = document.getElementById('root')!;
  const root = createRoot(element, { onCaughtError: () => undefined });
  return {
    element,
    render: (content) =>
      acting(() => {
        root.render(content);
      }),
  };
}

/** Do something that React answers to; resolves once it has. */
export function acting(work: () => void): Promise<void> {
  return act(() => {
    work();
    return Promise.resolve();
  });
}
