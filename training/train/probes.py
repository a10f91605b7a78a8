"""Probes that make a gist legible: which words its span holds, and which facts.

They are thrown away after training; LensNet learns its own reading of what they put there.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.constants import BLOCK_SIZE
from training.data.documents import Document, Fact
from training.data.encoder import encoder_for
from training.models.llama import Llama
from training.world.relations import ALL_RELATIONS

RELATION_INDEX = {relation.name: index for index, relation in enumerate(ALL_RELATIONS)}
SHARPNESS = 12.0


class Probes(nn.Module):
    """A linear bag-of-words probe, and a fact query that must find the gist of its span."""

    def __init__(self, base: Llama, tokenizer: Tokenizer) -> None:
        super().__init__()
        size, vocabulary = base.config.hidden_size, base.config.vocab_size
        self.bag = nn.ModuleDict({level: nn.Linear(size, vocabulary) for level in ("lod1", "lod2")})
        self.key = nn.Linear(size, size)
        """One reading for all levels: an LOD2 gist learns to be found as LOD1 gists are."""
        self.relation = nn.Embedding(len(ALL_RELATIONS), 32)
        self.query = nn.Sequential(nn.Linear(2 * size + 32, 2 * size), nn.SiLU(), nn.Linear(2 * size, size))
        self.base, self.encode = [base], encoder_for(tokenizer)
        self.register_buffer("frequency", torch.full((vocabulary,), 1.0))

    def word(self, text: str) -> int:
        return self.encode(" " + text)[0]

    def weigh(self, tokens: Tensor) -> None:
        """Keep a running count of spans that hold a token, so that rare words weigh more."""
        present = torch.zeros(tokens.shape[0], len(self.frequency))
        present.scatter_(1, tokens, 1.0)
        self.frequency.mul_(0.99).add_(0.01 * present.mean(0))

    def bag_loss(self, level: str, spans: Tensor, gists: Tensor) -> Tensor:
        """Cross-entropy of a softmax over the vocabulary to the span's words, rare ones first.

        `spans` `[n, S]` token ids, `gists` `[n, d]`.
        """
        self.weigh(spans[:64])
        bag = torch.zeros(spans.shape[0], len(self.frequency)).scatter_(1, spans, 1.0)
        bag = bag * (1 / (self.frequency + 0.01)).log().clamp(min=0)
        bag = bag / bag.sum(-1, keepdim=True).clamp(min=1e-6)
        normed = F.rms_norm(gists, gists.shape[-1:])
        return -(bag * self.bag[level](normed).log_softmax(-1)).sum(-1).mean()

    def queries(self, found: list[tuple[str, str, str]]) -> Tensor:
        """Query vectors `[n, d]` of fact keys (relation, a, b)."""
        keys = torch.tensor([[self.word(a), self.word(b)] for _, a, b in found])
        relations = torch.tensor([RELATION_INDEX[name] for name, _, _ in found])
        embedded = self.base[0].embed(keys).flatten(1)
        return self.query(torch.cat([embedded, self.relation(relations)], dim=-1))

    def route_loss(
        self, facts: list[Fact], gold: list[int], gists: Tensor, halves: list[tuple[int, int]] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Cross-entropy of facts over all gists of the batch `[n, d]`, and the share found.

        `halves`: (index in `facts`, another gist that holds a part of it), right as well but not compared.
        """
        if not facts:
            return gists.new_zeros(()), gists.new_zeros(())
        queries = F.normalize(self.queries([fact.key for fact in facts]), dim=-1)
        keys = F.normalize(self.key(gists), dim=-1)
        logits, target = SHARPNESS * queries @ keys.t(), torch.tensor(gold)
        if halves:
            parts = torch.zeros_like(logits, dtype=torch.bool)
            parts[tuple(torch.tensor(halves).t())] = True
            logits = logits.masked_fill(parts, -1e4)
        return F.cross_entropy(logits, target), (logits.argmax(-1) == target).float().mean()

    def clause_blocks(self, fact: Fact, tokens: Tensor) -> list[int]:
        """The blocks that a fact must be found by: where its value stands and where its keys do.

        A block that holds no more than a clause's first article tells nothing.
        """
        keys = {self.word(word) for word in fact.key[1:]}
        clause = tokens[fact.start : fact.end].tolist()
        told = [fact.start + place for place, token in enumerate(clause) if token in keys]
        return sorted({place // BLOCK_SIZE for place in (*told, fact.value_start)})

    def lod1(
        self, documents: list[Document], tokens: Tensor, gists: Tensor, gist_blocks: list[int]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Losses for gists `[B, n, d]` of the blocks listed, and the routing probe's top-1."""
        blocks = tokens[:, : tokens.shape[1] // BLOCK_SIZE * BLOCK_SIZE].unflatten(1, (-1, BLOCK_SIZE))
        bag = self.bag_loss("lod1", blocks[:, gist_blocks].flatten(0, 1), gists.flatten(0, 1))
        place = {block: index for index, block in enumerate(gist_blocks)}
        facts, gold, halves = [], [], []
        for row, document in enumerate(documents):
            for fact in document.facts:
                found = [block for block in self.clause_blocks(fact, tokens[row]) if block in place]
                for block in found:
                    halves += [(len(facts), row * len(gist_blocks) + place[other]) for other in found if other != block]
                    facts.append(fact)
                    gold.append(row * len(gist_blocks) + place[block])
        return bag, *self.route_loss(facts, gold, gists.flatten(0, 1), halves)

    def lod2(self, documents: list[Document], tokens: Tensor, gists: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Losses for gists `[B, pages, d]` of consecutive pages."""
        page, pages = BLOCK_SIZE * BLOCK_SIZE, gists.shape[1]
        spans = tokens[:, : pages * page].unflatten(1, (pages, page)).flatten(0, 1)
        bag = self.bag_loss("lod2", spans, gists.flatten(0, 1))
        facts, gold = [], []
        for row, document in enumerate(documents):
            for fact in document.facts:
                if fact.end <= pages * page:
                    facts.append(fact)
                    gold.append(row * pages + fact.start // page)
        return bag, *self.route_loss(facts, gold, gists.flatten(0, 1))
