"""Mixed sequences of raw tokens and gists for the base, with aligned next-token targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE


@dataclass
class Mixed:
    """A batch of rows that share one layout.

    Entry i predicts `tokens[source[i] + 1]`: a raw token its successor, a gist the first token
    after its span. `predicts` marks entries whose successor in the row is that token, raw.
    """

    embeds: Tensor
    """`[B, N, d]`"""
    positions: Tensor
    """`[N]` float64 offsets within the document: raw tokens at their index, gists at span centres."""
    source: Tensor
    """`[N]` index of the last token that the entry covers."""
    predicts: Tensor
    """`[N]` boolean."""


def mix(embeds: Tensor, pieces: list[tuple[int, int, Tensor | None]]) -> Mixed:
    """Assemble rows from token embeddings `[B, T, d]` and gists.

    Args:
        pieces: `(start, end, gist)` in order; gist `[B, d]` stands for the span, None = raw tokens.
    """
    parts, positions, source, raw = [], [], [], []
    for start, end, gist in pieces:
        if gist is None:
            parts.append(embeds[:, start:end])
            positions += range(start, end)
            source += range(start, end)
            raw += [True] * (end - start)
        else:
            parts.append(gist[:, None])
            positions.append(start + (end - start) / 2)
            source.append(end - 1)
            raw.append(False)
    follows = [after and source[i + 1] == source[i] + 1 for i, after in enumerate(raw[1:])]
    return Mixed(
        torch.cat(parts, dim=1),
        torch.tensor(positions, dtype=torch.float64),
        torch.tensor(source),
        torch.tensor([*follows, False]),
    )


def block_pieces(raw_blocks: list[bool], gists: Tensor, gist_blocks: list[int]) -> list[tuple[int, int, Tensor | None]]:
    """Pieces of a row of blocks; `gists` `[B, len(gist_blocks), d]` in order of `gist_blocks`."""
    found = {block: gists[:, index] for index, block in enumerate(gist_blocks)}
    return [
        (block * BLOCK_SIZE, (block + 1) * BLOCK_SIZE, None if raw else found[block])
        for block, raw in enumerate(raw_blocks)
    ]
