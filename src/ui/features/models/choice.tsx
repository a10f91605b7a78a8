/** A model that was chosen: what it is, and the button that fetches or loads it. */
import { useState } from 'react';
import { useStore } from 'zustand';
import type { ModelOffer } from '../../../runtime/engine/protocol/protocol.ts';
import type { ModelChoice } from '../../model/model-manager.ts';
import { canChangeSession } from '../../model/session.ts';
import { useModel, useSession } from '../../view/hooks.ts';
import { formatBytes } from '../../words/format.ts';
import { CheckFacts } from './check-facts.tsx';

export function Choice({ choice }: { readonly choice: ModelChoice }) {
  const { name, check, problem, offer, place } = choice;
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
      {offer !== null && <OfferedFile offer={offer} />}
      {place?.kind === 'files' && check !== null ? (
        <FromFiles key={name} choice={choice} />
      ) : (
        <div className="button-row">
          {offer !== null && <FetchButton offer={offer} />}
          {place !== null && check !== null && <LoadButton choice={choice} />}
          <LeaveButton />
        </div>
      )}
      {offer?.noRoom != null && <p className="warning-text">{offer.noRoom}</p>}
    </section>
  );
}

function LeaveButton() {
  const { models } = useModel();
  return (
    <button
      type="button"
      className="button"
      onClick={() => {
        models.dismiss();
      }}
    >
      Leave it
    </button>
  );
}

/** Chosen files are gone after a reload, unless they are copied. */
function FromFiles({ choice }: { readonly choice: ModelChoice }) {
  const { models } = useModel();
  const unavailable = useStore(models.store, (state) => state.shelf?.unavailable ?? null);
  const [isKept, setKept] = useState(true);
  const canKeep = unavailable === null;
  return (
    <>
      <label className="check">
        <input
          type="checkbox"
          checked={isKept && canKeep}
          disabled={!canKeep}
          onChange={(event) => {
            setKept(event.target.checked);
          }}
        />{' '}
        Keep a copy in this browser, so that it is there after a reload
      </label>
      {!canKeep && <p className="muted small">{unavailable}.</p>}
      <div className="button-row">
        <LoadButton choice={choice} isKept={isKept && canKeep} />
        <LeaveButton />
      </div>
    </>
  );
}

function LoadButton({ choice, isKept = false }: { readonly choice: ModelChoice; readonly isKept?: boolean }) {
  const { models, shell, mirror } = useModel();
  const isFree = useSession(canChangeSession);
  const isFetching = useStore(models.store, (state) => state.fetching !== null);
  const isTooLarge = choice.check?.forecast.fits === 'no';
  const load = async () => {
    const { place } = choice;
    if (place === null) return;
    if (isKept && place.kind === 'files') await models.keepAndUse(place);
    else await models.use(place);
    const isLoaded = models.store.getState().choice === null;
    if (isLoaded && mirror.getState().phase === 'ready') shell.setState({ dialog: null });
  };
  return (
    <button
      type="button"
      className="button primary"
      disabled={!isFree || isTooLarge || (isKept && isFetching)}
      onClick={() => void load()}
    >
      Load it, in a new session
    </button>
  );
}

function FetchButton({ offer }: { readonly offer: ModelOffer }) {
  const { models } = useModel();
  const isFetching = useStore(models.store, (state) => state.fetching !== null);
  const isTooLarge = offer.check.forecast.fits === 'no';
  return (
    <button
      type="button"
      className="button primary"
      disabled={isFetching || isTooLarge || offer.noRoom !== null}
      onClick={() => void models.fetch(offer.plan)}
    >
      Fetch {formatBytes(offer.check.fileBytes)} and keep it here
    </button>
  );
}

/** A repository may hold the same model in several forms. */
function OfferedFile({ offer }: { readonly offer: ModelOffer }) {
  const { models } = useModel();
  if (offer.choices.length < 2) return null;
  const valueOf = (file: string | null) => file ?? '';
  return (
    <label>
      Take{' '}
      <select
        aria-label="File of the repository"
        value={valueOf(offer.file)}
        onChange={(event) => void models.find(offer.plan.origin ?? offer.plan.name, event.target.value || null)}
      >
        {offer.choices.map(({ file, bytes }) => (
          <option key={valueOf(file)} value={valueOf(file)}>
            {file ?? 'safetensors'} · {formatBytes(bytes)}
          </option>
        ))}
      </select>
    </label>
  );
}
