/** The tooltip over the timeline: which block, which score, which text. Moved without React. */
import { type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { formatCount, formatPlural, formatScore, formatSpan } from '../../words/format.ts';
import { actionLine } from '../../words/reasons.ts';
import type { RunFrames } from '../../model/shown-run.ts';
import { useRunView } from '../../view/hooks.ts';
import type { Hit } from './gestures.ts';
import { entryAtToken } from '../../model/entry-search.ts';

export interface TooltipHandle {
  show(hit: Hit | null): void;
}

const SNIPPET_CHARACTERS = 160;
const SNIPPET_AFTER_MS = 120;
const KEPT_SNIPPETS = 200;
const OFFSET = 14;

export function Tooltip({ ref }: { readonly ref: Ref<TooltipHandle> }) {
  const view = useRunView();
  const box = useRef<HTMLDivElement>(null);
  const title = useRef<HTMLElement>(null);
  const facts = useRef<HTMLParagraphElement>(null);
  const actions = useRef<HTMLParagraphElement>(null);
  const text = useRef<HTMLParagraphElement>(null);
  const snippets = useRef(new Map<string, string>());
  /** Whose texts the snippets are. */
  const told = useRef(view.run);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );

  useImperativeHandle(ref, () => ({
    show(hit) {
      clearTimeout(timer.current);
      const element = box.current;
      if (!element) return;
      if (!hit) {
        element.hidden = true;
        return;
      }
      if (told.current !== view.run) snippets.current.clear();
      told.current = view.run;
      const { lod, start, end } = hit.block;
      title.current!.textContent = lod === 0 ? 'Raw tokens (LOD0)' : `Gist, LOD${lod}`;
      title.current!.style.setProperty('--swatch', `var(--lod-${lod})`);
      facts.current!.textContent = factsOf(hit, view.run);
      const done = actionsAt(hit, view.run);
      actions.current!.textContent = done;
      actions.current!.hidden = done === '';
      const key = `${start}:${end}`;
      const known = snippets.current.get(key);
      text.current!.textContent = known ?? '…';
      element.hidden = false;
      place(element, hit);
      if (known !== undefined) return;
      timer.current = setTimeout(() => {
        view
          .readSpan(start, end, SNIPPET_CHARACTERS)
          .then(({ text: snippet, truncated }) => {
            if (snippets.current.size >= KEPT_SNIPPETS) snippets.current.clear();
            snippets.current.set(key, snippet.trim() + (truncated ? '…' : ''));
            if (!element.hidden) text.current!.textContent = snippets.current.get(key)!;
          })
          .catch(() => {
            text.current!.textContent = '';
          });
      }, SNIPPET_AFTER_MS);
    },
  }));

  return (
    <div className="tooltip" translate="no" ref={box} hidden role="presentation">
      <strong ref={title} />
      <p ref={facts} className="muted tabular" />
      <p ref={actions} className="tooltip-actions" />
      <p ref={text} className="tooltip-text" />
    </div>
  );
}

function factsOf({ index, block }: Hit, run: RunFrames): string {
  const { start, end } = block;
  const frame = run.frameAt(index);
  const parts = [`${formatSpan(start, end)} (${formatPlural(end - start, 'token')})`];
  const scored = run.scoredLayoutAt(index);
  const at = scored ? entryAtToken(scored, start) : -1;
  if (frame && at >= 0) parts.push(`score ${formatScore(frame.scores[at]!)}`);
  if (frame) parts.push(`step ${formatCount(frame.step)}`);
  return parts.join(' · ');
}

function actionsAt({ index, block }: Hit, run: RunFrames): string {
  const frame = run.frameAt(index);
  if (!frame) return '';
  return frame.actions
    .filter(({ start, end }) => start < block.end && end > block.start)
    .slice(0, 3)
    .map(actionLine)
    .join('\n');
}

function place(element: HTMLElement, { clientX, clientY }: Hit): void {
  const { offsetWidth, offsetHeight } = element;
  const right = clientX + OFFSET + offsetWidth > globalThis.innerWidth;
  const below = clientY + OFFSET + offsetHeight > globalThis.innerHeight;
  const x = right ? Math.max(4, clientX - OFFSET - offsetWidth) : clientX + OFFSET;
  const y = below ? Math.max(4, clientY - OFFSET - offsetHeight) : clientY + OFFSET;
  element.style.transform = `translate(${x}px, ${y}px)`;
}
