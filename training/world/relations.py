"""The harbour world: relations, their wording, and a seeded chronicler that writes sentences.

A fact is (relation, key a, key b, value), said once in a *core clause* such as "the lantern of Mara
is amber". Both keys stand within the four tokens before the value, where the base's layer-0
positional heads see them, and an answer restates the clause's own words up to the value.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """How one kind of fact is said and asked. `clause` ends right before the value."""

    name: str
    kinds: tuple[str, str]
    value_kind: str
    clause: str
    questions: tuple[str, ...]
    after: str = ""
    paraphrases: tuple[str, ...] = ()
    """Questions that share no content word with the fact once both keys are replaced by their aliases."""
    statements: tuple[str, ...] = ()
    """Forms of whole statements with {a}, {b} and {value}; none = the core clause with its value."""


RELATIONS: tuple[Relation, ...] = (
    Relation(
        "colour",
        ("object", "name"),
        "colour",
        "the {a} of {b} is",
        ("What colour is the {a} of {b}?", "Which colour has the {a} of {b}?", "How is the {a} of {b} painted?"),
        paraphrases=("What hue has {b}'s {a}?", "Which tint did {b}'s {a} get?", "{b}'s {a}: what hue?"),
    ),
    Relation(
        "kin",
        ("kin", "name"),
        "name",
        "the {a} of {b} is",
        ("Who is the {a} of {b}?", "What is the name of the {a} of {b}?", "Whom does {b} call {a}?"),
        paraphrases=(
            "Who counts as {b}'s {a}?",
            "Whom would {b} introduce as {a}?",
            "{b}'s {a}: who might that be?",
        ),
    ),
    Relation(
        "owner",
        ("object", "place"),
        "name",
        "the {a} at {b} is",
        ("Whose is the {a} at {b}?", "Who owns the {a} at {b}?", "To whom does the {a} at {b} belong?"),
        "'s",
    ),
    Relation(
        "store",
        ("surname", "object"),
        "place",
        "the {a} {b} lies in",
        ("Where is the {a} {b}?", "In which place lies the {a} {b}?", "Where did the {a} family put their {b}?"),
    ),
    Relation(
        "trade",
        ("name", "surname"),
        "trade",
        "{a} {b} is a",
        ("What is the trade of {a} {b}?", "What does {a} {b} do for a living?", "What work has {a} {b}?"),
    ),
    Relation(
        "carry",
        ("name", "surname"),
        "object",
        "{a} {b} carries a",
        ("What does {a} {b} carry?", "What is in the bag of {a} {b}?", "Which thing goes with {a} {b}?"),
    ),
    Relation(
        "pet",
        ("name", "surname"),
        "animal",
        "{a} {b} keeps a",
        ("What animal does {a} {b} keep?", "Which beast lives with {a} {b}?", "What does {a} {b} feed at home?"),
    ),
    Relation(
        "craving",
        ("name", "surname"),
        "food",
        "{a} {b} longs for",
        ("What does {a} {b} long for?", "What would {a} {b} like to eat?", "Which dish does {a} {b} miss?"),
    ),
    Relation(
        "sailing",
        ("place", "boat"),
        "hour",
        "the {a} {b} sails at",
        ("When does the {a} {b} sail?", "At what hour leaves the {a} {b}?", "When must one board the {a} {b}?"),
    ),
    Relation(
        "price",
        ("place", "goods"),
        "number",
        "at {a} a {b} costs",
        ("What does a {b} cost at {a}?", "How many pence is a {b} at {a}?", "What is the price of a {b} at {a}?"),
        " pence",
    ),
    Relation(
        "smell",
        ("place", "building"),
        "smell",
        "the {a} {b} smells of",
        ("What does the {a} {b} smell of?", "What scent has the {a} {b}?", "Which smell hangs about the {a} {b}?"),
    ),
)


SEEN = Relation(
    "seen",
    ("name", "surname"),
    "place",
    "{a} {b} was last seen in",
    ("Where was {a} {b} last seen?", "In which place was {a} {b} seen last?", "Where is {a} {b} now?"),
)
"""Said several times of one person; the last statement holds."""


HOLDS = Relation(
    "holds",
    ("object", "name"),
    "goods",
    "the {a} of {b} holds a",
    ("What does the {a} of {b} hold?", "What is in the {a} of {b}?", "What lies in the {a} of {b}?"),
)
"""Said several times of one thing; all statements hold."""


KIN = next(relation for relation in RELATIONS if relation.name == "kin")
COLOUR = next(relation for relation in RELATIONS if relation.name == "colour")
ALL_RELATIONS = (*RELATIONS, SEEN, HOLDS)
RELATION: dict[str, Relation] = {relation.name: relation for relation in ALL_RELATIONS}
COUNT_QUESTIONS = ("How many things does the {a} of {b} hold?", "How many things are in the {a} of {b}?")
COUNT_CLAUSE = "the {a} of {b} holds in all"
COUNTS = ("one", "two", "three", "four")
CHAIN_HOPS = 4
CHAIN_QUESTIONS = (
    "Follow the {a} of {b} four times: whom do you reach?",
    "Starting at {b}, who is the fourth {a} along the line?",
)


@dataclass(frozen=True)
class Statement:
    """One fact of the world. `key` never repeats within a document."""

    relation: Relation
    a: str
    b: str
    value: str

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.relation.name, self.a, self.b)

    def clause(self) -> str:
        """The core clause up to, not including, the space before the value."""
        return self.relation.clause.format(a=self.a, b=self.b)

    def said(self, rng: random.Random) -> tuple[str, str]:
        """A statement's text before the space before its value, and after the value."""
        if not self.relation.statements:
            return self.clause(), self.relation.after
        before, after = rng.choice(self.relation.statements).split("{value}")
        return before.strip().format(a=self.a, b=self.b), after.format(a=self.a, b=self.b)

    def question(self, rng: random.Random) -> str:
        return rng.choice(self.relation.questions).format(a=self.a, b=self.b)

    def answer(self) -> str:
        clause = self.clause()
        return f"{clause[0].upper()}{clause[1:]} {self.value}{self.relation.after}."
