"""Questions for LensNet's training states: tokens, key places, and the facts that an answer still needs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from training.data.encoder import ANSWER_PREFIX, QUESTION_PREFIX
from training.world.lexicon import ALIASES
from training.world.questions import (
    Asked,
    ask_chain,
    ask_count,
    ask_last,
    ask_one_by_one,
    ask_paraphrase,
    ask_queries,
    ask_single,
    ask_values,
    can_paraphrase,
)
from training.world.relations import CHAIN_HOPS, Statement

KIND_SHARES = {"single": 0.35, "queries": 0.2, "paraphrase": 0.2, "seen": 0.1, "holds": 0.14, "chain": 0.1}
"""How often each kind of question is drawn first; what the facts do not allow gives way to another draw."""
GOLD = 0.8
HOLDS_HINT = 0.45
"""Later hops of a chain, whose keys are not known yet, only their relation."""


class Placed(NamedTuple):
    """A fact in a history: what it says, and where its keys and its value stand."""

    statement: Statement
    start: int
    end: int


@dataclass
class Question:
    """Tokens of a question and its answer, and the facts that the answer needs."""

    tokens: list[int]
    kind: str
    statement: Statement
    """The fact that the first value comes from."""
    keys: tuple[int, int]
    """Where its two keys, or their aliases, stand in the question's line."""
    keys_end: int
    """Index after the question's line: both keys have been said."""
    answer_start: int
    value_start: int
    values: list[tuple[int, int]]
    """(index of the value's first token, index into `gold`) of every value that a fact states."""
    gold: list[Placed]


def write_question(asked: Asked, placed: list[Placed], encode) -> Question:
    line = encode(QUESTION_PREFIX + asked.text)
    tokens = line + encode(ANSWER_PREFIX)
    answer_start, values = len(tokens), []
    spans = {fact.statement: index for index, fact in enumerate(placed)}
    first_value = None
    for piece in asked.pieces:
        if piece.is_value:
            first_value = first_value or len(tokens)
            if piece.statement:
                values.append((len(tokens), spans[piece.statement]))
        tokens += encode(piece.text)
    statement = asked.statements[0]
    words = (statement.a, statement.b)
    if asked.kind == "paraphrase":
        words = tuple(ALIASES[word] for word in words)
    keys = tuple(line.index(encode(" " + word)[0]) for word in words)
    return Question(tokens, asked.kind, statement, keys, len(line), answer_start, first_value, values, placed)


@dataclass
class Told:
    """The facts of one history, and which of them belong together."""

    facts: list[Placed]
    groups: dict[str, list[list[Placed]]]

    def question(self, rng: random.Random, encode, last: int) -> Question | None:
        """A question of a random kind about facts that end before token `last`, as tokens."""
        found = self.draw(rng, last)
        return found and write_question(*found, encode)

    def draw(
        self, rng: random.Random, last: int, shares: dict[str, float] = KIND_SHARES
    ) -> tuple[Asked, list[Placed]] | None:
        """A question of a random kind about facts that end before token `last`, and the facts that it needs."""
        facts = [fact for fact in self.facts if fact.end <= last]
        groups = {
            name: [kept for group in groups if (kept := [fact for fact in group if fact.end <= last])]
            for name, groups in self.groups.items()
        }
        makers = {
            "single": lambda: self.single(facts, rng),
            "queries": lambda: self.several(facts, rng),
            "paraphrase": lambda: self.reworded(facts, rng),
        }
        for name in ("seen", "holds", "chain"):
            makers[name] = lambda name=name: self.grouped(name, groups.get(name, []), rng)
        for kind in (*rng.choices(list(makers), [shares[kind] for kind in makers], k=3), "single"):
            found = makers[kind]()
            if found is not None:
                return found
        return None

    @staticmethod
    def single(facts: list[Placed], rng: random.Random) -> tuple[Asked, list[Placed]] | None:
        if not facts:
            return None
        fact = rng.choice(facts)
        return ask_single(fact.statement, rng), [fact]

    @staticmethod
    def reworded(facts: list[Placed], rng: random.Random) -> tuple[Asked, list[Placed]] | None:
        able = [fact for fact in facts if can_paraphrase(fact.statement)]
        if not able:
            return None
        fact = rng.choice(able)
        return ask_paraphrase(fact.statement, rng), [fact]

    @staticmethod
    def several(facts: list[Placed], rng: random.Random) -> tuple[Asked, list[Placed]] | None:
        if len(facts) < 4:
            return None
        chosen = rng.sample(facts, rng.choice((2, 3, 4, 4)))
        return ask_queries([fact.statement for fact in chosen], rng), chosen

    @staticmethod
    def grouped(name: str, groups: list[list[Placed]], rng: random.Random) -> tuple[Asked, list[Placed]] | None:
        whole = [group for group in groups if name != "chain" or len(group) == CHAIN_HOPS]
        if not whole:
            return None
        group = rng.choice(whole)
        said = [fact.statement for fact in group]
        if name != "seen" and said[0].relation.statements and rng.random() < 0.5:
            return ask_one_by_one(said, rng, "trail" if name == "chain" else "list"), group
        if name == "chain":
            return ask_chain(said, rng), group
        if name == "seen":
            return ask_last(said, rng), group[-1:]
        return (ask_values if rng.random() < 0.6 else ask_count)(said, rng), group


def wanted_spans(question: Question, cut: int) -> dict[Placed, float]:
    """Which facts a tail that ends at `cut` asks for, and how strongly.

    Facts whose value was said already are done with. A chain's next hop is known, the later ones only by
    their relation.
    """
    said = {index for at, index in question.values if at < cut}
    left = [index for index in range(len(question.gold)) if index not in said]
    if not left:
        return {}
    is_chain = question.kind in ("chain", "trail")
    return {question.gold[index]: HOLDS_HINT if is_chain and index > left[0] else GOLD for index in left}
