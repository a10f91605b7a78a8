/** Lifts what older versions stored of a run's parameters. */
import { DEFAULT_RUN_CONFIG } from '../../core/trace/config.ts';

/**
 * A stored configuration with the parameters that came after it. Their defaults are what the code did before it
 * had them. Anything but an object is left for validation to refuse.
 */
export function withNewerParameters(config: unknown): unknown {
  const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
  return isObject ? { ...DEFAULT_RUN_CONFIG, ...config } : config;
}
