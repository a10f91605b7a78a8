import { afterEach, expect, it, vi } from 'vitest';
import { GrowingLog } from './growing-log.tsx';
import { acting, pageElement } from './testing/page-element.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('follows its end while that is in view, stands still while one reads above, and leads back', async () => {
  const { element, render } = pageElement();
  const show = (lines: number, busy = false) =>
    render(
      <GrowingLog label="Conversation" className="log" busy={busy}>
        {Array.from({ length: lines }, (_, i) => (
          <p key={i}>line</p>
        ))}
      </GrowingLog>,
    );
  await show(10);
  const log = element.querySelector<HTMLElement>('[role=log]')!;
  // Ten pixels a line, a window of a hundred.
  Object.defineProperty(log, 'scrollHeight', { get: () => log.querySelectorAll('p').length * 10 });
  Object.defineProperty(log, 'clientHeight', { value: 100 });
  const scrollTo = (top: number) =>
    acting(() => {
      log.scrollTop = top;
      log.dispatchEvent(new window.Event('scroll', { bubbles: true }));
    });
  const end = () => element.querySelector('button');

  await show(30);
  expect(log.scrollTop).toBe(300);
  await scrollTo(50);
  await show(40);
  expect(log.scrollTop).toBe(50);
  expect(end()?.textContent).toContain('To the end');
  await acting(() => end()!.dispatchEvent(new window.Event('click', { bubbles: true })));
  expect(log.scrollTop).toBe(400);
  expect(end()).toBeNull();

  await scrollTo(0);
  await show(41, true);
  expect(log.scrollTop).toBe(410);
});
