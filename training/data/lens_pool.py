"""Documents of whole pages with their gists, from which training histories are put together."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import Teller
from training.data.documents import Fact
from training.models.gistnet import GistNet, compress_sequence
from training.models.llama import Llama

PAGE = BLOCK_SIZE * BLOCK_SIZE
SPARSE = (0.003, 0.006)


@dataclass
class PooledDocument:
    """A document of whole pages with its gists, and the facts that it never asks about."""

    tokens: Tensor
    lod1: Tensor
    lod2: Tensor
    facts: list[Fact]
    asked: set[int]
    """Indices of facts that the document itself asks about."""
    groups: dict[str, list[list[int]]]
    keys: set[tuple[str, str, str]]


@torch.no_grad()
def pooled_document(
    rng: random.Random,
    pages: int,
    base: Llama,
    net: GistNet,
    teller: Teller,
    fact_rates: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.3),
) -> PooledDocument:
    document = teller.document(
        rng,
        pages * PAGE,
        fact_rate=rng.choice(fact_rates),
        question_rate=rng.choice((0.0, 0.0, 0.03, 0.08)),
        cast_size=rng.choice((8, 16, 32, 32)),
        relation_count=rng.choice((1, 2, 3, 5, 8)),
        special_share=0.5,
    )
    tokens = torch.from_numpy(document.tokens).long()
    lod1 = compress_sequence(net.lod1, base.embed(tokens))
    asked = {index for question in document.questions for index in question.facts}
    lod2 = compress_sequence(net.lod2, lod1)
    keys = {fact.key for fact in document.facts}
    return PooledDocument(tokens, lod1, lod2, document.facts, asked, document.groups, keys)
