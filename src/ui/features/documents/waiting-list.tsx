/** The documents that wait to be read, in order: how far it is, and ways to take one back or read it earlier. */
import { ArrowDown, ArrowUp, X } from 'lucide-react';
import { formatCompact, formatCount } from '../../words/format.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { useModel, useSession } from '../../view/hooks.ts';

export function WaitingList() {
  const { actions } = useModel();
  const session = useSession((state) => state.session);
  if (!session || session.pendingTokens === 0) return null;
  const { waiting, pendingTokens, refocusEveryTokens, readOnly } = session;
  const read = waiting[0]?.ingested ?? 0;
  const hasBegun = read > 0;
  return (
    <>
      <div className="ingest-progress">
        <progress aria-label="Ingestion" value={read} max={read + pendingTokens} />
        <span className="muted tabular">{formatCount(pendingTokens)} tokens to go</span>
      </div>
      <p className="muted">{cadenceWords(refocusEveryTokens)}</p>
      <ol className="waiting" aria-label="Waiting documents">
        {waiting.map(({ documentId, title, tokens, ingested }, at) => (
          <li key={documentId}>
            <span className="provenance-title" title={title} translate="no">
              {title}
            </span>
            <span className="muted tabular">{formatCompact(tokens - ingested)} to go</span>
            {!readOnly && (
              <>
                {at > (hasBegun ? 1 : 0) && (
                  <IconButton
                    icon={ArrowUp}
                    label={`Read ${title} earlier`}
                    onClick={() => void actions.moveWaiting(documentId, waiting[at - 1]!.documentId)}
                  />
                )}
                {at < waiting.length - 1 && ingested === 0 && (
                  <IconButton
                    icon={ArrowDown}
                    label={`Read ${title} later`}
                    onClick={() => void actions.moveWaiting(documentId, waiting[at + 2]?.documentId ?? null)}
                  />
                )}
                <IconButton
                  icon={X}
                  label={ingested > 0 ? `Do not read the rest of ${title}` : `Do not read ${title}`}
                  onClick={() => void actions.removeWaiting(documentId)}
                />
              </>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

/** How often focus is renewed meanwhile: the parameter, or what `automatic` makes of what waits. */
function cadenceWords(everyTokens: number | null): string {
  return everyTokens === null
    ? 'Focus is renewed when all of it is read.'
    : `Focus is renewed every ${formatCount(everyTokens)} tokens.`;
}
