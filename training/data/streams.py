"""A token history with the gists of its complete blocks, built once or extended."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE, MAX_LOD, ROLES
from training.data.layouts import Entry, span_of
from training.models.gistnet import GistNet, compress_sequence
from training.models.llama import Llama

USER, ASSISTANT, DOCUMENT = (ROLES.index(role) for role in ("user", "assistant", "document"))


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
def build_stream(base: Llama, net: GistNet, tokens: Tensor, max_lod: int = MAX_LOD) -> Stream:
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
