/** Every knob of the run, generated from the parameter table. */
import { RotateCcw } from 'lucide-react';
import { changesBetween } from '../../../core/trace/config.ts';
import { ParameterChanges } from './parameter-changes.tsx';
import { ParameterGroups } from './parameter-groups.tsx';
import { CompareHeadsButton } from '../../view/compare-heads-button.tsx';
import { useCommands, useModel, useRecording, useSession } from '../../view/hooks.ts';

export function ParametersPanel() {
  const { actions } = useModel();
  const commands = useCommands();
  const config = useSession((state) => state.session?.config);
  const defaults = useSession((state) => state.boot?.defaults);
  const readOnly = useSession((state) => state.session?.readOnly ?? false);
  const isRecorded = useRecording((state) => state.recording !== null);
  if (!config || !defaults) {
    return (
      <section className="panel-section" aria-label="Parameters">
        <h2>Parameters</h2>
        <p className="muted">They appear once a session is open.</p>
      </section>
    );
  }
  const reset = changesBetween(config, defaults);
  const count = Object.keys(reset).length;
  return (
    <section className="panel-section" aria-label="Parameters">
      <div className="panel-heading">
        <h2>Parameters</h2>
        {count > 0 && (
          <button
            type="button"
            className="link"
            disabled={readOnly}
            onClick={() => {
              void actions.setParameters(reset);
            }}
          >
            <RotateCcw size={12} aria-hidden /> Reset {count}
          </button>
        )}
      </div>
      {isRecorded && (
        <p className="small" role="note">
          A recording is in front. These are the live session’s: a change brings it forward.
        </p>
      )}
      <p className="muted small">
        Changes apply at the next refocus; to try them on what was read already,{' '}
        <button
          type="button"
          className="link"
          onClick={() => {
            commands.run('branch');
          }}
        >
          branch from a step
        </button>
        .
      </p>
      <ParameterChanges config={config} disabled={readOnly} />
      <ParameterGroups
        values={config}
        initial={defaults}
        initialWord="Default"
        disabled={readOnly}
        acts={{
          heads: (
            <CompareHeadsButton
              heads={config.heads}
              why={isRecorded ? 'A recording is in front of the session.' : null}
            />
          ),
        }}
        onChange={(changes) => actions.setParameters(changes)}
      />
    </section>
  );
}
