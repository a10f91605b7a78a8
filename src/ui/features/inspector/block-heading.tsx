/** What an inspected block is: its level and colour, the tokens it covers, and a line about it. */
import type { ReactNode } from 'react';
import type { BlockRef } from '../../model/viewport.ts';
import { useRunView, useViewport } from '../../view/hooks.ts';
import { formatPlural, formatSpan } from '../../words/format.ts';
import { headName } from '../../words/heads.ts';

interface BlockHeadingProps {
  readonly block: BlockRef;
  /** The line: where the block stands now, or in which recording. */
  readonly children: ReactNode;
}

export function BlockHeading({ block: { lod, start, end }, children }: BlockHeadingProps) {
  const view = useRunView();
  const head = useViewport(() => view.head);
  return (
    <header className="inspector-head">
      <h3>
        <i className="swatch" style={{ background: `var(--lod-${lod})` }} />
        {lod === 0 ? 'Raw tokens' : `Gist, LOD${lod}`}
      </h3>
      <p className="muted tabular">
        {formatSpan(start, end)} · {formatPlural(end - start, 'token')}
        {view.source.run.headIds.length > 1 && ` · ${headName(head)}`}
      </p>
      {children}
    </header>
  );
}
