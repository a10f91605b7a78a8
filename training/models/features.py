"""Features of a slot (docs/models.md), in the order of training/constants.json."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import FEATURE_SCALES, LEXICAL_FEATURES, MAX_LOD, ROLES, SLOT_FEATURES

FEATURES = len(SLOT_FEATURES)
LEXICAL = len(LEXICAL_FEATURES)
LODS = MAX_LOD + 1


def slot_features(lod: Tensor, span: Tensor, distance: Tensor, residency: Tensor, role: Tensor) -> Tensor:
    """Features `[..., 12]` of slots; every argument is `[...]`.

    Args:
        lod: int64 level of detail, 0..4.
        span: tokens covered by the entry (an LOD0 block: its length).
        distance: cursor − entry end, in tokens.
        residency: refocus steps at this LOD.
        role: int64 index into ROLES.
    """
    scalars = [
        span.double().log2() / FEATURE_SCALES["log2Span"],
        (1 + distance.double()).log2() / FEATURE_SCALES["log2Distance"],
        (1 + residency.double()).log() / FEATURE_SCALES["lnResidency"],
    ]
    one_hot_lod = F.one_hot(lod, LODS).float()
    one_hot_role = F.one_hot(role, len(ROLES)).float()
    return torch.cat([one_hot_lod, torch.stack(scalars, -1).float(), one_hot_role], dim=-1)
