/** The constants that PyTorch's side must not type again: gathered here, exported by `npm run constants`. */
import { RECENT_SHARE } from '../src/core/context/moves.ts';
import { FEATURE_SCALES, SLOT_FEATURE_NAMES } from '../src/core/context/slot-view.ts';
import { LEXICAL_FEATURE_NAMES, QUERY_TOKENS } from '../src/core/lexical/history-words.ts';
import { BEGINNING_LETTERS, FUNCTION_WORDS } from '../src/core/lexical/words.ts';
import { BM25 } from '../src/core/lexical/window-index.ts';
import { ENTROPY_SCALE_NATS } from '../src/core/heads/merging.ts';
import { STAGING_PART_SLOTS } from '../src/core/heads/staging.ts';
import { CONFIDENCE_SCALE, HEAD_STATISTICS } from '../src/core/heads/router.ts';
import { SCORE_PRICES, SCORE_SLOPE } from '../src/core/policies/score-unit.ts';
import { DEFAULT_RUN_CONFIG } from '../src/core/trace/config.ts';
import { LENS_VARIANTS } from '../src/core/parameters/policy.ts';
import { ROLES } from '../src/core/tree/provenance.ts';
import { QUESTION_REACH_TOKENS } from '../src/core/tree/question-at.ts';
import { ADAPTED_MAPS } from '../src/nn/lens-net/adapted-weights.ts';
import { K, MAX_LOD } from '../src/core/tree/ids.ts';

export function sharedConstants(): Readonly<Record<string, unknown>> {
  const { recentTokens, lod1WindowTokens, tauExpand } = DEFAULT_RUN_CONFIG;
  return {
    blockSize: K,
    maxLod: MAX_LOD,
    roles: ROLES,
    slotFeatures: SLOT_FEATURE_NAMES,
    featureScales: FEATURE_SCALES,
    lexicalFeatures: LEXICAL_FEATURE_NAMES,
    search: {
      ...BM25,
      queryTokens: QUERY_TOKENS,
      questionReachTokens: QUESTION_REACH_TOKENS,
      beginningLetters: BEGINNING_LETTERS,
      functionWords: FUNCTION_WORDS,
    },
    lensVariants: LENS_VARIANTS.filter((variant) => variant !== 'default'),
    adaptedMaps: ADAPTED_MAPS,
    headStatistics: HEAD_STATISTICS,
    confidenceScale: CONFIDENCE_SCALE,
    entropyScaleNats: ENTROPY_SCALE_NATS,
    stagingPartSlots: STAGING_PART_SLOTS,
    recentTokens,
    lod1WindowTokens,
    recentShare: RECENT_SHARE,
    tauExpand,
    scoreSlope: SCORE_SLOPE,
    scorePrices: SCORE_PRICES,
  };
}
