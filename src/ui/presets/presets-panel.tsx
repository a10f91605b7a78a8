/** The presets to choose from; each starts in a session of its own. */
import { Play } from 'lucide-react';
import { DEFAULT_RUN_CONFIG } from '../../core/config.ts';
import { useExample } from '../state/example-store.ts';
import { useSession } from '../state/session-store.ts';
import { startPreset } from './apply-preset.ts';
import { presetsFor } from './presets.ts';

export function PresetsPanel() {
  const defaults = useSession((state) => state.boot?.defaults);
  const ready = useSession((state) => state.phase === 'ready');
  const hasExample = useExample((state) => state.example !== null);
  return (
    <section className="panel-section" aria-label="Presets">
      <h2>Presets</h2>
      <ul className="presets">
        {presetsFor(defaults ?? DEFAULT_RUN_CONFIG).map(({ id, title, story }) => (
          <li key={id}>
            <button
              type="button"
              disabled={!ready || !hasExample}
              aria-describedby={`preset-${id}`}
              onClick={() => void startPreset(id)}
            >
              <Play size={14} aria-hidden /> {title}
            </button>
            <p id={`preset-${id}`} className="muted small">
              {story}
            </p>
          </li>
        ))}
      </ul>
      <p className="muted small">Each starts a new session; this one stays in the list.</p>
    </section>
  );
}
