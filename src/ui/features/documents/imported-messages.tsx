/**
 * The messages of logs that were brought along, in order. Each leads to the refocus that followed it: what would have
 * been in the context there, under the policy that was replayed.
 */
import { group } from 'd3';
import type { ProvenanceRun } from '../../../runtime/engine/protocol/protocol.ts';
import { logOf } from '../../../core/tree/provenance.ts';
import { DocumentActs, useIsHidden } from './document-acts.tsx';
import { firstFrameAt } from '../../model/frame-search.ts';
import { formatCompact, formatCount, formatSpan } from '../../words/format.ts';
import { useModel, useRunView, useSession } from '../../view/hooks.ts';

export function ImportedMessages() {
  const provenance = useSession((state) => state.provenance);
  const logs = group(provenance, ({ documentId }) => logOf(documentId));
  return [...logs].map(([log, messages]) => log !== null && <Log key={log} log={log} messages={messages} />);
}

function Log({ log, messages }: { readonly log: string; readonly messages: readonly ProvenanceRun[] }) {
  const isHidden = useIsHidden(log);
  return (
    <details className={`imported-messages ${isHidden ? 'is-hidden' : ''}`} open>
      <summary>
        {formatCount(messages.length)} imported messages{' '}
        <span className="muted">– {isHidden ? 'hidden from focus' : 'what was in context there'}</span>
      </summary>
      <div className="button-row">
        <DocumentActs documentId={log} title="these messages" />
      </div>
      <ol aria-label="Imported messages" tabIndex={0}>
        {messages.map((message) => (
          <Message key={message.documentId} message={message} />
        ))}
      </ol>
    </details>
  );
}

function Message({ message: { title, role, start, end, wallClockMs } }: { readonly message: ProvenanceRun }) {
  const view = useRunView();
  const { shell } = useModel();
  const when = new Date(wallClockMs).toISOString().slice(0, 19).replace('T', ' ');
  return (
    <li>
      <button
        type="button"
        className={`imported-message is-${role}`}
        title={`Tokens ${formatSpan(start, end)}, ${when} UTC: show the working context after it`}
        onClick={() => {
          shell.setState({ mobileTab: 'timeline' });
          view.seekTo(firstFrameAt(view.run, end));
          view.viewport.showSpan({ start, end });
        }}
      >
        <span className="provenance-title" translate="no">
          {title}
        </span>
        <span className="muted tabular">{formatCompact(end - start)}</span>
      </button>
    </li>
  );
}
