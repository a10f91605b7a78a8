/**
 * A generated text with its Markdown drawn, and still token by token: pointing at a token, or walking to it by key,
 * shows what it was predicted from.
 */
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef } from 'react';
import type { RunView } from '../../model/run-view.ts';
import type { StreamedToken } from '../../model/conversation.ts';
import type { DrawText } from './answer-markdown.tsx';
import { FetchedMarkdown } from './fetched-markdown.tsx';
import { TokenCard } from './token-card.tsx';
import { useRunView, useViewport } from '../../view/hooks.ts';

interface AnswerTextProps {
  /** In the order of the history. */
  readonly tokens: readonly StreamedToken[];
  /** What stands behind the last token. */
  readonly children?: ReactNode;
}

export function AnswerText({ tokens, children }: AnswerTextProps) {
  const first = tokens[0]?.tokenIndex ?? 0;
  const last = tokens.at(-1)?.tokenIndex ?? -1;
  const peek = useViewport((state) => {
    const tokenIndex = state.peek?.tokenIndex ?? -1;
    return tokenIndex >= first && tokenIndex <= last ? state.peek : null;
  });
  const view = useRunView();
  const spelled = useMemo(() => new SpelledText(tokens), [tokens]);
  const peeked = peek?.tokenIndex;
  const drawText: DrawText = (text, start) =>
    spelled.parts(text, start).map(({ part, tokenIndex }, at) => (
      <span
        key={at}
        className={`token ${peeked === tokenIndex ? 'is-peeked' : ''}`}
        data-token-index={tokenIndex}
      >
        {part}
      </span>
    ));
  const root = useRef<HTMLDivElement>(null);
  const isHeld = peek?.held ?? false;

  useEffect(() => {
    if (!isHeld) return;
    // Elsewhere on the page the token stays: its blocks are what one goes to look at.
    const leave = (event: Event) => {
      const target = event.target as Element;
      const isHere =
        target.closest('.token, .token-card') !== null || target === root.current?.firstElementChild;
      if (target.closest('.chat') !== null && !isHere) view.endPeek();
    };
    const events = ['pointerdown', 'focusin'];
    for (const type of events) document.addEventListener(type, leave);
    return () => {
      for (const type of events) document.removeEventListener(type, leave);
    };
  }, [isHeld, view]);

  return (
    <div ref={root} className="answer-text" translate="no">
      <div
        className="tokens"
        role="group"
        tabIndex={0}
        aria-label="Answer, token by token"
        aria-description="Left and right walk the tokens and tell what each was predicted from; Escape ends it."
        onPointerOver={({ target, pointerType }) => {
          const tokenIndex = tokenIndexOf(target);
          if (tokenIndex === null || pointerType === 'touch' || view.viewport.state.peek?.held) return;
          view.peekAtToken(tokenIndex, false);
        }}
        onPointerLeave={() => {
          if (!view.viewport.state.peek?.held) view.endPeek();
        }}
        onClick={({ target }) => {
          const tokenIndex = tokenIndexOf(target);
          if (tokenIndex === null || (isHeld && tokenIndex === peek?.tokenIndex)) view.endPeek();
          else view.peekAtToken(tokenIndex, true);
        }}
        onFocus={({ currentTarget }) => {
          if (!peek && currentTarget.matches(':focus-visible')) view.peekAtToken(first, true);
        }}
        onKeyDown={(event) => {
          walk(event, tokens, peek?.tokenIndex ?? null, view);
        }}
      >
        <FetchedMarkdown source={spelled.source} drawText={drawText} />
        {children}
      </div>
      {peek && <TokenCard tokenIndex={peek.tokenIndex} held={peek.held} text={root} />}
    </div>
  );
}

/** The text that tokens spell, and which of its characters are whose. */
class SpelledText {
  readonly source: string;
  /** `[tokens]` where each begins in the source. */
  private readonly starts: readonly number[];

  constructor(private readonly tokens: readonly StreamedToken[]) {
    const text = tokens.map((token) => token.text).join('');
    this.source = text.trim();
    let at = text.trimStart().length - text.length;
    this.starts = tokens.map((token) => {
      const start = at;
      at += token.text.length;
      return start;
    });
  }

  /** A text that stands at `start` of the source, in the parts that single tokens spelled. */
  parts(text: string, start: number): { readonly part: string; readonly tokenIndex: number }[] {
    const parts: { readonly part: string; readonly tokenIndex: number }[] = [];
    let at = Math.max(
      0,
      this.starts.findLastIndex((begin) => begin <= start),
    );
    let done = 0;
    while (done < text.length && at < this.tokens.length) {
      const end = (this.starts[at + 1] ?? Infinity) - start;
      const part = text.slice(done, Math.max(done, end));
      if (part !== '') parts.push({ part, tokenIndex: this.tokens[at]!.tokenIndex });
      done = Math.max(done, end);
      at++;
    }
    return parts;
  }
}

function tokenIndexOf(target: EventTarget): number | null {
  const token = (target as Element).closest<HTMLElement>('[data-token-index]');
  return token ? Number(token.dataset['tokenIndex']) : null;
}

function walk(
  event: KeyboardEvent,
  tokens: readonly StreamedToken[],
  tokenIndex: number | null,
  view: RunView,
): void {
  const at = tokens.findIndex((token) => token.tokenIndex === tokenIndex);
  const wanted = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tokens.length - 1 }[event.key];
  if (event.key === 'Escape' && tokenIndex !== null) view.endPeek();
  else if (wanted === undefined || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
  else view.peekAtToken(tokens[Math.min(Math.max(wanted, 0), tokens.length - 1)]!.tokenIndex, true);
  event.preventDefault();
  event.stopPropagation();
}
