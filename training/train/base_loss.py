"""Loss of the base: weighted next-token loss, and the supervised retrieval head."""

from __future__ import annotations

from dataclasses import dataclass

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


def gold_of(document: Document, question: Question, value: Value) -> int:
    """Where the retrieval head should look; its layer has no positions, so it cannot tell the last of several."""
    if question.kind in ("last", "values", "count") or value.fact is None:
        return -1
    return document.facts[value.fact].value_start


@dataclass
class Targets:
    """Where a batch's answers stand: one entry a question, for tokens shifted by one."""

    row: Tensor
    query: Tensor
    """Index of the token that predicts the value."""
    gold: Tensor
    """Index of the value in the fact that the question is about; −1 where its clause does not single one out."""
    candidates: Tensor
    kind: Tensor
    """Index into KINDS."""

    @classmethod
    def of(cls, documents: list[Document]) -> Targets:
        found = [
            (row, value.start - 1, gold_of(document, question, value), question.candidates, KINDS.index(question.kind))
            for row, document in enumerate(documents)
            for question in document.questions
            for value in question.values
        ]
        return cls(*torch.tensor(found, dtype=torch.int64).reshape(-1, 5).unbind(1))


def training_loss(
    model: Llama, documents: list[Document], positions: Tensor, stage: Stage, aux_weight: float, meter: Meter
) -> Tensor:
    """Weighted next-token loss plus the retrieval head's -log attention on the gold value."""
    tokens = torch.from_numpy(np.stack([document.tokens for document in documents])).long()
    inputs, labels = tokens[:, :-1], tokens[:, 1:]
    targets = Targets.of(documents)
    logits, probs = model(model.embed(inputs), positions, return_attention_of=RETRIEVAL_LAYER)
    nll = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    weights = torch.full_like(nll, stage.other_weight)
    weights[targets.row, targets.query] = 3.0
    loss = (nll * weights).sum() / weights.sum()
    meter.add(nll=nll)
    if len(targets.row):
        named = targets.gold >= 0
        if named.any():
            mass = probs[targets.row[named], RETRIEVAL_HEAD, targets.query[named], targets.gold[named]]
            loss = loss - aux_weight * (mass + 1e-6).log().mean()
            meter.add(attention=mass)
        correct = logits[targets.row, targets.query].argmax(-1) == labels[targets.row, targets.query]
        single = targets.kind == 0
        meter.add(recall=correct[single])
        meter.add(recall3=correct[single & (targets.candidates >= 3)])
        for index, kind in enumerate(KINDS[1:], 1):
            meter.add(**{kind: correct[targets.kind == index]})
    return loss
