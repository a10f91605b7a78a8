/** A block of a recording: what the trace tells of it. Its text and tree stay where it was recorded. */
import { ActionHistory, ScoreHistory } from './block-story.tsx';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import type { BlockRef } from '../../model/viewport.ts';
import { formatPlural, formatSpan } from '../../words/format.ts';

export function RecordedBlock({ block }: { readonly block: BlockRef }) {
  const { lod, start, end } = block;
  const index = useShownIndexSlowly();
  return (
    <div className="inspector" aria-label="Selected block">
      <header className="inspector-head">
        <h3>
          <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
          {lod === 0 ? 'Raw tokens' : `Gist, LOD${lod}`}
        </h3>
        <p className="muted tabular">
          {formatSpan(start, end)} · {formatPlural(end - start, 'token')}
        </p>
        <p className="presence">In a recording: a trace keeps scores and actions, not the text.</p>
      </header>
      <ScoreHistory block={block} index={index} />
      <ActionHistory block={block} index={index} />
    </div>
  );
}
