/** What one generated token was predicted from: the blocks it attended to, or how to have that recorded. */
import { type CSSProperties, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import type { AttentionReading } from '../../../core/parameters/measurement.ts';
import { type FocusedBlock, type TokenFocus, tokenFocus } from '../../model/token-focus.ts';
import { formatCount, formatPercent, formatPlural, formatSpan, formatToken } from '../../words/format.ts';
import { headName } from '../../words/heads.ts';
import { useModel, useRecording, useRunView, useSession, useViewport } from '../../view/hooks.ts';

const LISTED = 6;

const READINGS: Readonly<Record<AttentionReading, string>> = {
  mean: 'mean of all attention heads',
  'last-layer': 'mean of the last layer’s attention heads',
  'strongest-head': 'the strongest attention head of each slot',
};

interface TokenCardProps {
  readonly tokenIndex: number;
  /** Only then can it be pointed at: else it would take the pointer from the text. */
  readonly held: boolean;
  /** Where the token stands, as `[data-token-index]`. */
  readonly text: RefObject<HTMLElement | null>;
}

export function TokenCard({ tokenIndex, held, text }: TokenCardProps) {
  const view = useRunView();
  const { shell } = useModel();
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = () => {
      const token = text.current && elementOf(text.current, tokenIndex);
      if (card.current && token) placeBeside(card.current, token.getBoundingClientRect());
    };
    place();
    addEventListener('scroll', place, true);
    addEventListener('resize', place);
    return () => {
      removeEventListener('scroll', place, true);
      removeEventListener('resize', place);
    };
  });
  const focus = tokenFocus(view.run, tokenIndex);
  if (!focus) return null;
  return (
    <div
      ref={card}
      translate="no"
      className={`token-card ${held ? 'is-held' : ''}`}
      role="group"
      aria-label="What the token was predicted from"
    >
      <header>
        <strong>{formatToken(focus.text)}</strong>
        <span className="muted tabular">token {formatCount(tokenIndex)}</span>
        <button
          type="button"
          className="link"
          onClick={() => {
            shell.setState({ mobileTab: 'timeline' });
            view.seekTo(focus.index);
          }}
        >
          step {formatCount(focus.step)}
        </button>
      </header>
      {view.source.run.routingAt(focus.index) && <OfHead focus={focus} />}
      {focus.reading ? <Attended focus={focus} reading={focus.reading} /> : <InFocus focus={focus} />}
    </div>
  );
}

/** Whose context the blocks are, of a run with several heads. */
function OfHead({ focus: { head, merged } }: { readonly focus: TokenFocus }) {
  const view = useRunView();
  const isShown = useViewport(() => view.head === head);
  const weights = merged.map(([id, weight]) => `${headName(id)} ${formatPercent(weight)}`);
  return (
    <p className="muted small">
      {merged.length === 0
        ? `${headName(head)} alone was read.`
        : `Merged from ${weights.join(', ')}; what follows is ${headName(head)}’s, which weighed most.`}{' '}
      {!isShown && (
        <button
          type="button"
          className="link"
          onClick={() => {
            view.showHead(head);
          }}
        >
          Show its context
        </button>
      )}
    </p>
  );
}

function Attended({ focus, reading }: { readonly focus: TokenFocus; readonly reading: AttentionReading }) {
  const byShare = focus.blocks.toSorted((a, b) => (b.share ?? 0) - (a.share ?? 0));
  const most = byShare[0]?.share ?? 1;
  const others = byShare.slice(LISTED);
  const otherShare = others.reduce((sum, { share }) => sum + (share ?? 0), focus.rest);
  return (
    <>
      <p className="muted small">Attended to, {READINGS[reading]}:</p>
      <ol>
        {byShare.slice(0, LISTED).map((block) => (
          <li key={block.start}>
            <BlockButton head={focus.head} block={block} bar={(block.share ?? 0) / most} />
          </li>
        ))}
      </ol>
      {otherShare > 0 && (
        <p className="muted small tabular">All other blocks together {formatPercent(otherShare)}</p>
      )}
    </>
  );
}

