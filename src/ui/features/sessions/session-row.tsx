/** One session of the list, with what can be done to it. */
import { Copy, Pencil, RotateCcw, Tag, Trash2, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import type { SessionRecord } from '../../../runtime/engine/protocol/protocol.ts';
import { canChangeSession } from '../../model/session.ts';
import { useModel, useSession } from '../../view/hooks.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatAge, formatCompact } from '../../words/format.ts';
import { copyTitle, withTag } from './session-search.ts';

const MAX_TITLE = 120;
const MAX_TAG = 40;

export function SessionRow({ record }: { readonly record: SessionRecord }) {
  const { actions, models, recordings, shell } = useModel();
  const sessions = useSession((state) => state.sessions);
  const isOpen = useSession((state) => state.session?.record.id === record.id);
  const isFree = useSession(canChangeSession);
  const [editing, setEditing] = useState<'title' | 'tag' | null>(null);
  const { id, title, tags = [] } = record;
  const stopEditing = () => {
    setEditing(null);
  };
  return (
    <li className="session-row" aria-current={isOpen}>
      {editing === 'title' ? (
        <FieldForm
          label={`Name of ${title}`}
          initial={title}
          maxLength={MAX_TITLE}
          onDone={stopEditing}
          onWords={(words) => void actions.change(id, { title: words })}
        />
      ) : (
        <button
          type="button"
          className="session-open"
          disabled={!isFree && !isOpen}
          onClick={() => {
            shell.setState({ dialog: null });
            recordings.close();
            if (!isOpen) void models.openSession(record);
          }}
        >
          <span className="session-name" translate="no">
            {title}
          </span>
          <Facts record={record}>{isOpen && ' · open'}</Facts>
        </button>
      )}
      <div className="session-tags">
        {tags.map((tag) => (
          <button
            key={tag}
            type="button"
            className="session-tag"
            title={`Take the tag ${tag} away`}
            aria-label={`Take the tag ${tag} from ${title}`}
            onClick={() => void actions.change(id, { tags: tags.filter((each) => each !== tag) })}
          >
            <span translate="no">{tag}</span> <X size={12} aria-hidden />
          </button>
        ))}
        {editing === 'tag' && (
          <FieldForm
            label={`Tag for ${title}`}
            initial=""
            maxLength={MAX_TAG}
            onDone={stopEditing}
            onWords={(words) => void actions.change(id, { tags: withTag(tags, words) })}
          />
        )}
      </div>
      <div className="session-acts">
        <IconButton
          icon={Pencil}
          label={`Rename ${title}`}
          onClick={() => {
            setEditing('title');
          }}
        />
        <IconButton
          icon={Tag}
          label={`Add a tag to ${title}`}
          onClick={() => {
            setEditing('tag');
          }}
        />
        <IconButton
          icon={Copy}
          label={`Duplicate ${title}`}
          onClick={() => void actions.duplicate(id, copyTitle(title, sessions))}
        />
        <IconButton icon={Trash2} label={`Delete ${title}`} onClick={() => void actions.remove(record)} />
      </div>
    </li>
  );
}

/** A session that can be taken back, or removed for good once it was asked for twice. */
export function DeletedRow({ record }: { readonly record: SessionRecord }) {
  const { actions } = useModel();
  const [isDoomed, setDoomed] = useState(false);
  const { id, title } = record;
  return (
    <li className="session-row">
      <div className="session-open">
        <span className="session-name" translate="no">
          {title}
        </span>
        <Facts record={record} />
      </div>
      <div className="session-acts">
        <button type="button" className="button" onClick={() => void actions.takeBack(record)}>
          <RotateCcw size={14} aria-hidden /> Restore
        </button>
        <button
          type="button"
          className={isDoomed ? 'button danger' : 'button'}
          aria-label={isDoomed ? `Remove ${title} for good: sure?` : `Remove ${title} for good`}
          onClick={() => {
            if (isDoomed) void actions.removeForGood(id);
            else setDoomed(true);
          }}
          onBlur={() => {
            setDoomed(false);
          }}
        >
          {isDoomed ? 'Sure? It cannot be undone' : 'Remove for good'}
        </button>
      </div>
    </li>
  );
}

interface FactsProps {
  readonly record: SessionRecord;
  readonly children?: ReactNode;
}

function Facts({ record: { tokenCount, updatedAt, modelId }, children }: FactsProps) {
  const [nowMs] = useState(Date.now);
  return (
    <span className="muted small">
      {formatCompact(tokenCount)} tokens · {formatAge(updatedAt, nowMs)} · {modelId}
      {children}
    </span>
  );
}

interface FieldFormProps {
  readonly label: string;
  readonly initial: string;
  readonly maxLength: number;
  readonly onWords: (words: string) => void;
  readonly onDone: () => void;
}

/** A field in a row's place: Enter takes it, Escape and leaving it do not. */
function FieldForm({ label, initial, maxLength, onWords, onDone }: FieldFormProps) {
  const [draft, setDraft] = useState(initial);
  return (
    <form
      className="session-field"
      onSubmit={(event) => {
        event.preventDefault();
        const words = draft.trim();
        if (words !== '' && words !== initial) onWords(words);
        onDone();
      }}
    >
      <input
        type="text"
        aria-label={label}
        autoFocus
        maxLength={maxLength}
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
        }}
        onFocus={(event) => {
          event.target.select();
        }}
        onBlur={onDone}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          // The dialog stays.
          event.preventDefault();
          event.stopPropagation();
          onDone();
        }}
      />
    </form>
  );
}
