/** Lifts what older versions stored of a run's parameters. */
import { DEFAULT_RUN_CONFIG, type RunConfig } from '../../core/trace/config.ts';

/** Parameters whose default is not what the code did before it had them, and what it did. */
const DONE_BEFORE: Partial<RunConfig> = { answerFocusShare: 0, scoredTokens: 32, neighbourShare: 1 };

/**
 * A stored configuration with the parameters that came after it, as what the code did before it had them. Anything
 * but an object is left for validation to refuse.
 */
export function withNewerParameters(config: unknown): unknown {
  const isObject = typeof config === 'object' && config !== null && !Array.isArray(config);
  return isObject ? { ...DEFAULT_RUN_CONFIG, ...DONE_BEFORE, ...config } : config;
}
