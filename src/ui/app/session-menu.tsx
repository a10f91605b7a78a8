/** Switch, create, rename and delete sessions; all of them stand in a dialog of their own. */
import { ChevronDown, Library, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { ShareMenu } from '../features/share/share-menu.tsx';
import { canChangeSession } from '../model/session.ts';
import { formatAge, formatCompact } from '../words/format.ts';
import { IconButton } from '../widgets/icon-button.tsx';
import { Popover } from '../widgets/popover.tsx';
import { useModel, useSession } from '../view/hooks.ts';

/** The newest sessions; the others are found in the dialog. */
const LISTED = 12;

export function SessionMenu() {
  const { actions, models, recordings, problems, shell } = useModel();
  const session = useSession((state) => state.session);
  const sessions = useSession((state) => state.sessions);
  const modelId = useSession((state) => state.boot?.model.id);
  const isBooted = useSession((state) => state.boot !== null);
  const isFree = useSession(canChangeSession);
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
              <RenameForm
                key={session.record.id}
                sessionId={session.record.id}
                title={session.record.title}
                disabled={session.readOnly}
              />
            )}
            <div className="menu" role="group" aria-label="Sessions">
              {sessions.slice(0, LISTED).map((record) => (
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
                    onClick={() => void actions.remove(record)}
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
              <button
                type="button"
                className="button"
                onClick={() => {
                  close();
                  shell.setState({ dialog: 'sessions' });
                }}
              >
                <Library size={14} aria-hidden /> All sessions…
              </button>
            </div>
            <ShareMenu hasSession={session !== null} close={close} />
          </>
        )}
      </Popover>
    </>
  );
}

interface RenameFormProps {
  readonly sessionId: string;
  readonly title: string;
  readonly disabled: boolean;
}

function RenameForm({ sessionId, title, disabled }: RenameFormProps) {
  const { actions } = useModel();
  const [draft, setDraft] = useState(title);
  const wanted = draft.trim();
  return (
    <form
      className="rename"
      onSubmit={(event) => {
        event.preventDefault();
        if (wanted !== '' && wanted !== title) void actions.change(sessionId, { title: wanted });
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
