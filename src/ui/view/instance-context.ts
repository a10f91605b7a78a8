/** A React context for an instance that somebody above has made: never a default, never a singleton. */
import { type Context, createContext, use } from 'react';

/** @returns the context, and the hook that reads it; the hook throws where nobody above provides the instance. */
export function createInstanceContext<T>(name: string): readonly [Context<T | null>, () => T] {
  const InstanceContext = createContext<T | null>(null);
  const useInstance = () => {
    const instance = use(InstanceContext);
    if (instance === null) throw new Error(`No ${name} is provided here.`);
    return instance;
  };
  return [InstanceContext, useInstance];
}
