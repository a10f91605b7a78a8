/** The hybrid policy: LensNet and keyword search by a fixed sum. */
import { createBm25Scorer } from './bm25.ts';
import { definePolicy } from './policy.ts';

export const hybridPolicy = definePolicy({
  id: 'hybrid',
  sentence: 'The sum of what LensNet and keyword search (bm25) say of an entry, within -1 and 1.',
  reads: ['lensVariant'],
  looksAgain: true,
  needsLensNet: true,
  create({ lensVariant }, ports) {
    const lens = ports.lensNet(lensVariant);
    const words = createBm25Scorer(ports);
    return {
      id: 'hybrid',
      async score(view) {
        const [learned, lexical] = await Promise.all([lens.score(view), words.score(view)]);
        return learned.map((score, slot) => Math.max(-1, Math.min(1, score + lexical[slot]!)));
      },
    };
  },
});
