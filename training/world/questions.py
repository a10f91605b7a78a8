"""Questions about facts, and their answers in the facts' own words, by kind.

Owns the wording of a question and which parts of its answer are values. It draws no facts and knows no
tokens.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.world.forms import ABSTENTION
from training.world.lexicon import ALIASES
from training.world.relations import CHAIN_QUESTIONS, COUNT_CLAUSE, COUNT_QUESTIONS, COUNTS, Statement

KINDS = ("single", "paraphrase", "last", "values", "count", "chain", "queries", "list", "trail", "unanswerable")
LIST_QUESTIONS = (
    "Name everything that the {a} of {b} holds, one by one.",
    "Go through the {a} of {b}: what is in it, one thing at a time?",
    "Count off the things in the {a} of {b}.",
)
TRAIL_QUESTIONS = (
    "Follow the {a} of {b} four times, step by step.",
    "Starting at {b}, name each {a} along the line, four in all.",
    "Go from {b} to the {a}, and on like that four times: who is met?",
)
HELD_OUT_LIST_QUESTIONS = (
    "Say of each thing in the {a} of {b} that it is there.",
    "Everything in the {a} of {b}, please, one sentence each.",
)
"""Evaluation asks these; like all held-out forms they are shown in no training."""
HELD_OUT_TRAIL_QUESTIONS = (
    "Whom do four steps from {b} to the next {a} pass, one after another?",
    "Tell the line that begins with {b}: each time the {a}, four of them.",
)
HELD_OUT_COUNT_QUESTIONS = (
    "Of how many things is the {a} of {b} full?",
    "Give the number of things in the {a} of {b}.",
)
HELD_OUT_CHAIN_QUESTIONS = (
    "Who is reached from {b} by four steps, each to the {a}?",
    "After four steps from {b}, each to the {a}, who stands there?",
)


@dataclass(frozen=True)
class Piece:
    """A part of an answer; a value that a fact states carries that fact."""

    text: str
    is_value: bool = False
    statement: Statement | None = None


@dataclass(frozen=True)
class Asked:
    kind: str
    text: str
    """The question's line, without the chat's markup."""
    pieces: tuple[Piece, ...]
    statements: tuple[Statement, ...]
    """All facts that the answer needs."""

    @property
    def answer(self) -> str:
        return "".join(piece.text for piece in self.pieces)


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def value_of(statement: Statement) -> Piece:
    return Piece(f" {statement.value}", True, statement)


def sentence(statement: Statement, lead: str = " ") -> tuple[Piece, ...]:
    """ " The lantern of Mara is", " amber", "." """
    clause = Piece(lead + capital(statement.clause()))
    return clause, value_of(statement), Piece(f"{statement.relation.after}.")


def ask_single(statement: Statement, rng: random.Random) -> Asked:
    return Asked("single", statement.question(rng), sentence(statement), (statement,))


def can_paraphrase(statement: Statement) -> bool:
    return bool(statement.relation.paraphrases) and statement.a in ALIASES and statement.b in ALIASES


def ask_paraphrase(statement: Statement, rng: random.Random) -> Asked:
    """Both keys by their aliases; the answer says the fact's own words."""
    text = rng.choice(statement.relation.paraphrases)
    text = text.format(a=ALIASES[statement.a], b=ALIASES[statement.b])
    return Asked("paraphrase", text, sentence(statement), (statement,))


def ask_last(said: list[Statement], rng: random.Random) -> Asked:
    """The latest of several statements about one key; only that one is needed."""
    return Asked("last", said[-1].question(rng), sentence(said[-1]), (said[-1],))


def ask_values(said: list[Statement], rng: random.Random) -> Asked:
    """All values of one key, in the order in which they were stated."""
    first, *others = said
    pieces = [Piece(" " + capital(first.clause())), value_of(first)]
    for other in others:
        pieces += [Piece(", a"), value_of(other)]
    return Asked("values", first.question(rng), (*pieces, Piece(".")), tuple(said))


def ask_count(said: list[Statement], rng: random.Random) -> Asked:
    fill = {"a": said[0].a, "b": said[0].b}
    clause = Piece(" " + capital(COUNT_CLAUSE.format(**fill)))
    number = Piece(f" {COUNTS[len(said) - 1]}", True)
    return Asked("count", rng.choice(COUNT_QUESTIONS).format(**fill), (clause, number, Piece(".")), tuple(said))


def ask_chain(hops: list[Statement], rng: random.Random) -> Asked:
    """Variable tracking: the answer spells out every hop."""
    text = rng.choice(CHAIN_QUESTIONS).format(a=hops[0].a, b=hops[0].b)
    pieces = [Piece(" " + capital(hops[0].clause())), value_of(hops[0])]
    for hop in hops[1:]:
        pieces += [Piece(f", {hop.clause()}"), value_of(hop)]
    return Asked("chain", text, (*pieces, Piece(".")), tuple(hops))


def ask_queries(statements: list[Statement], rng: random.Random) -> Asked:
    """Several questions in one line, answered in their order."""
    text = " ".join(statement.question(rng) for statement in statements)
    pieces = tuple(piece for statement in statements for piece in sentence(statement))
    return Asked("queries", text, pieces, tuple(statements))


def ask_one_by_one(said: list[Statement], rng: random.Random, kind: str) -> Asked:
    """All values of one key (`list`) or all hops of a chain (`trail`), a sentence each: the answer must go on."""
    questions = LIST_QUESTIONS if kind == "list" else TRAIL_QUESTIONS
    text = rng.choice(questions).format(a=said[0].a, b=said[0].b)
    pieces = tuple(piece for statement in said for piece in sentence(statement))
    return Asked(kind, text, pieces, tuple(said))


def ask_unanswerable(unsaid: Statement, rng: random.Random) -> Asked:
    """A question whose keys no statement has had; its value is of no matter."""
    answer = Piece(f" {ABSTENTION.removesuffix('.')}", True)
    return Asked("unanswerable", unsaid.question(rng), (answer, Piece(".")), ())