/** Attention was not recorded: the raw blocks are what the token could read word for word. */
function InFocus({ focus: { head, blocks } }: { readonly focus: TokenFocus }) {
  const { actions } = useModel();
  const isRecorded = useRecording((state) => state.recording !== null);
  const isOff = useSession((state) => state.session?.config.recordAttention === 'off');
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const [refused, setRefused] = useState<string | null>(null);
  const runs = joined(blocks);
  const tokens = blocks.reduce((sum, { start, end }) => sum + end - start, 0);
  return (
    <>
      <p className="muted small">
        In focus: {formatPlural(tokens, 'raw token')} in {formatPlural(runs.length, 'place')}; the rest of the
        history as gists.
      </p>
      <ol>
        {runs.slice(-LISTED).map((block) => (
          <li key={block.start}>
            <BlockButton head={head} block={block} bar={null} />
          </li>
        ))}
      </ol>
      {isRecorded ? (
        <p className="muted small">How much it attended to each was not recorded.</p>
      ) : isOff && !readOnly ? (
        <p className="muted small">
          How much it attended to each is not recorded.{' '}
          <button
            type="button"
            className="link"
            onClick={() => void actions.setParameters({ recordAttention: 'mean' }).then(setRefused)}
          >
            Record attention from now on
          </button>
          {refused !== null && <span role="alert"> {refused}</span>}
        </p>
      ) : (
        <p className="muted small">
          “Record attention” was off when this token was written;{' '}
          {isOff ? 'it still is' : 'later ones have it'}.
        </p>
      )}
    </>
  );
}

interface BlockButtonProps {
  /** Whose context it stands in. */
  readonly head: number;
  readonly block: FocusedBlock;
  /** Of the strongest block; null where nobody knows. */
  readonly bar: number | null;
}

function BlockButton({ head, block, bar }: BlockButtonProps) {
  const view = useRunView();
  const { lod, start, end, share } = block;
  const style: CSSProperties = bar === null ? {} : { '--filled': `${Math.max(2, bar * 100)}%` };
  return (
    <button
      type="button"
      className="token-block"
      style={style}
      onClick={() => {
        view.showOneOf([head]);
        view.select({ lod, start, end });
      }}
    >
      <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
      <span>{lod === 0 ? 'raw' : `LOD${lod}`}</span>
      <span className="tabular">{formatSpan(start, end)}</span>
      {share !== null && <span className="tabular share">{formatPercent(share)}</span>}
    </button>
  );
}

/** Neighbouring raw blocks as one place. */
function joined(blocks: readonly FocusedBlock[]): readonly FocusedBlock[] {
  const runs: FocusedBlock[] = [];
  for (const block of blocks) {
    const last = runs.at(-1);
    if (last?.end === block.start) runs[runs.length - 1] = { ...last, end: block.end };
    else runs.push(block);
  }
  return runs;
}

/** Where a token is drawn; what spells nothing but Markdown's signs stands with the token before it. */
function elementOf(text: HTMLElement, tokenIndex: number): HTMLElement | undefined {
  const drawn = [...text.querySelectorAll<HTMLElement>('[data-token-index]')];
  return drawn.findLast((token) => Number(token.dataset['tokenIndex']) <= tokenIndex) ?? drawn[0];
}

const GAP = 6;
const EDGE = 8;

/** Under the token if there is room, else above it, and never beyond the window. */
function placeBeside(card: HTMLElement, token: DOMRect): void {
  const { offsetWidth, offsetHeight } = card;
  const fitsBelow = token.bottom + GAP + offsetHeight < globalThis.innerHeight - EDGE;
  const top = fitsBelow ? token.bottom + GAP : Math.max(EDGE, token.top - GAP - offsetHeight);
  const left = Math.min(Math.max(EDGE, token.left), globalThis.innerWidth - offsetWidth - EDGE);
  card.style.translate = `${left}px ${top}px`;
}
