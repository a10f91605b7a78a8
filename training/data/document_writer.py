"""Writes documents: sentences, facts and questions as one token list with their spans."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from training.data.documents import Document, Fact, Question, Value
from training.data.encoder import ANSWER_PREFIX, QUESTION_PREFIX, Encoder, encoder_for
from training.data.prose import load_prose, sentences_of
from training.world.asides import LEADS
from training.world.chronicler import Chronicler
from training.world.forms import Language
from training.world.questions import (
    Asked,
    ask_chain,
    ask_count,
    ask_last,
    ask_one_by_one,
    ask_paraphrase,
    ask_queries,
    ask_single,
    ask_unanswerable,
    ask_values,
    can_paraphrase,
    capital,
)
from training.world.relations import CHAIN_HOPS, HOLDS, SEEN, Statement

UNANSWERABLE_SHARE = 0.12
"""Of the questions of a document that asks widely."""
PROSE_SHARES = (0.0, 0.0, 0.3, 0.7, 1.0)
"""Shares of a document's filler that are real prose, where there is some."""


class DocumentWriter:
    """Appends sentences, facts and questions to a token list and records their spans."""

    def __init__(self, chronicler: Chronicler, encode: Encoder, is_wide: bool) -> None:
        self.chronicler, self.encode, self.rng = chronicler, encode, chronicler.rng
        self.is_wide = is_wide
        """Whether the document also asks what goes on for sentences, and what nobody has said."""
        self.tokens: list[int] = []
        self.facts: list[Fact] = []
        self.questions: list[Question] = []
        self.unasked: list[int] = []
        self.specials: list[str] = []
        """Groups of facts that this document tells: "seen", "holds", "chain"."""
        self.groups: dict[str, list[list[int]]] = {"seen": [], "holds": [], "chain": []}
        self.asked_groups: list[list[int]] = []
        self.paraphrase_share = 0.0
        self.several_share = 0.0
        self.opens_paragraph = True
        self.sentences_left = 0
        self.break_ids = encode("\n") * 2

    @property
    def has_questions(self) -> bool:
        return bool(self.unasked) or any(self.groups.values())

    def prose(self, sentences: Sequence[str]) -> None:
        """Append a few sentences of real prose that stand together."""
        count = self.rng.randint(1, 4)
        first = self.rng.randrange(max(1, len(sentences) - count))
        for text in sentences[first : first + count]:
            self.sentence(text)

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
        if statement is not None:
            self.unasked.append(len(self.facts))
            self.state(statement, plain)
        return statement is not None

    def state(self, statement: Statement, plain: bool) -> None:
        """Say one fact in a sentence of its own."""
        lead, tail = self.chronicler.lead_and_tail(plain, self.opens_paragraph)
        before, after = statement.said(self.rng)
        if not before and not lead:
            lead = self.chronicler.pick(LEADS)  # a value that opens a sentence would be another token
        if lead:
            self.tokens += self.encode(lead if self.opens_paragraph else " " + lead)
        else:
            before = capital(before)
        start = len(self.tokens)
        if before:
            self.tokens += self.encode(" " + before)
        value_start = len(self.tokens)
        self.tokens += self.encode(" " + statement.value)
        value_end = len(self.tokens)
        self.tokens += self.encode(after)
        template = statement.relation.name
        keys = tuple(self.tokens.index(self.encode(" " + word)[0], start) for word in (statement.a, statement.b))
        spans = (start, len(self.tokens), value_start, value_end)
        self.facts.append(Fact(*spans, keys, statement.key, template, statement))
        self.tokens += self.encode(tail + ".")
        self.end_sentence()

    def special_fact(self, plain: bool) -> bool:
        """A fact that belongs with others: said again with another value, or the next hop of a chain."""
        rng, groups = self.rng, self.groups
        name = rng.choice(self.specials)
        limit = CHAIN_HOPS if name == "chain" else 4
        open_groups = [group for group in groups[name] if len(group) < limit]
        past = rng.choice(open_groups) if open_groups and rng.random() < 0.75 else []
        said = [self.facts[index].statement for index in past]
        if name == "chain":
            statement = self.chronicler.chain_link(said)
        else:
            statement = self.chronicler.restatement(SEEN if name == "seen" else HOLDS, said)
        if statement is None:
            return False
        if not past:
            groups[name].append(past)
        past.append(len(self.facts))
        self.asked_groups = [group for group in self.asked_groups if group is not past]
        self.state(statement, plain)
        return True

    def question(self, brief: bool) -> None:
        """Ask about facts that were not asked about yet; `brief` leaves the question line out."""
        rng = self.rng
        if self.is_wide and rng.random() < UNANSWERABLE_SHARE and (unsaid := self.chronicler.unsaid()):
            self.write(ask_unanswerable(unsaid, rng), [])
            return
        if self.specials and rng.random() < 0.6 and self.special_question():
            return
        if len(self.unasked) >= 4 and rng.random() < self.several_share:
            indices = rng.sample(self.unasked, 4)
            self.write(ask_queries([self.facts[index].statement for index in indices], rng), indices)
        elif self.unasked:
            self.ask(self.unasked[int(rng.random() * len(self.unasked))], brief)

    def special_question(self) -> bool:
        """Ask about a group of facts that belong together; False if there is none."""
        rng = self.rng
        ready = [
            (name, group)
            for name, groups in self.groups.items()
            for group in groups
            if (name != "chain" or len(group) == CHAIN_HOPS) and not any(group is asked for asked in self.asked_groups)
        ]
        if not ready:
            return False
        name, group = rng.choice(ready)
        self.asked_groups.append(group)
        said = [self.facts[index].statement for index in group]
        if name != "seen" and self.is_wide and rng.random() < 0.5:
            self.write(ask_one_by_one(said, rng, "trail" if name == "chain" else "list"), group)
        elif name == "chain":
            self.write(ask_chain(said, rng), group)
        elif name == "seen":
            self.write(ask_last(said, rng), group[-1:])
        else:
            self.write((ask_values if rng.random() < 0.6 else ask_count)(said, rng), group)
        return True

    def ask(self, index: int, brief: bool = False) -> None:
        """Ask about one fact and answer in the clause's own words."""
        statement = self.facts[index].statement
        reworded = can_paraphrase(statement) and self.rng.random() < self.paraphrase_share
        asked = (ask_paraphrase if reworded else ask_single)(statement, self.rng)
        self.write(asked, [index], brief and not reworded)

    def write(self, asked: Asked, indices: list[int], brief: bool = False) -> None:
        """Append a question and its answer about the facts listed."""
        self.unasked = [index for index in self.unasked if index not in indices]
        candidates = 0
        if indices:
            first = self.facts[indices[0]]
            candidates = sum(other.template == first.template and other.key != first.key for other in self.facts)
        start = len(self.tokens)
        if self.opens_paragraph and start:
            start -= 1  # the paragraph's second line break opens the question
            del self.tokens[-1:]
        self.tokens += self.encode(("" if brief else QUESTION_PREFIX + asked.text) + ANSWER_PREFIX)
        answer_start, values, named = len(self.tokens), [], iter(indices)
        for piece in asked.pieces:
            at = len(self.tokens)
            self.tokens += self.encode(piece.text)
            if piece.is_value:
                values.append(Value(at, len(self.tokens), next(named) if piece.statement else None))
        self.questions.append(Question(start, answer_start, asked.kind, values, list(indices), candidates))
        self.break_paragraph()

    def document(self, n_tokens: int) -> Document:
        """The first `n_tokens` tokens; what is cut off inside its value is dropped."""
        facts = [fact for fact in self.facts if fact.end <= n_tokens]  # facts are in order, so indices stay
        questions = [question for question in self.questions if question.value_end <= n_tokens]
        groups = {
            name: [[index for index in group if index < len(facts)] for group in groups]
            for name, groups in self.groups.items()
        }
        return Document(np.array(self.tokens[:n_tokens], dtype=np.int32), facts, questions, groups)


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
    special_share: float = 0.0,
    language: Language = "core",
    prose: Sequence[str] = (),
    is_wide: bool | None = None,
) -> Document:
    """A document of exactly `n_tokens` tokens.

    Args:
        fact_rate, question_rate: chances that the next sentence is a fact or a question about a fact
            not asked yet; the rest is filler.
        split: "train" never states an eval combination of (relation, keys, value); "eval" only those.
        plain_share: facts without lead-in or tail; brief_share: answers without a question line.
        cast_size, relation_count: None draws them at random, to vary how alike the facts are.
        special_share: documents that also tell repeated facts, chains, and ask several or reworded questions.
        language: the forms of statements and questions.
        is_wide: also lists and chains a sentence each, and questions that nothing answers; None: beyond "core".
        prose: sentences of real prose, which stand in the filler's place in some documents.
    """
    cast_size = cast_size or rng.choice((4, 8, 16, 32))
    relation_count = relation_count or rng.choice((1, 1, 2, 3, 5))
    is_special = special_share > 0 and rng.random() < special_share
    chronicler = Chronicler(rng, split, cast_size, relation_count, language, aliased=is_special and rng.random() < 0.45)
    writer = DocumentWriter(chronicler, encoder_for(tokenizer), language != "core" if is_wide is None else is_wide)
    if is_special:
        writer.specials = [name for name in writer.groups if rng.random() < 0.6]
        writer.paraphrase_share, writer.several_share = 0.7, 0.1
    prose_share = rng.choice(PROSE_SHARES) if prose else 0.0
    while len(writer.tokens) < n_tokens:
        roll = rng.random()
        plain = rng.random() < plain_share
        if roll < fact_rate:
            is_grouped = bool(writer.specials) and rng.random() < 0.45
            if writer.special_fact(plain) if is_grouped else writer.fact(plain):
                continue
        if fact_rate <= roll < fact_rate + question_rate and writer.has_questions:
            writer.question(rng.random() < brief_share)
        else:
            if prose and rng.random() < prose_share:
                writer.prose(prose)
            else:
                writer.sentence(chronicler.filler())
    return writer.document(n_tokens)


@dataclass(frozen=True)
class Teller:
    """Writes documents of one split in one language."""

    tokenizer: Tokenizer
    split: str
    language: Language = "core"
    prose: tuple[str, ...] = ()
    core_share: float = 0.0
    """Documents told in core forms without prose all the same, so that what is known stays known; asked as widely."""

    @classmethod
    def for_training(cls, tokenizer: Tokenizer, language: Language, core_share: float = 0.0) -> Teller:
        """Tells what training may see; beyond core forms, among real prose where it can be had."""
        prose = sentences_of(load_prose()) if language != "core" else ()
        return cls(tokenizer, "train", language, prose, core_share)

    def document(self, rng: random.Random, n_tokens: int, **shape: Any) -> Document:
        """A document of `n_tokens` tokens; `shape` is the rest of `make_document`."""
        is_core = self.core_share > 0 and rng.random() < self.core_share
        return make_document(
            rng,
            n_tokens,
            split=self.split,
            tokenizer=self.tokenizer,
            language="core" if is_core else self.language,
            prose=() if is_core else self.prose,
            is_wide=self.language != "core",
            **shape,
        )
