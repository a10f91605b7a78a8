"""What training shares with the playground, from `constants.json`, which `npm run constants` writes from its source."""

from __future__ import annotations

import json

from training.paths import TRAINING

_SHARED = json.loads((TRAINING / "constants.json").read_text(encoding="utf-8"))

BLOCK_SIZE: int = _SHARED["blockSize"]
"""K: tokens of a block, children of a gist."""
MAX_LOD: int = _SHARED["maxLod"]
ROLES: tuple[str, ...] = tuple(_SHARED["roles"])
SLOT_FEATURES: tuple[str, ...] = tuple(_SHARED["slotFeatures"])
"""Names of a slot's features, in their order."""
FEATURE_SCALES: dict[str, float] = _SHARED["featureScales"]
"""What each logarithmic feature is divided by."""
LEXICAL_FEATURES: tuple[str, ...] = tuple(_SHARED["lexicalFeatures"])
"""Names of the features that say which words an entry shares with the tail, in their order."""
SEARCH: dict[str, float] = _SHARED["search"]
"""Keyword search over windows: BM25's constants, the windows' tokens, and how far a question reaches."""
LENS_VARIANTS: tuple[str, ...] = tuple(_SHARED["lensVariants"])
"""The default first."""
ADAPTED_MAPS: tuple[str, ...] = tuple(_SHARED["adaptedMaps"])
"""LensNet's maps that heads have low-rank changes of."""
HEAD_STATISTICS: tuple[str, ...] = tuple(_SHARED["headStatistics"])
"""What a head's scores say of it, in the order in which the router reads it."""
CONFIDENCE_SCALE: float = _SHARED["confidenceScale"]
"""A difference of utility that makes e times as confident."""
ENTROPY_SCALE_NATS: float = _SHARED["entropyScaleNats"]
"""How many nats of entropy make a head e times lighter."""
STAGING_PART_SLOTS: int = _SHARED["stagingPartSlots"]
"""Slots of a staging context that one scoring reads."""
RECENT_TOKENS: int = _SHARED["recentTokens"]
LOD1_WINDOW_TOKENS: int = _SHARED["lod1WindowTokens"]
RECENT_SHARE: float = _SHARED["recentShare"]
"""The protected recent window takes at most this share of the budget."""
TAU_EXPAND: float = _SHARED["tauExpand"]
SCORE_SLOPE: float = _SHARED["scoreSlope"]
"""Score per nat of gain, before the tanh."""
SCORE_PRICES: dict[str, float] = _SHARED["scorePrices"]
"""What raw text or a gist must be worth to score above zero: its cost, as a score."""
