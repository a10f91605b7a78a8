"""Documents as token arrays with fact and question annotations, and the prose mix-in's chunks.

Sentences are encoded piece by piece through a word cache, which gives the same tokens as encoding
the whole text (the tokenizer splits at spaces and line breaks before any merge).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from training.world.relations import Statement


@dataclass
class Fact:
    """A statement, `tokens[start:end]`; the value is `tokens[value_start:value_end]`."""

    start: int
    end: int
    value_start: int
    value_end: int
    keys: tuple[int, int]
    """Where its keys stand, each of one token; they may follow the value."""
    key: tuple[str, str, str]
    template: str
    statement: Statement

    @property
    def told_start(self) -> int:
        """Beginning of the least span that holds both keys and the value."""
        return min(self.value_start, *self.keys)

    @property
    def told_end(self) -> int:
        return max(self.value_end, *(place + 1 for place in self.keys))


class Value(NamedTuple):
    """A value in an answer: `tokens[start:end]`, and the index of the fact that states it, if one does."""

    start: int
    end: int
    fact: int | None


@dataclass
class Question:
    """A question about earlier facts. The answer restates their core clauses.

    `start` is the line break that opens the question; the prompt is `tokens[start:answer_start]`.
    `candidates` counts earlier facts of the first fact's relation with other keys.
    """

    start: int
    answer_start: int
    kind: str
    values: list[Value]
    facts: list[int]
    """All facts that the answer needs."""
    candidates: int

    @property
    def value_start(self) -> int:
        return self.values[0].start

    @property
    def value_end(self) -> int:
        return self.values[-1].end


@dataclass
class Document:
    tokens: np.ndarray
    facts: list[Fact] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    groups: dict[str, list[list[int]]] = field(default_factory=dict)
    """Facts that belong together, by index: "seen" and "holds" (one key said again), "chain"."""

    def clause_spans(self) -> list[tuple[int, int]]:
        """Token spans of the core clauses and of the answers, which belong together."""
        stated = [(fact.start, fact.end) for fact in self.facts]
        return stated + [(question.answer_start, question.value_end) for question in self.questions]
