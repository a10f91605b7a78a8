/** A part of the page whose code is fetched when it is first shown, so that the first load does not pay for it. */
import {
  type Attributes,
  type ComponentType,
  createElement,
  type ReactNode,
  useEffect,
  useEffectEvent,
  useState,
} from 'react';

interface LoadedProps<P extends object> {
  /** The same one as long as the same part is meant. */
  readonly load: () => Promise<ComponentType<P>>;
  readonly properties?: P;
  /** Stands there while the code comes, and where it does not. */
  readonly until?: ReactNode;
  /** The code could not be fetched; showing the part again tries again. */
  readonly onFailure: (error: unknown) => void;
}

export function Loaded<P extends object>({ load, properties, until = null, onFailure }: LoadedProps<P>) {
  const [Part, setPart] = useState<ComponentType<P> | null>(null);
  const fail = useEffectEvent(onFailure);
  useEffect(() => {
    let isGone = false;
    load().then(
      (part) => {
        if (!isGone) setPart(() => part);
      },
      (error: unknown) => {
        if (!isGone) fail(error);
      },
    );
    return () => {
      isGone = true;
    };
  }, [load]);
  return Part === null ? until : createElement(Part, properties as Attributes & P);
}
