/** What the engine runs on: the model and its measured figures, the backend and why, the storage and why. */
import { useStore } from 'zustand';
import { Cpu, Database, DatabaseZap, Sparkles } from 'lucide-react';
import { MOST_THREADS } from '../../runtime/engine/protocol/protocol.ts';
import type { BackendChoice } from '../model/model-manager.ts';
import { start } from './start.ts';
import { storageWords } from '../words/storage.ts';
import { formatCompact, formatCount, formatPercent } from '../words/format.ts';
import { missingFeatures } from '../words/missing-features.ts';
import { ModelFigures } from '../features/models/model-figures.tsx';
import { Popover } from '../widgets/popover.tsx';
import { usePage } from './page-providers.tsx';
import { useModel, useSession } from '../view/hooks.ts';

export function ModelBadge() {
  const { shell } = useModel();
  const model = useSession((state) => state.boot?.model);
  return (
    <Popover
      label={model ? `Model: ${model.title}` : 'Loading model…'}
      className="badge"
      button={
        <>
          <Sparkles size={14} aria-hidden />
          <span className="badge-text" translate="no">
            {model?.title ?? 'Loading model…'}
          </span>
        </>
      }
    >
      {(close) =>
        model ? (
          <>
            <h3>{model.title}</h3>
            <dl className="facts" translate="no">
              <Fact name="Parameters" value={formatCompact(model.parameters)} />
              <Fact name="Layers × width" value={`${model.layers} × ${model.hiddenSize}`} />
              <Fact name="Vocabulary" value={formatCount(model.vocabularySize)} />
              <Fact name="Trained context" value={`${formatCount(model.trainedContextTokens)} tokens`} />
              <Fact name="Licence" value={model.licence} />
              {model.headsTitle && <Fact name="Heads" value={model.headsTitle} />}
              <Fact name="Weights" value={model.hash.slice(0, 12)} mono />
            </dl>
            {!model.hasHeads && (
              <p className="small">
                Without trained heads: gists are means, and keyword search chooses what is expanded.
              </p>
            )}
            <button
              type="button"
              className="button"
              onClick={() => {
                close();
                shell.setState({ dialog: 'models' });
              }}
            >
              Other models…
            </button>
            {model.figures.length > 0 && <ModelFigures figures={model.figures} />}
          </>
        ) : (
          <p>The model is being loaded.</p>
        )
      }
    </Popover>
  );
}

const BACKENDS: readonly { readonly id: BackendChoice; readonly name: string; readonly note: string }[] = [
  { id: 'auto', name: 'Automatic', note: 'the fastest that works here' },
  { id: 'webgpu', name: 'WebGPU', note: 'the graphics card' },
  { id: 'wasm', name: 'WASM', note: 'the processor, with SIMD' },
  { id: 'cpu', name: 'CPU', note: 'plain JavaScript, slow' },
];

const BACKEND_NAMES = { webgpu: 'WebGPU', wasm: 'WASM', cpu: 'CPU' } as const;

export function BackendBadge() {
  const page = usePage();
  const backend = useSession((state) => state.boot?.backend);
  const busy = useSession((state) => state.phase === 'booting');
  const name = backend ? BACKEND_NAMES[backend.id] : 'Backend…';
  return (
    <Popover
      label={backend ? `Backend: ${name}. ${backend.reason}` : 'Backend: being chosen'}
      className="badge"
      button={
        <>
          <Cpu size={14} aria-hidden />
          <span className="badge-text" translate="no">
            {name}
          </span>
        </>
      }
    >
      {(close) => (
        <>
          <h3>{name}</h3>
          <p>{backend?.reason ?? 'The engine is choosing a backend.'}</p>
          {backend?.threads && <p>{backend.threads.reason}</p>}
          {backend?.adapter && (
            <p className="muted">
              Adapter: {backend.adapter}
              {backend.isSoftwareAdapter && ' (software)'}
            </p>
          )}
          <h4>Run on</h4>
          <div className="menu" role="group" aria-label="Choose a backend">
            {BACKENDS.map(({ id, name: title, note }) => (
              <button
                key={id}
                type="button"
                className="menu-item"
                disabled={busy}
                aria-pressed={backend ? (backend.wasOverridden ? backend.id === id : id === 'auto') : false}
                onClick={() => {
                  close();
                  void start(page, { backend: id });
                }}
              >
                <span>{title}</span>
                <span className="muted">{note}</span>
              </button>
            ))}
          </div>
          {backend?.threads && <ThreadChoice isDisabled={busy} close={close} />}
          <MissingFeatures />
          <p className="muted small">The session is stored; it opens again on the new backend.</p>
        </>
      )}
    </Popover>
  );
}

