/** A part of the page whose code is fetched when it is first shown; where it cannot be, that is said. */
import type { ComponentType } from 'react';
import { Loaded } from '../widgets/loaded.tsx';
import { useModel } from './hooks.ts';

interface FetchedProps<P extends object> {
  /** The same one as long as the same part is meant. */
  readonly load: () => Promise<ComponentType<P>>;
  readonly properties?: P;
  /** The subject of "could not be shown". */
  readonly named: string;
}

export function Fetched<P extends object>({ load, properties, named }: FetchedProps<P>) {
  const { problems } = useModel();
  return (
    <Loaded
      load={load}
      {...(properties === undefined ? {} : { properties })}
      onFailure={(error) => {
        problems.reportError(`${named} could not be shown`, error);
      }}
    />
  );
}
