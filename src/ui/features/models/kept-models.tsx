/** The models that this browser keeps: load, go on fetching, delete; and how much they take. */
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useStore } from 'zustand';
import type { KeptModel } from '../../../runtime/engine/protocol/protocol.ts';
import { canChangeSession } from '../../model/session.ts';
import { useModel, useSession } from '../../view/hooks.ts';
import { IconButton } from '../../widgets/icon-button.tsx';
import { formatBytes, formatPercent } from '../../words/format.ts';

export function KeptModels() {
  const { models } = useModel();
  const shelf = useStore(models.store, (state) => state.shelf);
  return (
    <section aria-label="In this browser">
      <h3>In this browser</h3>
      {shelf === null && <p role="status">Looking…</p>}
      {shelf?.unavailable != null && (
        <p className="warning-text">
          {shelf.unavailable}. Leave private browsing or allow site data to keep models; files from disk can be
          opened all the same.
        </p>
      )}
      {shelf?.unavailable === null && shelf.models.length === 0 && (
        <p className="muted small">Nothing yet. What is fetched or copied here works offline afterwards.</p>
      )}
      {shelf !== null && shelf.models.length > 0 && (
        <ul className="kept-models">
          {shelf.models.map((kept) => (
            <KeptRow key={kept.plan.folder} kept={kept} />
          ))}
        </ul>
      )}
      {shelf?.usageBytes != null && shelf.quotaBytes !== null && (
        <p className="muted small">
          The page keeps {formatBytes(shelf.usageBytes)} of the {formatBytes(shelf.quotaBytes)} that this browser
          gives it, sessions among them.
        </p>
      )}
    </section>
  );
}

function KeptRow({ kept }: { readonly kept: KeptModel }) {
  const { models } = useModel();
  const { plan, isComplete, receivedBytes, totalBytes } = kept;
  const { folder, name, origin } = plan;
  const place = useStore(models.store, (state) => state.place);
  const fetching = useStore(models.store, (state) => state.fetching);
  const isFree = useSession(canChangeSession);
  const [isDoomed, setDoomed] = useState(false);
  const isRunning = place.kind === 'kept' && place.folder === folder;
  const isFetching = fetching?.folder === folder;
  const canResume = !isComplete && plan.files.some(({ url }) => url !== null);
  return (
    <li>
      <div>
        <strong translate="no">{name}</strong>
        <span className="muted small">
          {isComplete ? formatBytes(totalBytes) : wordsOfPart(receivedBytes, totalBytes)}
          {' · '}
          {origin === null ? 'from disk' : `commit ${origin.split('@')[1]?.slice(0, 7) ?? 'unknown'}`}
          {plan.licence !== null && ` · ${plan.licence}`}
        </span>
      </div>
      {isRunning && <span className="muted small">runs now</span>}
      {isComplete && !isRunning && (
        <button
          type="button"
          className="button"
          disabled={!isFree}
          aria-label={`Look at ${name}`}
          onClick={() => void models.look({ kind: 'kept', folder, name })}
        >
          Load…
        </button>
      )}
      {canResume && !isFetching && (
        <button
          type="button"
          className="button"
          disabled={fetching !== null}
          aria-label={`Go on fetching ${name}`}
          onClick={() => void models.fetch(plan)}
        >
          Resume
        </button>
      )}
      {isDoomed ? (
        <button
          type="button"
          className="button danger"
          autoFocus
          aria-label={`Delete ${name} from this browser`}
          onClick={() => void models.remove(folder)}
          onBlur={() => {
            setDoomed(false);
          }}
        >
          Delete
        </button>
      ) : (
        !isRunning &&
        !isFetching && (
          <IconButton
            icon={Trash2}
            label={`Delete ${name}`}
            onClick={() => {
              setDoomed(true);
            }}
          />
        )
      )}
    </li>
  );
}

function wordsOfPart(receivedBytes: number, totalBytes: number): string {
  if (totalBytes === 0) return 'damaged: delete it';
  return `${formatPercent(receivedBytes / totalBytes)} of ${formatBytes(totalBytes)}`;
}
