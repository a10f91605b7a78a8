"""Documents as token arrays with fact and question annotations, and the prose mix-in's chunks.

Sentences are encoded piece by piece through a word cache, which gives the same tokens as encoding
the whole text (the tokenizer splits at spaces and line breaks before any merge).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from tokenizers import Tokenizer

from world import Chronicler, Statement

QUESTION_PREFIX = "\nQuestion: "
ANSWER_PREFIX = "\nAnswer:"
"""The prompt ends here, without a space: the answer's first token carries its own leading space."""


@dataclass
class Fact:
    """A core clause, `tokens[start:end]`; the value is `tokens[value_start:value_end]`."""

    start: int
    end: int
    value_start: int
    value_end: int
    key: tuple[str, str, str]
    template: str
    statement: Statement


@dataclass
class Question:
    """A question about an earlier fact. The answer sentence restates the core clause.

    `start` is the line break that opens the question; the prompt is `tokens[start:answer_start]`.
    `candidates` counts earlier facts of the same relation with other keys.
    """

    start: int
    answer_start: int
    value_start: int
    value_end: int
    fact: int
    candidates: int


@dataclass
class Document:
    tokens: np.ndarray
    facts: list[Fact] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def clause_spans(self) -> list[tuple[int, int]]:
        """Token spans of the core clauses and of the answers, which belong together."""
        stated = [(fact.start, fact.end) for fact in self.facts]
        return stated + [(question.answer_start, question.value_end) for question in self.questions]


# The tokenizer's own splitting (digits one by one, then GPT-2's pattern) in Python's `re`.
PIECE = re.compile(
    r"\d|'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?[^\s\w]+| ?_+|\s+(?!\S)|\s+"
)


class Encoder:
    """Cached encoding of text pieces: text → list of token ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.encode_piece = lambda piece: tokenizer.encode(piece, add_special_tokens=False).ids
        self.cache: dict[str, list[int]] = {}

    def __call__(self, text: str) -> list[int]:
        cache, ids = self.cache, []
        for piece in PIECE.findall(text):
            found = cache.get(piece)
            if found is None:
                found = cache[piece] = self.encode_piece(piece)
            ids += found
        return ids


_encoders: WeakKeyDictionary[Tokenizer, Encoder] = WeakKeyDictionary()


def encoder_for(tokenizer: Tokenizer) -> Encoder:
    """The shared cached encoder of a tokenizer."""
    if tokenizer not in _encoders:
        _encoders[tokenizer] = Encoder(tokenizer)
    return _encoders[tokenizer]


class DocumentWriter:
    """Appends sentences, facts and questions to a token list and records their spans."""

    def __init__(self, chronicler: Chronicler, encode: Encoder) -> None:
        self.chronicler, self.encode, self.rng = chronicler, encode, chronicler.rng
        self.tokens: list[int] = []
        self.facts: list[Fact] = []
        self.questions: list[Question] = []
        self.unasked: list[int] = []
        self.opens_paragraph = True
        self.sentences_left = 0
        self.break_ids = encode("\n") * 2

    def sentence(self, text: str) -> None:
        """Append a sentence after a space, or at a paragraph's start without one."""
        self.tokens += self.encode(text if self.opens_paragraph else " " + text)
        self.end_sentence()

    def end_sentence(self) -> None:
        self.opens_paragraph = False
        self.sentences_left -= 1
        if self.sentences_left < 0:
            self.break_paragraph()

    def break_paragraph(self) -> None:
        self.tokens += self.break_ids
        self.opens_paragraph = True
        self.sentences_left = 3 + int(self.rng.random() * 5)

    def fact(self, plain: bool) -> bool:
        """State a new fact; False if the cast is exhausted."""
        statement = self.chronicler.statement()
        if statement is None:
            return False
        lead, tail = self.chronicler.lead_and_tail(plain, self.opens_paragraph)
        clause = statement.clause()
        if lead:
            self.tokens += self.encode(lead if self.opens_paragraph else " " + lead)
        else:
            clause = clause[0].upper() + clause[1:]
        start = len(self.tokens)
        value_start, value_end = self.clause_and_value(clause, statement)
        template = statement.relation.name
        self.unasked.append(len(self.facts))
        self.facts.append(Fact(start, len(self.tokens), value_start, value_end, statement.key, template, statement))
        self.tokens += self.encode(tail + ".")
        self.end_sentence()
        return True

    def clause_and_value(self, clause: str, statement: Statement) -> tuple[int, int]:
        """Append " clause value after"; returns the value's token span."""
        self.tokens += self.encode(" " + clause)
        value_start = len(self.tokens)
        self.tokens += self.encode(" " + statement.value)
        value_end = len(self.tokens)
        self.tokens += self.encode(statement.relation.after)
        return value_start, value_end

    def question(self, brief: bool) -> None:
        """Ask about a fact that was not asked yet; `brief` leaves the question line out."""
        self.ask(self.unasked[int(self.rng.random() * len(self.unasked))], brief)

    def ask(self, index: int, brief: bool = False) -> None:
        """Ask about one fact and answer in the clause's own words."""
        self.unasked.remove(index)
        fact = self.facts[index]
        statement = fact.statement
        candidates = sum(other.template == fact.template for other in self.facts) - 1
        start = len(self.tokens)
        if self.opens_paragraph and start:
            start -= 1  # the paragraph's second line break opens the question
            del self.tokens[-1:]
        asked = "" if brief else QUESTION_PREFIX + statement.question(self.rng)
        self.tokens += self.encode(asked + ANSWER_PREFIX)
        answer_start = len(self.tokens)
        clause = statement.clause()
        value_start, value_end = self.clause_and_value(clause[0].upper() + clause[1:], statement)
        self.tokens += self.encode(".")
        self.questions.append(Question(start, answer_start, value_start, value_end, index, candidates))
        self.break_paragraph()

    def document(self, n_tokens: int) -> Document:
        """The first `n_tokens` tokens; what is cut off inside its value is dropped."""
        return Document(
            np.array(self.tokens[:n_tokens], dtype=np.int32),
            [fact for fact in self.facts if fact.end <= n_tokens],
            [question for question in self.questions if question.value_end <= n_tokens],
        )


def make_document(
    rng: random.Random,
    n_tokens: int,
    *,
    fact_rate: float,
    question_rate: float,
    split: str,
    tokenizer: Tokenizer,
    plain_share: float = 0.2,
    brief_share: float = 0.0,
    cast_size: int | None = None,
    relation_count: int | None = None,
) -> Document:
    """A document of exactly `n_tokens` tokens.

    Args:
        fact_rate, question_rate: chances that the next sentence is a fact or a question about a fact
            not asked yet; the rest is filler.
        split: "train" never states an eval combination of (relation, keys, value); "eval" only those.
        plain_share: facts without lead-in or tail; brief_share: answers without a question line.
        cast_size, relation_count: None draws them at random, to vary how alike the facts are.
    """
    cast_size = cast_size or rng.choice((4, 8, 16, 32))
    relation_count = relation_count or rng.choice((1, 1, 2, 3, 5))
    chronicler = Chronicler(rng, split, cast_size, relation_count)
    writer = DocumentWriter(chronicler, encoder_for(tokenizer))
    while len(writer.tokens) < n_tokens:
        roll = rng.random()
        plain = rng.random() < plain_share
        if roll < fact_rate and writer.fact(plain):
            continue
        if fact_rate <= roll < fact_rate + question_rate and writer.unasked:
            writer.question(rng.random() < brief_share)
        else:
            writer.sentence(chronicler.filler())
    return writer.document(n_tokens)
