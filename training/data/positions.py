"""Position ids as the playground's working context will show them: far offsets and jumps."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE

MAX_POSITION = 1_000_000


def random_offset(rng: random.Random, near: int = 16_000) -> int:
    """0 often, else uniform up to `near`, else log-uniform up to a million."""
    roll = rng.random()
    if roll < 0.25:
        return 0
    if roll < 0.65:
        return rng.randrange(near)
    return int(near ** (1 - (share := rng.random())) * MAX_POSITION**share)


def random_positions(
    batch: int,
    length: int,
    rng: random.Random,
    jumps: bool = True,
    whole_spans: Sequence[Sequence[tuple[int, int]]] | None = None,
) -> Tensor:
    """`[B, T]` int64: a random offset, and jumps of whole blocks where gists would stand.

    `whole_spans` lists, for each row, token spans that no jump may split: a clause that a jump tears
    apart cannot be learned from, since its keys are no longer next to its value.
    """
    steps = torch.ones(batch, length, dtype=torch.int64)
    for index, row in enumerate(steps):
        if not jumps or rng.random() > 0.7:
            continue
        spans = whole_spans[index] if whole_spans else ()
        for boundary in range(0, length, BLOCK_SIZE):
            if rng.random() < 0.3 and not any(start < boundary < end for start, end in spans):
                row[boundary] += BLOCK_SIZE * rng.choice((1, 1, 2, 4, 8, 16, 32))
    offsets = torch.tensor([random_offset(rng) for _ in range(batch)])
    return steps.cumsum(1) - 1 + offsets[:, None]
