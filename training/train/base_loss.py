"""Loss of the base: weighted next-token loss, and the supervised retrieval head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.context_rows import ContextRow
from training.data.documents import Document, Question, Value
from training.models.llama import Llama
from training.train.loop import Meter
from training.world.questions import KINDS

RETRIEVAL_LAYER, RETRIEVAL_HEAD = 1, 0
LATE_LAYER = 3
"""Its retrieval head, of the same number, reads facts that only a layer between can put together."""
BINDING_LAYER = 2
"""From the token that completes a fact, its heads 0, 1 and 2 look at the value, the first and the second key.

The token looks at itself where it is one of them, so that what the late layer reads stands in one place always.
"""
POSITIONAL_REACH = 4
"""How far back the heads of layer 0 look."""


class Place(NamedTuple):
    """Where a retrieval head of one layer should look; both −1 where nothing singles a fact out."""

    layer: int
    token: int


def gold_of(document: Document, question: Question, value: Value) -> Place:
    """The value, where layer 0 sees both keys from it; else, for the late layer, where the fact is complete.

    Neither layer has positions, so they cannot tell the last of several facts about one key.
    """
    if question.kind in ("last", "values", "count", "list") or value.fact is None:
        return Place(-1, -1)
    fact = document.facts[value.fact]
    if fact.value_end == fact.told_end and fact.value_start - fact.told_start <= POSITIONAL_REACH:
        return Place(RETRIEVAL_LAYER, fact.value_start)
    return Place(LATE_LAYER, fact.told_end - 1)


def bindings_of(documents: list[Document]) -> Tensor:
    """`[n, 4]` row, head, the token that completes a fact, and the part of it that the head should look at."""
    found = [
        (row, head, fact.told_end - 1, part)
        for row, document in enumerate(documents)
        for fact in document.facts
        if fact.told_end < len(document.tokens)  # the last token has no input
        for head, part in enumerate((fact.value_start, *fact.keys))
    ]
    return torch.tensor(found, dtype=torch.int64).reshape(-1, 4)


@dataclass
class Targets:
    """Where a batch's answers stand: one entry a question, for tokens shifted by one."""

    row: Tensor
    query: Tensor
    """Index of the token that predicts the value."""
    layer: Tensor
    gold: Tensor
    """The layer and the token of the `Place` that the retrieval head should look at."""
    candidates: Tensor
    kind: Tensor
    """Index into KINDS."""

    @classmethod
    def of(cls, documents: list[Document]) -> Targets:
        found = [
            (row, value.start - 1, *gold_of(document, question, value), question.candidates, KINDS.index(question.kind))
            for row, document in enumerate(documents)
            for question in document.questions
            for value in question.values
        ]
        return cls(*torch.tensor(found, dtype=torch.int64).reshape(-1, 6).unbind(1))


@dataclass
class Batch:
    """Documents of one length, and where their tokens stand; gists in some slots' place where there are any."""

    documents: list[Document]
    positions: Tensor
    """`[B, T]`"""
    name: str = ""
    """Comes before the names of what is measured."""
    is_gist: Tensor | None = None
    """`[B, T]` boolean."""
    gists: Tensor | None = None
    """`[B, T, d]`"""
    follows: Tensor | None = None
    """`[B, T]` boolean: the next slot is the next raw token, so that it can be predicted; None = everywhere."""

    @classmethod
    def of_contexts(cls, rows: list[ContextRow]) -> Batch:
        """Working contexts of one length."""
        positions, is_gist, gists, follows = (
            torch.stack([getattr(row, name) for row in rows]) for name in ("positions", "is_gist", "gists", "follows")
        )
        documents = [row.document for row in rows]
        return cls(documents, positions[:, :-1], "context.", is_gist[:, :-1], gists[:, :-1], follows)

    def embeds(self, model: Llama, inputs: Tensor) -> Tensor:
        """What the base is given of `inputs` `[B, T]`: `[B, T, d]`."""
        embeds = model.embed(inputs)
        return embeds if self.gists is None else torch.where(self.is_gist[..., None], self.gists, embeds)


def training_loss(model: Llama, batch: Batch, other_weight: float, aux_weight: float, meter: Meter) -> Tensor:
    """Weighted next-token loss plus the retrieval heads' -log attention on the gold places.

    An answer's words weigh at least 2, as they choose between answering, going on and abstaining, and an abstention's
    1: a base that refuses what stands in sight is worse than one that guesses. Values weigh 3, every other token
    `other_weight`.
    """
    documents = batch.documents
    tokens = torch.from_numpy(np.stack([document.tokens for document in documents])).long()
    inputs, labels = tokens[:, :-1], tokens[:, 1:]
    targets = Targets.of(documents)
    layers = sorted(set(targets.layer.tolist()) - {-1})
    bindings = bindings_of(documents) if LATE_LAYER in layers else torch.empty(0, 4)
    seen = {*layers, BINDING_LAYER} if len(bindings) else layers
    hidden, probs = model.hidden_states(batch.embeds(model, inputs), batch.positions, return_attention_of=seen)
    logits = model.logits(hidden)
    nll = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    weights = torch.full_like(nll, other_weight)
    for row, document in enumerate(documents):
        for question in document.questions:
            refuses = question.kind == "unanswerable"
            weights[row, question.answer_start - 1 : question.value_end] = max(1.0 if refuses else 2.0, other_weight)
            for value in question.values if not refuses else ():
                weights[row, value.start - 1 : value.end - 1] = 3.0
    if batch.follows is not None:
        weights = weights * batch.follows
    loss = (nll * weights).sum() / weights.sum()

    def measure(name: str, values: Tensor) -> None:
        meter.add(**{batch.name + name: values})

    measure("nll", nll[weights > 0])
    if len(bindings):
        row, head, last, part = bindings.unbind(1)
        mass = probs[BINDING_LAYER][row, head, last, part]
        loss = loss - aux_weight * (mass + 1e-6).log().mean()
        measure("binding", mass)
    if len(targets.row):
        for layer in layers:
            named = targets.layer == layer
            mass = probs[layer][targets.row[named], RETRIEVAL_HEAD, targets.query[named], targets.gold[named]]
            loss = loss - aux_weight * (mass + 1e-6).log().sum() / (targets.layer >= 0).sum()
            measure(f"attention{layer}", mass)
        correct = logits[targets.row, targets.query].argmax(-1) == labels[targets.row, targets.query]
        single = targets.kind == 0
        measure("recall", correct[single])
        measure("recall3", correct[single & (targets.candidates >= 3)])
        measure("recall3Late", correct[single & (targets.candidates >= 3) & (targets.layer == LATE_LAYER)])
        for index, kind in enumerate(KINDS[1:], 1):
            measure(kind, correct[targets.kind == index])
    return loss
