/** How a model's LensNet has words compared. */
import type { WordMatch } from '../../../core/lexical/words.ts';
import type { LoadedModel } from '../../../nn/ports.ts';

export function wordMatchOf({ manifest }: Pick<LoadedModel, 'manifest'>): WordMatch {
  return manifest.lensNet?.wordMatch ?? 'stems';
}
