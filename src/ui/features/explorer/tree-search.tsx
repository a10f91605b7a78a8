/** Searching the history: by its text, or by likeness to the gists; what is found leads to its block. */
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { GistMatch, SimilarSearch, TextSearch } from '../../../runtime/engine/protocol/protocol.ts';
import { K } from '../../../core/tree/ids.ts';
import { useExplorer, useExplorerState } from './explorer-context.ts';
import { formatCount, formatPlural, formatSpan } from '../../words/format.ts';
import { useViewport } from '../../view/hooks.ts';

const KINDS = [
  { kind: 'text', title: 'Text', hint: 'Where these words stand in the history' },
  { kind: 'meaning', title: 'Meaning', hint: 'The gists of every level that are nearest to this text' },
] as const;

export function TreeSearch() {
  const explorer = useExplorer();
  const searchBy = useExplorerState((state) => state.searchBy);
  const searching = useExplorerState((state) => state.searching);
  const wantsCaret = useExplorerState((state) => state.wantsCaret);
  const [query, setQuery] = useState(() => explorer.state.found?.query ?? '');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!wantsCaret) return;
    field.current!.focus();
    explorer.caretTaken();
  }, [wantsCaret, explorer]);
  return (
    <form
      className="tree-search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        void explorer.search(query);
      }}
    >
      <div className="segmented" role="group" aria-label="Search by">
        {KINDS.map(({ kind, title, hint }) => (
          <button
            key={kind}
            type="button"
            aria-pressed={searchBy === kind}
            title={hint}
            onClick={() => {
              explorer.searchBy(kind, query);
            }}
          >
            {title}
          </button>
        ))}
      </div>
      <input
        ref={field}
        type="text"
        role="searchbox"
        value={query}
        maxLength={2000}
        placeholder={searchBy === 'text' ? 'Find words' : 'Find what is like…'}
        aria-label="Search the history"
        onChange={(event) => {
          setQuery(event.target.value);
          if (event.target.value === '') void explorer.search('');
        }}
      />
      <button type="submit" className="icon-button" aria-label="Search" title="Search" disabled={searching}>
        <Search size={16} aria-hidden />
      </button>
    </form>
  );
}

export function TreeFindings() {
  const found = useExplorerState((state) => state.found);
  if (!found) return null;
  return (
    <section className="tree-findings" aria-label="Search results">
      {found.kind === 'text' ? (
        <TextFindings answer={found.answer} />
      ) : (
        <SimilarFindings answer={found.answer} />
      )}
    </section>
  );
}

function TextFindings({ answer: { hits, total } }: { readonly answer: TextSearch }) {
  return (
    <>
      <p className="muted small" role="status">
        {total === 0
          ? 'These words do not stand in the history. Capitals do not matter; spelling does.'
          : `${formatPlural(total, 'place')}${total > hits.length ? `, the first ${formatCount(hits.length)} listed` : ''}`}
      </p>
      <ol>
        {hits.map(({ start, end, before, match, after }) => (
          <li key={start}>
            <FindingButton lod={0} start={start} end={end} label={formatCount(start)}>
              …{before.slice(-24)}
              <mark>{match}</mark>
              {after}
            </FindingButton>
          </li>
        ))}
      </ol>
    </>
  );
}

function SimilarFindings({ answer: { by, levels } }: { readonly answer: SimilarSearch }) {
  if (levels.length === 0) {
    return (
      <p className="muted small" role="status">
        There are no gists yet: the first one is made of 32 tokens.
      </p>
    );
  }
  return (
    <>
      <p className="muted small" role="status">
        {by === 'gist'
          ? 'Cosine to the gist of the text.'
          : 'Cosine to the mean embedding of the words: fewer than 32 tokens make no gist, and a gist is little like any one of its words. Write a sentence or two as the history would put it, or search by words.'}
      </p>
      {levels.map(({ lod, hits }) => (
        <div key={lod}>
          <h4>
            <i className="swatch" style={{ background: `var(--lod-${lod})` }} /> LOD{lod}
          </h4>
          <ol>
            {hits.map(({ start, end, cosine, text }: GistMatch) => (
              <li key={start}>
                <FindingButton lod={lod} start={start} end={end} label={cosine.toFixed(2)}>
                  {text.trim()}
                </FindingButton>
              </li>
            ))}
          </ol>
        </div>
      ))}
    </>
  );
}

interface FindingProps {
  readonly lod: number;
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly children: React.ReactNode;
}

/** Selects the block that holds what was found and brings it into view. */
function FindingButton({ lod, start, end, label, children }: FindingProps) {
  const explorer = useExplorer();
  const selected = useViewport(
    ({ selection }) => selection?.lod === lod && selection.start <= start && start < selection.end,
  );
  return (
    <button
      type="button"
      aria-current={selected}
      title={formatSpan(start, end)}
      onClick={() => {
        const first = lod === 0 ? Math.floor(start / K) * K : start;
        const node = { lod, start: first, end: lod === 0 ? first + K : end };
        explorer.selectNode(node);
        explorer.zoomToNode({
          ...node,
          start: first - 4 * (node.end - first),
          end: node.end + 4 * (node.end - first),
        });
      }}
    >
      <span className="tabular">{label}</span>
      <span className="finding-text" translate="no">
        {children}
      </span>
    </button>
  );
}
