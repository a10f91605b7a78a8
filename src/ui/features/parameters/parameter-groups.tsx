/** Every knob of a run by group, generated from the parameter table; whose knobs they are is the caller's. */
import type { ReactNode } from 'react';
import type { RunConfig } from '../../../core/trace/config.ts';
import { PARAMETERS, PARAMETER_GROUPS } from '../../../core/parameters/parameters.ts';
import { availableChoices } from './available-choices.ts';
import { ParameterField } from './parameter-field.tsx';
import { useSession } from '../../view/hooks.ts';

/** Groups that few change. */
const CLOSED: readonly string[] = ['memory', 'sampling', 'chat'];

interface ParameterGroupsProps {
  readonly values: RunConfig;
  /** What resetting goes back to, and what it is called. */
  readonly initial: RunConfig;
  readonly initialWord: 'Default' | 'Original';
  readonly disabled: boolean;
  /** What a group offers beside its knobs, by its id. */
  readonly acts?: Readonly<Partial<Record<keyof typeof PARAMETER_GROUPS, ReactNode>>>;
  /** @returns what is wrong with a value; null if it was taken. */
  readonly onChange: (changes: Readonly<Record<string, unknown>>) => Promise<string | null>;
}

export function ParameterGroups({
  values,
  initial,
  initialWord,
  disabled,
  acts,
  onChange,
}: ParameterGroupsProps) {
  const model = useSession((state) => state.boot?.model);
  return Object.entries(PARAMETER_GROUPS).map(([id, title]) => {
    const parameters = PARAMETERS.filter(({ group }) => group === id);
    return (
      <details key={id} open={!CLOSED.includes(id)}>
        <summary>
          {title}
          {parameters.some((parameter) => values[parameter.id] !== initial[parameter.id]) && (
            <i className="changed-dot" title={`Changed from ${initialWord.toLowerCase()}`} />
          )}
        </summary>
        {parameters.map((parameter) => (
          <ParameterField
            key={parameter.id}
            parameter={parameter}
            value={values[parameter.id]}
            initial={initial[parameter.id]}
            initialWord={initialWord}
            disabled={disabled}
            available={availableChoices(parameter.id, values.heads, model)}
            onChange={onChange}
          />
        ))}
        {acts?.[id as keyof typeof PARAMETER_GROUPS]}
      </details>
    );
  });
}
