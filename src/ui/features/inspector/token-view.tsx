/** A block token by token: ids, where words are cut into tokens, and where its edges and those of documents fall. */
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { Fragment, useEffect, useState } from 'react';
import { K } from '../../../core/tree/ids.ts';
import type { ListedToken, ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { formatCount, formatSpan, formatToken } from '../../words/format.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { useModel, useSession } from '../../view/hooks.ts';

/** Tokens before and behind the block, so that what its edges cut can be read. */
const AROUND = 8;
const PAGE = 4 * K;

export function TokenView({ block }: { readonly block: BlockRef }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      className="token-view"
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>Tokens, ids and edges</summary>
      {isOpen && <Pages block={block} />}
    </details>
  );
}

function Pages({ block: { start, end } }: { readonly block: BlockRef }) {
  const [from, setFrom] = useState(start);
  const to = Math.min(end, from + PAGE);
  return (
    <>
      {end - start > PAGE && (
        <div className="button-row">
          <IconButton
            icon={ChevronLeft}
            label="Earlier tokens of the block"
            disabled={from <= start}
            onClick={() => {
              setFrom(Math.max(start, from - PAGE));
            }}
          />
          <span className="muted small tabular">
            {formatSpan(from, to)} of {formatSpan(start, end)}
          </span>
          <IconButton
            icon={ChevronRight}
            label="Later tokens of the block"
            disabled={to >= end}
            onClick={() => {
              setFrom(from + PAGE);
            }}
          />
        </div>
      )}
      <Tokens
        from={Math.max(0, from - AROUND)}
        to={to + AROUND}
        isWithin={(index) => index >= start && index < end}
      />
    </>
  );
}

interface TokensProps {
  readonly from: number;
  readonly to: number;
  /** Whether a token belongs to the block, not to what stands around it. */
  readonly isWithin: (index: number) => boolean;
}

function Tokens({ from, to, isWithin }: TokensProps) {
  const { engine } = useModel();
  const provenance = useSession((state) => state.provenance);
  const [listed, setListed] = useState<{ readonly from: number; readonly tokens: readonly ListedToken[] }>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    let current = true;
    engine.send({ kind: 'tokens', start: from, end: to }).then(
      (tokens) => {
        if (current) setListed({ from, tokens });
      },
      (error: unknown) => {
        if (current) setFailure(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      current = false;
    };
  }, [engine, from, to]);
  if (listed?.from !== from) return <p className="muted small">{failure || 'Reading the tokens…'}</p>;
  return (
    <>
      <p className="muted small">
        A bar is a block’s edge: what stands on either side of it is compressed apart. A double bar is where
        another document or turn begins. Pale tokens stand around the block.
      </p>
      <ol className="token-list" aria-label="Tokens" translate="no">
        {listed.tokens.map(({ id, text }, at) => {
          const index = from + at;
          const edge = edgeBefore(index, provenance);
          return (
            <Fragment key={index}>
              {edge !== null && (
                <li className={`token-edge is-${edge.kind}`} title={edge.words} aria-label={edge.words} />
              )}
              <li
                className={`token-cell ${isWithin(index) ? '' : 'is-around'}`}
                title={`Token ${formatCount(index)}, id ${id}`}
              >
                <span className="mono">{formatToken(text)}</span>
                <span className="token-id tabular">{id}</span>
              </li>
            </Fragment>
          );
        })}
      </ol>
    </>
  );
}

interface Edge {
  readonly kind: 'block' | 'document';
  readonly words: string;
}

/** What begins with a token; null if nothing does. */
function edgeBefore(index: number, provenance: readonly ProvenanceRun[]): Edge | null {
  const begun = provenance.find(({ start }) => start === index && index > 0);
  if (begun) return { kind: 'document', words: `${begun.title} begins at token ${formatCount(index)}` };
  return index % K === 0 ? { kind: 'block', words: `Edge of a block at token ${formatCount(index)}` } : null;
}
