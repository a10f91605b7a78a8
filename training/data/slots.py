"""What LensNet and the base see of a layout: slots with features, embeddings with positions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.layouts import Entry
from training.data.streams import DOCUMENT, Stream
from training.models.features import slot_features
from training.models.llama import Llama


@dataclass
class Slots:
    """LensNet's inputs for one working context, and the entry each slot belongs to."""

    own: Tensor
    block: Tensor
    feats: Tensor
    entry: Tensor
    """`[N]` index of the entry."""


def slots_of(stream: Stream, layout: list[Entry], base: Llama, residency: list[int]) -> Slots:
    """One slot for a gist, one a token for an LOD0 block (docs/models.md)."""
    length, own, block = stream.length, [], []
    for entry in layout:
        if entry.lod:
            own.append(stream.gist(entry)[None])
            block.append(own[-1])
            continue
        embeds = base.embed(stream.tokens[entry.start : entry.end])
        complete = entry.end - entry.start == BLOCK_SIZE
        gist = stream.gists[1][entry.start // BLOCK_SIZE] if complete else embeds.mean(0)
        own.append(embeds)
        block.append(gist.expand(len(embeds), -1))
    entry = torch.repeat_interleave(torch.arange(len(layout)), torch.tensor([len(part) for part in own]))
    lod = torch.tensor([entry.lod for entry in layout])
    start, end = (torch.tensor([item[i] for item in layout]) for i in (1, 2))
    role = torch.full_like(lod, DOCUMENT) if stream.roles is None else stream.roles[start]
    feats = slot_features(lod, end - start, length - end, torch.tensor(residency), role)
    return Slots(torch.cat(own), torch.cat(block), feats[entry], entry)


def entry_means(values: Tensor, entry: Tensor, count: int) -> Tensor:
    """Mean of slot values `[N]` per entry `[count]`."""
    totals = values.new_zeros(count).index_add(0, entry, values)
    return totals / torch.bincount(entry, minlength=count)


def context_embeds(stream: Stream, layout: list[Entry], base: Llama) -> tuple[Tensor, Tensor]:
    """Embeddings `[N, d]` and absolute positions `[N]` float64 of a working context."""
    parts, positions = [], []
    for entry in layout:
        if entry.lod:
            parts.append(stream.gist(entry)[None])
            positions.append(entry.start + (entry.end - entry.start) / 2)
        else:
            parts.append(base.embed(stream.tokens[entry.start : entry.end]))
            positions += range(entry.start, entry.end)
    return torch.cat(parts), torch.tensor(positions, dtype=torch.float64)


def tail_embeds(stream: Stream, base: Llama, tail_tokens: int) -> Tensor:
    """`[m, d]` embeddings of the newest tokens, at most `tail_tokens`, oldest first."""
    return base.embed(stream.tokens[max(0, stream.length - tail_tokens) :])
