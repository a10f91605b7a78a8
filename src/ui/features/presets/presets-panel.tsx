/** The presets to choose from; each starts in a session of its own. */
import { Play } from 'lucide-react';
import { DEFAULT_RUN_CONFIG } from '../../../core/trace/config.ts';
import { canChangeSession } from '../../model/session.ts';
import type { Presets } from './presets.ts';
import { presetsFor } from '../../model/presets.ts';
import { useExample, useSession } from '../../view/hooks.ts';

export function PresetsPanel({ presets }: { readonly presets: Presets }) {
  const defaults = useSession((state) => state.boot?.defaults);
  const isFree = useSession(canChangeSession);
  const hasExample = useExample((state) => state.example !== null);
  const canStart = isFree && hasExample;
  return (
    <section className="panel-section" aria-label="Presets">
      <h2>Presets</h2>
      <ul className="presets">
        {presetsFor(defaults ?? DEFAULT_RUN_CONFIG).map(({ id, title, story }) => (
          <li key={id}>
            <button
              type="button"
              disabled={!canStart}
              aria-describedby={`preset-${id}`}
              onClick={() => {
                presets.choose(id);
              }}
            >
              <Play size={14} aria-hidden /> {title}
            </button>
            <p id={`preset-${id}`} className="muted small">
              {story}
            </p>
          </li>
        ))}
      </ul>
      <p className="muted small" role="status">
        {canStart
          ? 'Each starts a new session; this one stays in the list.'
          : 'They can start once the model has loaded and a session is open.'}
      </p>
    </section>
  );
}
