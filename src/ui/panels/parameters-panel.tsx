/** Every knob of the run, generated from the parameter table. */
import { RotateCcw } from 'lucide-react';
import { PARAMETERS, type ParameterGroup } from '../../core/parameters.ts';
import { setParameters } from '../run/session-actions.ts';
import { useSession } from '../state/session-store.ts';
import { ParameterField } from './parameter-field.tsx';

const GROUPS: readonly { readonly id: ParameterGroup; readonly title: string }[] = [
  { id: 'context', title: 'Working context' },
  { id: 'allocator', title: 'Focus allocator' },
  { id: 'policy', title: 'Policy' },
  { id: 'sampling', title: 'Sampling' },
  { id: 'measurement', title: 'Measurement' },
];

export function ParametersPanel() {
  const config = useSession((state) => state.session?.config);
  const defaults = useSession((state) => state.boot?.defaults);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  if (!config || !defaults) {
    return (
      <section className="panel-section" aria-label="Parameters">
        <h2>Parameters</h2>
        <p className="muted">They appear once a session is open.</p>
      </section>
    );
  }
  const changed = PARAMETERS.filter(({ id }) => config[id] !== defaults[id]);
  return (
    <section className="panel-section" aria-label="Parameters">
      <div className="panel-heading">
        <h2>Parameters</h2>
        {changed.length > 0 && (
          <button
            type="button"
            className="link"
            disabled={readOnly}
            onClick={() => {
              void setParameters(Object.fromEntries(changed.map(({ id }) => [id, defaults[id]])));
            }}
          >
            <RotateCcw size={12} aria-hidden /> Reset {changed.length}
          </button>
        )}
      </div>
      <p className="muted small">Changes apply at the next refocus.</p>
      {GROUPS.map(({ id, title }) => (
        <details key={id} open={id !== 'sampling'}>
          <summary>
            {title}
            {changed.some(({ group }) => group === id) && (
              <i className="changed-dot" title="Changed from default" />
            )}
          </summary>
          {PARAMETERS.filter(({ group }) => group === id).map((parameter) => (
            <ParameterField
              key={parameter.id}
              parameter={parameter}
              value={config[parameter.id]}
              initial={defaults[parameter.id]}
              disabled={readOnly}
            />
          ))}
        </details>
      ))}
    </section>
  );
}
