/** The model manager: what runs, what could, and what a model is before anything of it is loaded. */
import { FileUp, FolderOpen } from 'lucide-react';
import { useRef } from 'react';
import { useStore } from 'zustand';
import type { ModelChoice } from '../../model/model-manager.ts';
import { SHIPPED_MODEL } from '../../model/model-manager.ts';
import { canChangeSession } from '../../model/session.ts';
import { Problems } from '../../view/problems.tsx';
import { useModel, useSession } from '../../view/hooks.ts';
import { Dialog } from '../../widgets/dialog.tsx';
import { CheckFacts } from './check-facts.tsx';

export function ModelsDialog() {
  const { models, shell } = useModel();
  const choice = useStore(models.store, (state) => state.choice);
  return (
    <Dialog
      title="Models"
      className="models"
      onClose={() => {
        models.dismiss();
        shell.setState({ dialog: null });
      }}
    >
      <Running />
      {choice !== null && <Choice choice={choice} />}
      <FromDisk />
      <Problems />
    </Dialog>
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
      {model && !model.hasHeads && <WithoutHeads />}
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

/** What a base runs with until heads are trained for it. */
export function WithoutHeads() {
  return (
    <p className="small">
      Nobody trained a GistNet and a LensNet for this base. Gists are means of their tokens and are left out of
      what the base reads; keyword search (BM25) chooses what is expanded. Both are parameters.
    </p>
  );
}

function Choice({ choice }: { readonly choice: ModelChoice }) {
  const { models, shell, mirror } = useModel();
  const isFree = useSession(canChangeSession);
  const { name, place, check, problem } = choice;
  const load = async () => {
    await models.use(place);
    if (mirror.getState().phase === 'ready' && models.store.getState().choice === null) {
      shell.setState({ dialog: null });
    }
  };
  return (
    <section className="model-choice" aria-label={`Chosen: ${name}`}>
      <h3 translate="no">{check?.name ?? name}</h3>
      {problem !== null && (
        <div role="alert">
          <p>{problem.message}</p>
          {problem.tryNext !== '' && <p className="muted">{problem.tryNext}</p>}
        </div>
      )}
      {problem === null && check === null && <p role="status">Reading what it is…</p>}
      {check !== null && <CheckFacts check={check} />}
      <div className="button-row">
        {check !== null && (
          <button
            type="button"
            className="button primary"
            data-first-focus
            disabled={!isFree || check.forecast.fits === 'no'}
            onClick={() => void load()}
          >
            Load it, in a new session
          </button>
        )}
        <button
          type="button"
          className="button"
          onClick={() => {
            models.dismiss();
          }}
        >
          Leave it
        </button>
      </div>
    </section>
  );
}

function FromDisk() {
  const { models } = useModel();
  const file = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) void models.choose(files);
  };
  return (
    <section aria-label="From disk">
      <h3>From disk</h3>
      <p className="muted small">
        A GGUF file, or a folder with config.json, tokenizer.json, tokenizer_config.json and safetensors. Or drop
        them anywhere on the page.
      </p>
      <div className="button-row">
        <button type="button" className="button" onClick={() => file.current?.click()}>
          <FileUp size={14} aria-hidden /> Choose a GGUF file
        </button>
        <button type="button" className="button" onClick={() => folder.current?.click()}>
          <FolderOpen size={14} aria-hidden /> Choose a folder
        </button>
      </div>
      <input
        ref={file}
        type="file"
        hidden
        aria-label="GGUF file"
        onChange={(event) => {
          take(event.target);
        }}
      />
      <input
        ref={folder}
        type="file"
        hidden
        multiple
        {...{ webkitdirectory: '' }}
        aria-label="Model folder"
        onChange={(event) => {
          take(event.target);
        }}
      />
    </section>
  );
}
