import { parseHTML } from 'linkedom';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ErrorBoundary } from './error-boundary.tsx';

let root: HTMLElement;

beforeEach(() => {
  const { window, document } = parseHTML('<!doctype html><html><body><div id="root"></div></body></html>');
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', document);
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  root = document.getElementById('root')!;
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const acting = (work: () => void): Promise<void> =>
  act(() => {
    work();
    return Promise.resolve();
  });
const quietly = { onCaughtError: () => undefined };

it('keeps a failing part to itself, and shows it again when asked', async () => {
  let isBroken = true;
  const Part = () => {
    if (isBroken) throw new Error('No such block');
    return <p>fine again</p>;
  };
  const page = createRoot(root, quietly);
  await acting(() => {
    page.render(
      <>
        <h1>Rest of the page</h1>
        <ErrorBoundary name="Inspector">
          <Part />
        </ErrorBoundary>
      </>,
    );
  });
  expect(root.textContent).toContain('Rest of the page');
  expect(root.textContent).toContain('Inspector could not be shown: No such block.');
  isBroken = false;
  await acting(() => {
    root.querySelector('button')!.dispatchEvent(new window.Event('click', { bubbles: true }));
  });
  expect(root.textContent).toContain('fine again');
});

it('closes what can be closed instead', async () => {
  const onFailure = vi.fn();
  const page = createRoot(root, quietly);
  let isOpen = true;
  const Dialog = () => {
    if (isOpen) throw new Error('No such run');
    return null;
  };
  onFailure.mockImplementation(() => {
    isOpen = false;
  });
  await acting(() => {
    page.render(
      <ErrorBoundary name="Dialog" onFailure={onFailure}>
        <Dialog />
      </ErrorBoundary>,
    );
  });
  expect(onFailure).toHaveBeenCalledOnce();
  expect(root.textContent).toBe('');
});

it('tells a translator’s work from a fault of the page', async () => {
  const Part = () => {
    throw Object.assign(new Error('The node to be removed is not a child of this node.'), {
      name: 'NotFoundError',
    });
  };
  await acting(() => {
    createRoot(root, quietly).render(
      <ErrorBoundary name="Presets">
        <Part />
      </ErrorBoundary>,
    );
  });
  expect(root.textContent).toContain('such as a translator');
});
