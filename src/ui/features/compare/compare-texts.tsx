/** What both runs hold in words: the working contexts at the playhead, and the answers that were generated. */
import { useEffect, useState } from 'react';
import { type TextPiece, compareTexts } from '../../../core/trace/run-comparison-text.ts';
import { compareContexts } from '../../../core/trace/divergence.ts';
import type { ContextStretch } from '../../../core/trace/divergence.ts';
import type { LayoutEntry } from '../../../core/trace/telemetry.ts';
import { formatCount, formatPlural, formatSpan } from '../../words/format.ts';
import { SIDES, type Side } from './sides.ts';
import type { Comparison } from './comparison.ts';
import { readTexts } from './span-texts.ts';

/** Stretches that are written out; the rest is counted. */
const MOST_STRETCHES = 60;
/** Of a gist's source, as much as one block. */
const SOURCE_TOKENS = 32;

interface ContextTextsProps {
  readonly comparison: Comparison;
  readonly place: number;
}

export function ContextTexts({ comparison, place }: ContextTextsProps) {
  const [showsAll, setShowsAll] = useState(false);
  const stretches = compareContexts(comparison.layoutOf('a', place), comparison.layoutOf('b', place));
  const differing = stretches.filter(({ isSame }) => !isSame);
  const listed = (showsAll ? stretches : differing).slice(0, MOST_STRETCHES);
  const texts = useTexts(listed, comparison.sources);
  const hidden = (showsAll ? stretches.length : differing.length) - listed.length;
  return (
    <section className="compare-section" aria-label="Working contexts in words">
      <div className="panel-heading">
        <h3>Working contexts at the playhead</h3>
        <label className="checkbox">
          <input
            type="checkbox"
            checked={showsAll}
            onChange={(event) => {
              setShowsAll(event.target.checked);
            }}
          />
          Also what both hold alike
        </label>
      </div>
      <p className="muted small">
        {differing.length === 0
          ? 'Both hold the same blocks at the same levels.'
          : `${formatPlural(differing.length, 'stretch', 'stretches')} of the history differ, ${formatCount(stretches.length - differing.length)} blocks are the same.`}
      </p>
      {listed.length > 0 && (
        <table className="compare-table context-table" translate="no">
          <thead>
            <tr>
              <th scope="col">Tokens</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {listed.map((stretch) => (
              <tr key={stretch.start} className={stretch.isSame ? '' : 'differs'}>
                <th scope="row">{formatSpan(stretch.start, stretch.end)}</th>
                {SIDES.map((side) => (
                  <td key={side}>
                    <Entries entries={stretch[side]} texts={texts[side]} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {hidden > 0 && <p className="muted small">{formatPlural(hidden, 'more stretch', 'more stretches')}.</p>}
    </section>
  );
}

/** More entries than this are told by their number: a gist that stands expanded in the other run. */
const MOST_ENTRIES = 4;

function Entries({ entries, texts }: { readonly entries: readonly LayoutEntry[]; readonly texts: Texts }) {
  if (entries.length === 0) return <span className="muted">not in the window</span>;
  return (
    <>
      {entries.slice(0, MOST_ENTRIES).map((entry) => {
        const [lod, start, end] = entry;
        const text = texts.get(start);
        return (
          <span key={start} className={`context-entry ${lod === 0 ? '' : 'is-gist'}`}>
            <span className="context-lod">
              <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
              {lod === 0 ? 'raw' : `LOD${lod}`}
            </span>{' '}
            {text === undefined || text === '' ? (
              <span className="muted">{formatPlural(end - start, 'token')}</span>
            ) : (
              text
            )}
            {lod > 1 && text ? '…' : ''}
          </span>
        );
      })}
      {entries.length > MOST_ENTRIES && (
        <span className="muted">and {formatPlural(entries.length - MOST_ENTRIES, 'more block')}</span>
      )}
    </>
  );
}

/** Texts by the first token of an entry. */
type Texts = ReadonlyMap<number, string>;
const NO_TEXTS: Readonly<Record<Side, Texts>> = { a: new Map(), b: new Map() };

/** The texts of entries, from whoever keeps them; what the model wrote is known to every trace. */
function useTexts(
  stretches: readonly ContextStretch[],
  sources: Comparison['sources'],
): Readonly<Record<Side, Texts>> {
  const [texts, setTexts] = useState(NO_TEXTS);
  const key = stretches.map(({ start, end, isSame }) => `${start}-${end}${isSame ? '=' : ''}`).join();
  useEffect(() => {
    let isCurrent = true;
    const read = async (side: Side): Promise<Texts> => {
      const entries = stretches.flatMap((stretch) => stretch[side].slice(0, MOST_ENTRIES));
      const spans = entries.map(
        ([lod, start, end]) => [start, lod === 0 ? end : Math.min(end, start + SOURCE_TOKENS)] as const,
      );
      const found = await readTexts(sources[side], spans);
      return new Map(entries.map(([, start], i) => [start, found[i] ?? '']));
    };
    void Promise.all(SIDES.map(read)).then(([a, b]) => {
      if (isCurrent && a && b) setTexts({ a, b });
    });
    return () => {
      isCurrent = false;
    };
    // The key says all there is to know of the stretches.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  return texts;
}

export function AnswerTexts({ comparison }: { readonly comparison: Comparison }) {
  const a = comparison.sources.a.answers();
  const b = comparison.sources.b.answers();
  const count = Math.max(a.length, b.length);
  return (
    <section className="compare-section" aria-label="Answers">
      <h3>Answers</h3>
      {count === 0 && <p className="muted">Nothing was asked in either run.</p>}
      {Array.from({ length: count }, (_, i) => {
        const compared = compareTexts(a[i]?.text ?? '', b[i]?.text ?? '');
        return (
          <article key={i} className="compare-answer" translate="no">
            <h4>{a[i]?.question ?? b[i]?.question ?? `Answer ${i + 1}`}</h4>
            {SIDES.map((side) => (
              <p key={side}>
                <strong>{side.toUpperCase()}</strong>{' '}
                {(side === 'a' ? a[i] : b[i]) === undefined ? (
                  <em className="muted">not asked</em>
                ) : (
                  <Pieces pieces={compared[side]} />
                )}
              </p>
            ))}
          </article>
        );
      })}
    </section>
  );
}

function Pieces({ pieces }: { readonly pieces: readonly TextPiece[] }) {
  if (pieces.length === 0) return <em className="muted">(nothing)</em>;
  return pieces.map(({ text, isShared }, i) => (isShared ? text : <mark key={i}>{text}</mark>));
}
