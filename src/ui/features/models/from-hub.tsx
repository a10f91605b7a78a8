/** Models on the Hugging Face hub or a mirror: two by one click, any other by its name. */
import { useId, useState } from 'react';
import { useStore } from 'zustand';
import { HUB_ENDPOINT } from '../../model/model-memory.ts';
import { useModel } from '../../view/hooks.ts';

const SUGGESTED = ['HuggingFaceTB/SmolLM2-135M-Instruct', 'HuggingFaceTB/SmolLM2-360M-Instruct'] as const;

export function FromHub() {
  const { models } = useModel();
  const [address, setAddress] = useState('');
  return (
    <section aria-label="From the hub">
      <h3>From the Hugging Face hub</h3>
      <div className="button-row">
        {SUGGESTED.map((name) => (
          <button key={name} type="button" className="button" onClick={() => void models.find(name)}>
            {name.split('/')[1]}
          </button>
        ))}
      </div>
      <form
        className="model-address"
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim() !== '') void models.find(address.trim());
        }}
      >
        <input
          type="text"
          aria-label="Repository"
          placeholder="owner/name or owner/name@revision"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          value={address}
          onChange={(event) => {
            setAddress(event.target.value);
          }}
        />
        <button type="submit" className="button" disabled={address.trim() === ''}>
          Look at it
        </button>
      </form>
      <p className="muted small">
        Any Llama-type model. First only its description is fetched; its files come from there when you say so,
        and stay in this browser.
      </p>
      <Mirror />
    </section>
  );
}

function Mirror() {
  const { models } = useModel();
  const endpoint = useStore(models.store, (state) => state.endpoint);
  const [draft, setDraft] = useState(endpoint);
  const wrong = isAddress(draft) ? null : 'An address that begins with https:// or http://.';
  const id = useId();
  return (
    <details>
      <summary>Fetch from {hostOf(endpoint)}</summary>
      <form
        className="model-address"
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong === null) models.setEndpoint(draft.trim().replace(/\/+$/, ''));
        }}
      >
        <input
          type="text"
          inputMode="url"
          aria-label="Address of the hub or a mirror"
          aria-invalid={wrong !== null}
          aria-describedby={id}
          value={draft}
          onChange={(event) => {
            setDraft(event.target.value);
          }}
        />
        <button type="submit" className="button" disabled={wrong !== null || draft === endpoint}>
          Use it
        </button>
        <button
          type="button"
          className="button"
          disabled={endpoint === HUB_ENDPOINT}
          onClick={() => {
            setDraft(HUB_ENDPOINT);
            models.setEndpoint(HUB_ENDPOINT);
          }}
        >
          The hub again
        </button>
      </form>
      <p id={id} className="muted small">
        {wrong ?? 'A mirror answers as the hub does, and lets pages of other addresses read it (CORS).'}
      </p>
    </details>
  );
}

function isAddress(text: string): boolean {
  return /^https?:\/\//.test(text.trim()) && URL.canParse(text.trim());
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}
