/** Every knob of the run, generated from the parameter table. */
import { RotateCcw } from 'lucide-react';
import { PARAMETERS } from '../../../core/trace/parameters.ts';
import { runCommand } from '../../commands/commands.ts';
import { setParameters } from '../../model/session-actions.ts';
import { useSession } from '../../model/session-store.ts';
import { ParameterGroups } from './parameter-groups.tsx';

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
      <p className="muted small">
        Changes apply at the next refocus; to try them on what was read already,{' '}
        <button
          type="button"
          className="link"
          onClick={() => {
            runCommand('branch');
          }}
        >
          branch from a step
        </button>
        .
      </p>
      <ParameterGroups
        values={config}
        initial={defaults}
        initialWord="Default"
        disabled={readOnly}
        onChange={setParameters}
      />
    </section>
  );
}
