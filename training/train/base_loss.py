"""Loss of the base: weighted next-token loss, and the supervised retrieval head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.data.documents import Document, Question, Value
from training.models.llama import Llama
from training.train.base_curriculum import Stage
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


def training_loss(
    model: Llama, documents: list[Document], positions: Tensor, stage: Stage, aux_weight: float, meter: Meter
) -> Tensor:
    """Weighted next-token loss plus the retrieval heads' -log attention on the gold places.

    An answer's words weigh at least 1, as they choose between answering, going on and abstaining; values 3.
    """
    tokens = torch.from_numpy(np.stack([document.tokens for document in documents])).long()
    inputs, labels = tokens[:, :-1], tokens[:, 1:]
    targets = Targets.of(documents)
    layers = sorted(set(targets.layer.tolist()) - {-1})
    bindings = bindings_of(documents) if LATE_LAYER in layers else torch.empty(0, 4)
    seen = {*layers, BINDING_LAYER} if len(bindings) else layers
    hidden, probs = model.hidden_states(model.embed(inputs), positions, return_attention_of=seen)
    logits = model.logits(hidden)
    nll = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    weights = torch.full_like(nll, stage.other_weight)
    for row, document in enumerate(documents):
        for question in document.questions:
            weights[row, question.answer_start - 1 : question.value_end] = max(1.0, stage.other_weight)
            for value in question.values:
                weights[row, value.start - 1 : value.end - 1] = 3.0
    loss = (nll * weights).sum() / weights.sum()
    meter.add(nll=nll)
    if len(bindings):
        row, head, last, part = bindings.unbind(1)
        mass = probs[BINDING_LAYER][row, head, last, part]
        loss = loss - aux_weight * (mass + 1e-6).log().mean()
        meter.add(binding=mass)
    if len(targets.row):
        for layer in layers:
            named = targets.layer == layer
            mass = probs[layer][targets.row[named], RETRIEVAL_HEAD, targets.query[named], targets.gold[named]]
            loss = loss - aux_weight * (mass + 1e-6).log().sum() / (targets.layer >= 0).sum()
            meter.add(**{f"attention{layer}": mass})
        correct = logits[targets.row, targets.query].argmax(-1) == labels[targets.row, targets.query]
        single = targets.kind == 0
        meter.add(recall=correct[single])
        meter.add(recall3=correct[single & (targets.candidates >= 3)])
        meter.add(recall3Late=correct[single & (targets.candidates >= 3) & (targets.layer == LATE_LAYER)])
        for index, kind in enumerate(KINDS[1:], 1):
            meter.add(**{kind: correct[targets.kind == index]})
    return loss
