/** All sessions of this browser: find, open, rename, tag, duplicate, delete, and take back what was deleted. */
import { useEffect, useState } from 'react';
import type { SessionRecord } from '../../../runtime/engine/protocol/protocol.ts';
import { useModel, useSession } from '../../view/hooks.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { formatCount, formatPlural } from '../../words/format.ts';
import { DeletedRow, SessionRow } from './session-row.tsx';
import { searchSessions, tagsOf } from './session-search.ts';

export function SessionsDialog() {
  const { actions, shell } = useModel();
  const isBooted = useSession((state) => state.boot !== null);
  const sessions = useSession((state) => state.sessions);
  const deleted = useSession((state) => state.deletedSessions);
  const [words, setWords] = useState('');
  const [tag, setTag] = useState<string | null>(null);
  const [showsDeleted, setShowsDeleted] = useState(false);
  // Other tabs change them, too.
  useEffect(() => {
    if (isBooted) void actions.refreshSessions();
  }, [actions, isBooted]);
  const tags = tagsOf(sessions);
  const chosen = tag !== null && tags.includes(tag) ? tag : null;
  const listed = searchSessions(showsDeleted ? deleted : sessions, {
    words,
    tag: showsDeleted ? null : chosen,
  });
  return (
    <Dialog
      title="Sessions"
      className="sessions-dialog"
      onClose={() => {
        shell.setState({ dialog: null });
      }}
    >
      <div className="sessions-tools">
        <input
          type="text"
          role="searchbox"
          aria-label="Search the sessions"
          placeholder="Find by title, tag or model"
          data-first-focus
          value={words}
          onChange={(event) => {
            setWords(event.target.value);
          }}
        />
        <div className="segmented" role="group" aria-label="Which sessions">
          <button
            type="button"
            aria-pressed={!showsDeleted}
            onClick={() => {
              setShowsDeleted(false);
            }}
          >
            Kept ({formatCount(sessions.length)})
          </button>
          <button
            type="button"
            aria-pressed={showsDeleted}
            onClick={() => {
              setShowsDeleted(true);
            }}
          >
            Deleted ({formatCount(deleted.length)})
          </button>
        </div>
      </div>
      {tags.length > 0 && !showsDeleted && (
        <div className="sessions-tags" role="group" aria-label="Only with the tag">
          {tags.map((each) => (
            <button
              key={each}
              type="button"
              className="session-tag"
              aria-pressed={each === chosen}
              onClick={() => {
                setTag(each === chosen ? null : each);
              }}
            >
              <span translate="no">{each}</span>
            </button>
          ))}
        </div>
      )}
      <p className="muted small" role="status">
        {wordsOf(listed, showsDeleted ? deleted : sessions, showsDeleted)}
      </p>
      <ul className="sessions-list" aria-label={showsDeleted ? 'Deleted sessions' : 'Kept sessions'}>
        {listed.map((record) =>
          showsDeleted ? (
            <DeletedRow key={record.id} record={record} />
          ) : (
            <SessionRow key={record.id} record={record} />
          ),
        )}
      </ul>
    </Dialog>
  );
}

function wordsOf(
  listed: readonly SessionRecord[],
  all: readonly SessionRecord[],
  areDeleted: boolean,
): string {
  if (all.length === 0) {
    return areDeleted
      ? 'Nothing was deleted lately. A deleted session can be taken back here for seven days.'
      : 'There is no session yet: “New session” in the session menu makes one.';
  }
  if (listed.length === 0) return 'No session has these words: try fewer of them, or another tag.';
  if (areDeleted) return 'Deleted sessions are removed for good after seven days.';
  return listed.length === all.length
    ? formatPlural(all.length, 'session')
    : `${formatCount(listed.length)} of ${formatPlural(all.length, 'session')}`;
}
