"""Pooled documents for GistNet: cached LOD1 gists and the teacher's log-probabilities."""

from __future__ import annotations

import random
import time

import numpy as np
import torch

from training.constants import BLOCK_SIZE
from training.data.document_writer import Teller
from training.data.documents import Document
from training.models.gistnet import GistNet, compress_sequence
from training.models.llama import Llama

PAGE, PAGES = BLOCK_SIZE * BLOCK_SIZE, 4
"""Tokens of an LOD2 gist, and how many of them a pooled document fills."""
DENSE, MIXED, SPARSE = (0.1, 0.2, 0.3, 0.4), (0.02, 0.05, 0.1, 0.2, 0.3), (0.003, 0.006, 0.012)
"""Shares of sentences that state a fact, for LOD1, LOD2 and LOD3: the longer a span, the fewer it can hold."""
TAIL = 128
"""Raw tokens after the compressed page in the LOD2 phase."""


def write_document(
    rng: random.Random, length: int, teller: Teller, question_rate: float, fact_rates: tuple[float, ...] = DENSE
) -> Document:
    while True:
        document = teller.document(
            rng,
            length,
            fact_rate=rng.choice(fact_rates),
            question_rate=question_rate,
            special_share=0.3,
        )
        if document.facts:
            return document


class Pool:
    """Documents of several pages with cached LOD1 gists, and the teacher's log-probabilities for the first."""

    def __init__(
        self,
        rng: random.Random,
        base: Llama,
        net: GistNet,
        teller: Teller,
        count: int,
        fact_rates: tuple[float, ...],
        taught: int,
    ) -> None:
        length = PAGES * PAGE + TAIL
        self.documents = [write_document(rng, length, teller, 0.15, fact_rates) for _ in range(count)]
        self.tokens = torch.from_numpy(np.stack([document.tokens for document in self.documents])).long()
        vocabulary = base.config.vocab_size
        self.lod1 = torch.empty(count, PAGES * BLOCK_SIZE, base.config.hidden_size)
        self.teacher = torch.empty(min(taught, count), PAGES, TAIL, vocabulary, dtype=torch.float16)
        began = time.time()
        with torch.no_grad():
            for index, tokens in enumerate(self.tokens):
                embeds = base.embed(tokens)
                self.lod1[index] = compress_sequence(net.lod1, embeds[: PAGES * PAGE])
                for page in range(PAGES if index < taught else 0):
                    window = embeds[page * PAGE : (page + 1) * PAGE + TAIL][None]
                    hidden, _ = base.hidden_states(window, torch.arange(window.shape[1])[None])
                    self.teacher[index, page] = base.logits(hidden[0, PAGE - 1 : -1]).log_softmax(-1).half()
        print(f"pool of {count * length} tokens in {time.time() - began:.0f} s", flush=True)