const THREAD_COUNTS = [1, 2, 3, 4, 6, 8, 12, MOST_THREADS];

/** How many threads of the processor the WASM kernels get. */
function ThreadChoice({ isDisabled, close }: { readonly isDisabled: boolean; readonly close: () => void }) {
  const page = usePage();
  const chosen = useStore(page.model.models.store, (state) => state.device.threads);
  const processors = navigator.hardwareConcurrency;
  return (
    <label className="field">
      <span>Threads</span>
      <select
        value={chosen}
        disabled={isDisabled || !globalThis.crossOriginIsolated}
        onChange={({ target: { value } }) => {
          close();
          void start(page, { threads: value === 'auto' ? 'auto' : Number(value) });
        }}
      >
        <option value="auto">Automatic</option>
        {THREAD_COUNTS.filter((count) => count <= Math.max(processors, 2)).map((count) => (
          <option key={count} value={count}>
            {count}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What this page lacks where it is served. */
function MissingFeatures() {
  const missing = missingFeatures(globalThis);
  if (missing.length === 0) return null;
  return (
    <>
      <h4>Missing here</h4>
      <ul className="muted small">
        {missing.map((words) => (
          <li key={words}>{words}</li>
        ))}
      </ul>
    </>
  );
}

export function StorageBadge() {
  const storage = useSession((state) => state.boot?.storage);
  const isSaved = useSession((state) => state.session?.isSaved ?? true);
  const kept = storage?.kind === 'indexeddb';
  const name = storageWords(storage?.kind ?? null, isSaved);
  const isWarning = storage !== undefined && !(kept && isSaved);
  return (
    <Popover
      label={`Storage: ${name}`}
      className={`badge ${isWarning ? 'badge-warn' : ''}`}
      button={
        <>
          {isWarning ? <DatabaseZap size={14} aria-hidden /> : <Database size={14} aria-hidden />}
          <span className="badge-text" translate="no">
            {name}
          </span>
        </>
      }
    >
      {() => (
        <>
          <h3>{name}</h3>
          <p>{storage?.reason ?? 'The engine is opening its storage.'}</p>
          <p className="muted">
            {kept && !isSaved
              ? 'The browser refuses what this session writes. It goes on in memory and is tried again at the end of every turn; save the trace to keep it.'
              : kept
                ? 'History, gists, chat and trace live in this browser’s IndexedDB. Nothing leaves the machine.'
                : 'What you do here is lost when this page closes. Save the trace to keep it.'}
          </p>
          <Occupancy />
        </>
      )}
    </Popover>
  );
}

function Occupancy() {
  const session = useSession((state) => state.session);
  if (!session) return null;
  return (
    <dl className="facts" translate="no">
      <Fact name="History" value={`${formatCount(session.cursor)} tokens`} />
      <Fact name="Refocuses" value={formatCount(session.step)} />
      <Fact
        name="Budget"
        value={`${formatPercent(session.config.budgetTokens / Math.max(session.cursor, 1))} of history`}
      />
    </dl>
  );
}

function Fact({
  name,
  value,
  mono = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly mono?: boolean;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={mono ? 'mono' : undefined}>{value}</dd>
    </div>
  );
}
