"""A token history with its gists, working-context layouts over it, and the slots LensNet sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gistnet import BLOCK_SIZE, GistNet, compress_sequence
from lensnet import slot_features
from llama import Llama

RECENT_TOKENS = 256
LOD1_TOKENS = 2048
USER, DOCUMENT = 1, 3


class Entry(NamedTuple):
    """One item of a working context: `[start, end)` at a level of detail."""

    lod: int
    start: int
    end: int

    @property
    def cost(self) -> int:
        return self.end - self.start if self.lod == 0 else 1


def span_of(lod: int) -> int:
    return BLOCK_SIZE**lod


def children_of(entry: Entry) -> list[Entry]:
    """What an expansion puts in a gist's place: one LOD0 block, or 32 gists one level below."""
    if entry.lod == 1:
        return [Entry(0, entry.start, entry.end)]
    step = span_of(entry.lod - 1)
    return [Entry(entry.lod - 1, start, start + step) for start in range(entry.start, entry.end, step)]


@dataclass
class Stream:
    """Tokens 0..T-1 and the gists of every complete block, by level."""

    tokens: Tensor
    """`[T]` int64."""
    gists: dict[int, Tensor]
    """Level → `[T div 32^level, d]`."""
    roles: Tensor | None = None
    """`[T]` int64 roles of tokens; None = document everywhere."""

    @property
    def length(self) -> int:
        return len(self.tokens)

    def gist(self, entry: Entry) -> Tensor:
        return self.gists[entry.lod][entry.start // span_of(entry.lod)]


@torch.no_grad()
def build_stream(base: Llama, net: GistNet, tokens: Tensor, max_lod: int = 4) -> Stream:
    """Compress a history bottom-up, as far as blocks are complete."""
    gists, children = {}, base.embed(tokens)
    for lod in range(1, max_lod + 1):
        children = gists[lod] = compress_sequence(net.set_for(lod), children)
    return Stream(tokens, gists)


@torch.no_grad()
def extend_stream(
    stream: Stream, more: list[int], base: Llama, net: GistNet, roles: tuple[int, int] = (DOCUMENT, USER)
) -> Stream:
    """A longer stream: tokens appended, and only the gists of newly complete blocks computed.

    `roles` are those of the old and of the appended tokens.
    """
    tokens = torch.cat([stream.tokens, torch.tensor(more, dtype=torch.int64)])
    gists, width = dict(stream.gists), net.config.context_children
    for lod in sorted(gists):
        done = len(gists[lod])
        children = tokens if lod == 1 else gists[lod - 1]
        if len(children) // BLOCK_SIZE > done:
            start = max(0, done * BLOCK_SIZE - width)
            window = base.embed(children[start:]) if lod == 1 else children[start:]
            added = compress_sequence(net.set_for(lod), window)[(done * BLOCK_SIZE - start) // BLOCK_SIZE :]
            gists[lod] = torch.cat([gists[lod], added])
    by_token = torch.full_like(tokens, roles[0])
    by_token[stream.length :] = roles[1]
    return Stream(tokens, gists, by_token)


def recency_layout(length: int, recent: int = RECENT_TOKENS, lod1_tokens: int = LOD1_TOKENS) -> list[Entry]:
    """Newest `recent` tokens at LOD0, the next `lod1_tokens` at LOD1, older as coarse as tiles exactly."""
    raw_start = max(0, (length - recent) // BLOCK_SIZE * BLOCK_SIZE)
    lod1_start = max(0, raw_start - lod1_tokens)
    entries, at = [], 0
    while at < raw_start:
        lod = 1
        while lod < 4 and at % span_of(lod + 1) == 0 and at + span_of(lod + 1) <= lod1_start:
            lod += 1
        entries.append(Entry(lod, at, at + span_of(lod)))
        at += span_of(lod)
    while at < length:
        entries.append(Entry(0, at, min(at + BLOCK_SIZE, length)))
        at += BLOCK_SIZE
    return entries


def expand_at(layout: list[Entry], token: int, lod: int) -> None:
    """Expand whatever covers `token`, in place, until it stands at `lod` or below."""
    while True:
        index = next(i for i, entry in enumerate(layout) if entry.start <= token < entry.end)
        if layout[index].lod <= lod:
            return
        layout[index : index + 1] = children_of(layout[index])


def is_recent(entry: Entry, length: int, recent: int = RECENT_TOKENS) -> bool:
    """Whether an entry is raw and inside the protected window."""
    return entry.lod == 0 and entry.end > length - recent


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
