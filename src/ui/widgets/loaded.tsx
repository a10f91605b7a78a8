/** A part of the page whose code is fetched when it is first shown, so that the first load does not pay for it. */
import { type ComponentType, useEffect, useEffectEvent, useState } from 'react';

interface LoadedProps {
  readonly load: () => Promise<ComponentType>;
  /** The code could not be fetched; showing the part again tries again. */
  readonly onFailure: (error: unknown) => void;
}

export function Loaded({ load, onFailure }: LoadedProps) {
  const [Part, setPart] = useState<ComponentType | null>(null);
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
  return Part && <Part />;
}
