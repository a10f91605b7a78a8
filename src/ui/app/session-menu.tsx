/** Switch, create, rename and delete sessions. */
import { ChevronDown, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { SessionRecord } from '../../runtime/engine/protocol/protocol.ts';
import { ShareMenu } from '../features/share/share-menu.tsx';
import { canChangeSession } from '../model/session.ts';
import { formatAge, formatCompact } from '../words/format.ts';
import { Dialog } from '../widgets/dialog.tsx';
import { IconButton } from '../widgets/icon-button.tsx';
import { Popover } from '../widgets/popover.tsx';
import { useModel, useSession } from '../view/hooks.ts';

export function SessionMenu() {
  const { actions, models, recordings, problems } = useModel();
  const session = useSession((state) => state.session);
  const sessions = useSession((state) => state.sessions);
  const modelId = useSession((state) => state.boot?.model.id);
  const isBooted = useSession((state) => state.boot !== null);
  const isFree = useSession(canChangeSession);
  const [doomed, setDoomed] = useState<SessionRecord | null>(null);
  const title = session?.record.title ?? 'No session';
  return (
    <>
      <Popover
        label={`Session: ${title}`}
        className="session-button"
        onOpen={() => {
          if (isBooted) void actions.refreshSessions();
        }}
        button={
          <>
            <span className="session-title" translate="no">
              {title}
            </span>
            <ChevronDown size={14} aria-hidden />
          </>
        }
      >
        {(close) => (
          <>
            {session && (
              <RenameForm key={session.record.id} title={session.record.title} disabled={session.readOnly} />
            )}
            <div className="menu" role="group" aria-label="Sessions">
              {sessions.map((record) => (
                <div key={record.id} className="menu-row">
                  <button
                    type="button"
                    className="menu-item"
                    disabled={!isFree && record.id !== session?.record.id}
                    aria-pressed={record.id === session?.record.id}
                    onClick={() => {
                      close();
                      recordings.close();
                      if (record.id !== session?.record.id) void models.openSession(record);
                    }}
                  >
                    <span>{record.title}</span>
                    <span className="muted">
                      {formatCompact(record.tokenCount)} tokens · {formatAge(record.updatedAt, Date.now())}
                      {record.modelId !== modelId && ` · ${models.originOf(record)?.name ?? record.modelId}`}
                    </span>
                  </button>
                  <IconButton
                    icon={Trash2}
                    label={`Delete ${record.title}`}
                    onClick={() => {
                      setDoomed(record);
                    }}
                  />
                </div>
              ))}
            </div>
            <div className="menu-actions">
              <button
                type="button"
                className="button"
                disabled={!isFree}
                onClick={() => {
                  close();
                  recordings.close();
                  actions.create(`Session ${sessions.length + 1}`).catch((error: unknown) => {
                    problems.reportError('The session could not be created', error);
                  });
                }}
              >
                <Plus size={14} aria-hidden /> New session
              </button>
            </div>
            <ShareMenu hasSession={session !== null} close={close} />
          </>
        )}
      </Popover>
      {doomed && (
        <Dialog
          title="Delete this session?"
          onClose={() => {
            setDoomed(null);
          }}
        >
          <p>
            “{doomed.title}” with its {formatCompact(doomed.tokenCount)} tokens, chat and trace will be
            removed from this browser. This cannot be undone.
          </p>
          <div className="dialog-actions">
            <button
              type="button"
              className="button"
              autoFocus
              onClick={() => {
                setDoomed(null);
              }}
            >
              Keep it
            </button>
            <button
              type="button"
              className="button danger"
              onClick={() => {
                setDoomed(null);
                void actions.remove(doomed);
              }}
            >
              Delete
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function RenameForm({ title, disabled }: { readonly title: string; readonly disabled: boolean }) {
  const { actions } = useModel();
  const [draft, setDraft] = useState(title);
  const wanted = draft.trim();
  return (
    <form
      className="rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted !== '' && wanted !== title) void actions.rename(wanted);
      }}
    >
      <input
        type="text"
        aria-label="Session name"
        value={draft}
        maxLength={120}
        disabled={disabled}
        onChange={(event) => {
          setDraft(event.target.value);
        }}
      />
      <button type="submit" className="button" disabled={disabled || wanted === '' || wanted === title}>
        <Pencil size={14} aria-hidden /> Rename
      </button>
    </form>
  );
}
