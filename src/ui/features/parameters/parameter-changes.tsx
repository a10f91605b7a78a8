/** Where the shown run's parameters changed, and the way back to the values that were in force at a step. */
import { Undo2 } from 'lucide-react';
import { type RunConfig, changedIds, changesBetween } from '../../../core/trace/config.ts';
import { PARAMETERS, type ParameterId } from '../../../core/parameters/parameters.ts';
import type { ConfigChange } from '../../model/run.ts';
import { useShownIndexSlowly } from '../../view/shown-frame.ts';
import { useModel, useRunView } from '../../view/hooks.ts';
import { formatCount, formatPlural, formatValue } from '../../words/format.ts';

const SHOWN = 8;

/** @param config - the open session's, with which its next refocus runs. */
export function ParameterChanges({
  config,
  disabled,
}: {
  readonly config: RunConfig;
  readonly disabled: boolean;
}) {
  const view = useRunView();
  const index = useShownIndexSlowly();
  const changes = view.run.configChanges;
  const atStep = view.run.configAt(index);
  const frame = view.run.frameAt(index);
  const back = atStep === null ? {} : changesBetween(config, atStep);
  const differs = Object.keys(back).length > 0;
  if (changes.length === 0 && !differs) return null;
  return (
    <details className="parameter-changes" open>
      <summary>
        {changes.length === 0
          ? 'Other values at this step'
          : `${formatPlural(changes.length, 'change')} in this run`}
      </summary>
      {frame && atStep && differs && (
        <div className="parameter-back" role="group" aria-label={`Values at step ${frame.step}`}>
          <p className="small">
            Step {formatCount(frame.step)} ran with {wordsOf(atStep, changedIds(config, atStep))}.
          </p>
          <BackButton
            changes={back}
            words={`Use the values of step ${formatCount(frame.step)}`}
            disabled={disabled}
          />
        </div>
      )}
      <ol className="small" aria-label="Changes of parameters">
        {changes
          .slice(-SHOWN)
          .reverse()
          .map((change) => (
            <Change key={change.index} change={change} />
          ))}
      </ol>
      {changes.length > SHOWN && (
        <p className="muted small">The newest {SHOWN} of them; all are marked on the timeline.</p>
      )}
    </details>
  );
}

function Change({ change: { index, before, after } }: { readonly change: ConfigChange }) {
  const view = useRunView();
  const { shell } = useModel();
  const ids = changedIds(before, after);
  const step = view.run.frameAt(index)?.step;
  const words = ids
    .map((id) => `${labelOf(id)} ${formatValue(before[id])} → ${formatValue(after[id])}`)
    .join(', ');
  return (
    <li>
      <button
        type="button"
        className="link"
        title={`Show the first step with it: ${words}`}
        onClick={() => {
          shell.setState({ mobileTab: 'timeline' });
          view.seekTo(index);
        }}
      >
        {step === undefined ? 'next step' : `step ${formatCount(step)}`}
      </button>{' '}
      <span translate="no">{words}</span>
    </li>
  );
}

interface BackButtonProps {
  readonly changes: Partial<RunConfig>;
  readonly words: string;
  readonly disabled: boolean;
}

function BackButton({ changes, words, disabled }: BackButtonProps) {
  const { actions, problems } = useModel();
  return (
    <button
      type="button"
      className="button"
      disabled={disabled}
      onClick={() =>
        void actions.setParameters(changes).then((refused) => {
          if (refused !== null) problems.reportError('The values could not be set', new Error(refused));
        })
      }
    >
      <Undo2 size={14} aria-hidden /> {words}
    </button>
  );
}

function labelOf(id: ParameterId): string {
  return PARAMETERS.find((parameter) => parameter.id === id)!.label;
}

function wordsOf(config: RunConfig, ids: readonly ParameterId[]): string {
  return ids.map((id) => `${labelOf(id)} ${formatValue(config[id]) || '(empty)'}`).join(', ');
}
