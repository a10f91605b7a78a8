/** The model manager: what runs, what is kept, what could be fetched, and what a model is before it is loaded. */
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { SHIPPED_MODEL } from '../../model/model-manager.ts';
import { canChangeSession } from '../../model/session.ts';
import { useModel, useSession } from '../../view/hooks.ts';
import { Problems } from '../../view/problems.tsx';
import { formatBytes } from '../../words/format.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { Choice } from './choice.tsx';
import { FromDisk } from './from-disk.tsx';
import { FromHub } from './from-hub.tsx';
import { KeptModels } from './kept-models.tsx';

export function ModelsDialog() {
  const { models, shell } = useModel();
  const choice = useStore(models.store, (state) => state.choice);
  useEffect(() => {
    void models.refreshShelf();
  }, [models]);
  return (
    <Dialog
      title="Models"
      className="models"
      onClose={() => {
        models.dismiss();
        shell.setState({ dialog: null });
      }}
    >
      <Wanted />
      <Running />
      <Fetching />
      {choice !== null && <Choice choice={choice} />}
      <KeptModels />
      <FromHub />
      <FromDisk />
      <Problems />
    </Dialog>
  );
}

/** A session was asked for whose model is not here. */
function Wanted() {
  const { models } = useModel();
  const wanted = useStore(models.store, (state) => state.wanted);
  if (wanted === null) return null;
  const origin = models.originOf(wanted);
  const weights = `its weights begin with ${wanted.modelHash.slice(0, 12)}`;
  return (
    <section className="model-choice" aria-label="Missing model" role="status">
      <p>
        <strong>“{wanted.title}”</strong> was made with <span translate="no">{origin?.name ?? wanted.modelId}</span>,
        which is not in this browser ({weights}). The session stays as it is.{' '}
        {origin === null
          ? 'Load that model from the hub or from disk; the session is opened with it.'
          : origin.origin === null
            ? 'It came from disk: choose its files again; the session is opened with it.'
            : `Fetch it from ${origin.origin}; the session is opened with it.`}
      </p>
    </section>
  );
}

/** The model that runs, or how far loading one is. */
function Running() {
  const { models } = useModel();
  const place = useStore(models.store, (state) => state.place);
  const model = useSession((state) => state.boot?.model);
  const phase = useSession((state) => state.phase);
  const isFree = useSession(canChangeSession);
  const progress = useSession((state) => state.progress);
  if (phase === 'booting') {
    return (
      <section aria-label="Loading" role="status">
        <h3>Loading…</h3>
        <progress
          aria-label="Loading the model"
          {...(progress && progress.total > 0 ? { value: progress.done, max: progress.total } : {})}
        />
        <p className="muted small">
          {progress?.label ?? 'Starting the backend…'} The page stays usable; the session is stored.
        </p>
      </section>
    );
  }
  return (
    <section aria-label="Running">
      <h3>
        <span translate="no">{model?.title ?? 'No model'}</span> <span className="muted">runs now</span>
      </h3>
      {model?.headsTitle && (
        <p className="small">
          With <span translate="no">{model.headsTitle}</span>: a GistNet and a LensNet that were trained for this
          base. Parameters begin as they were measured best with them.
        </p>
      )}
      {model && !model.hasHeads && (
        <p className="small">
          Nobody trained a GistNet and a LensNet for this base. Gists are means of their tokens and are left out
          of what the base reads (<code>gistInput</code>); keyword search (<code>bm25</code>) chooses what is
          expanded.
        </p>
      )}
      {place.kind !== 'shipped' && (
        <button
          type="button"
          className="button"
          disabled={!isFree}
          onClick={() => void models.use(SHIPPED_MODEL)}
        >
          Go back to the embedded model
        </button>
      )}
    </section>
  );
}

/** One bar over all files of the model that is fetched or copied. */
function Fetching() {
  const { models } = useModel();
  const fetching = useStore(models.store, (state) => state.fetching);
  if (fetching === null) return null;
  const { name, isCopy, receivedBytes, totalBytes } = fetching;
  const verb = isCopy ? 'Copying' : 'Fetching';
  return (
    <section aria-label={`${verb} ${name}`}>
      <h3>
        {verb} <span translate="no">{name}</span>
      </h3>
      <progress
        aria-label={`${verb} ${name}`}
        {...(totalBytes > 0 ? { value: receivedBytes, max: totalBytes } : {})}
      />
      <div className="button-row">
        <span className="muted tabular">
          {totalBytes > 0 ? `${formatBytes(receivedBytes)} of ${formatBytes(totalBytes)}` : 'Connecting…'}
        </span>
        <button type="button" className="button" onClick={() => void models.pauseFetch()}>
          {isCopy ? 'Stop' : 'Pause'}
        </button>
      </div>
    </section>
  );
}
