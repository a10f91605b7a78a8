"""Stages of the base's training, and the documents of a stage."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np

from training.data.document_writer import Teller
from training.data.documents import Document
from training.data.encoder import encoder_for
from training.data.prose import load_prose

TOKENS_PER_STEP = 4096


@dataclass(frozen=True)
class Stage:
    """One part of the curriculum; it ends at `until`, a share of the time budget."""

    until: float
    length: int
    fact_rate: float
    question_rate: float
    plain_share: float
    brief_share: float
    other_weight: float
    prose_share: float
    jumps: bool = True


STAGES = (
    Stage(0.22, 64, 0.50, 0.45, 1.0, 1.0, 0.3, 0.0, jumps=False),
    Stage(0.38, 128, 0.40, 0.42, 0.7, 0.6, 0.3, 0.0),
    Stage(0.56, 256, 0.34, 0.34, 0.4, 0.2, 0.4, 0.05),
    Stage(0.90, 512, 0.28, 0.26, 0.25, 0.05, 0.6, 0.08),
    Stage(1.00, 1024, 0.24, 0.20, 0.2, 0.0, 0.6, 0.08),
)


def chosen_stages(lengths: str | None) -> tuple[Stage, ...]:
    """The stages named by `--lengths`, or all."""
    if not lengths:
        return STAGES
    table = {stage.length: stage for stage in STAGES}
    pairs = (entry.split(":") for entry in lengths.split(","))
    return tuple(replace(table[int(length)], until=float(until)) for length, until in pairs)


class Corpus:
    """Batches of documents for a stage."""

    def __init__(self, teller: Teller, rng: random.Random, special_share: float) -> None:
        self.teller, self.rng, self.special_share = teller, rng, special_share
        self.prose = np.array(encoder_for(teller.tokenizer)(load_prose()), dtype=np.int32)

    def document(self, stage: Stage) -> Document:
        """A document of the stage's length + 1 (inputs and shifted targets)."""
        rng, length = self.rng, stage.length + 1
        if len(self.prose) > length and rng.random() < stage.prose_share:
            start = rng.randrange(len(self.prose) - length)
            return Document(self.prose[start : start + length])
        thinness = 1.0 if stage.length <= 128 else rng.choice((1.0, 1.0, 0.7, 0.4))
        return self.teller.document(
            rng,
            length,
            fact_rate=stage.fact_rate * thinness,
            question_rate=stage.question_rate * thinness,
            plain_share=stage.plain_share,
            brief_share=stage.brief_share,
            special_share=self.special_share,
        )

    def batch(self, stage: Stage) -> list[Document]:
        return [self.document(stage) for _ in range(TOKENS_PER_STEP // stage.length)]
