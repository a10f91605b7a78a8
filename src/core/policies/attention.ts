/** The attention policy: what one untrained attention head would look at, with the tail as its query. */
import { entryScorer } from './entry-scorer.ts';
import { definePolicy } from './policy.ts';
import { forEachProduct, meanTail } from './tail-query.ts';

/**
 * With weights p = softmax(mean tail embedding · gist / √d) over the n entries, an entry scores
 * `tanh(log(n · p) / 2)`: 0 at an even share, 0.2 at one and a half times that.
 */
export const attentionPolicy = definePolicy({
  id: 'attention',
  sentence: 'What one untrained attention head with the newest tokens as its query would look at.',
  reads: [],
  create: () =>
    entryScorer('attention', (view) => {
      const count = view.entries.length;
      const logits = new Float64Array(count);
      const scale = Math.sqrt(view.hiddenSize);
      forEachProduct(view, meanTail(view), (entry, dot) => {
        logits[entry] = dot / scale;
      });
      const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
      const mean = logits.reduce((sum, logit) => sum + Math.exp(logit - highest) / count, 0);
      const evenShare = highest + Math.log(mean);
      return (_entry, _firstSlot, index) => Math.tanh((logits[index]! - evenShare) / 2);
    }),
});
