import { afterEach, expect, it, vi } from 'vitest';
import { ErrorBoundary } from './error-boundary.tsx';
import { acting, pageElement } from './testing/page-element.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('keeps a failing part to itself, and shows it again when asked', async () => {
  let isBroken = true;
  const Part = () => {
    if (isBroken) throw new Error('No such block');
    return <p>fine again</p>;
  };
  const { element: root, render } = pageElement();
  await render(
    <>
      <h1>Rest of the page</h1>
      <ErrorBoundary name="Inspector">
        <Part />
      </ErrorBoundary>
    </>,
  );
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
  const { element: root, render } = pageElement();
  let isOpen = true;
  const Dialog = () => {
    if (isOpen) throw new Error('No such run');
    return null;
  };
  onFailure.mockImplementation(() => {
    isOpen = false;
  });
  await render(
    <ErrorBoundary name="Dialog" onFailure={onFailure}>
      <Dialog />
    </ErrorBoundary>,
  );
  expect(onFailure).toHaveBeenCalledOnce();
  expect(root.textContent).toBe('');
});

it('tells a translator’s work from a fault of the page', async () => {
  const { element: root, render } = pageElement();
  const Part = () => {
    throw Object.assign(new Error('The node to be removed is not a child of this node.'), {
      name: 'NotFoundError',
    });
  };
  await render(
    <ErrorBoundary name="Presets">
      <Part />
    </ErrorBoundary>,
  );
  expect(root.textContent).toContain('such as a translator');
});
