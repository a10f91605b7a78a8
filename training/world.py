"""The harbour world: relations, their wording, and a seeded chronicler that writes sentences.

A fact is (relation, key a, key b, value), said once in a *core clause* such as "the lantern of Mara
is amber". Both keys stand within the four tokens before the value, where the base's layer-0
positional heads see them, and an answer restates the clause's own words up to the value.
"""

from __future__ import annotations

import random
import zlib
from collections import deque
from dataclasses import dataclass, field

from filler import PARSED, TOPIC_NAMES, Template, expand
from lexicon import ALIASES, LEXICON

EVAL_SHARE = 10
"""One combination in this many is kept for the eval split."""


@dataclass(frozen=True)
class Relation:
    """How one kind of fact is said and asked. `clause` ends right before the value."""

    name: str
    kinds: tuple[str, str]
    value_kind: str
    clause: str
    questions: tuple[str, ...]
    after: str = ""


RELATIONS: tuple[Relation, ...] = (
    Relation("colour", ("object", "name"), "colour", "the {a} of {b} is",
             ("What colour is the {a} of {b}?", "Which colour has the {a} of {b}?", "How is the {a} of {b} painted?")),
    Relation("kin", ("kin", "name"), "name", "the {a} of {b} is",
             ("Who is the {a} of {b}?", "What is the name of the {a} of {b}?", "Whom does {b} call {a}?")),
    Relation("owner", ("object", "place"), "name", "the {a} at {b} is",
             ("Whose is the {a} at {b}?", "Who owns the {a} at {b}?", "To whom does the {a} at {b} belong?"), "'s"),
    Relation("store", ("surname", "object"), "place", "the {a} {b} lies in",
             ("Where is the {a} {b}?", "In which place lies the {a} {b}?", "Where did the {a} family put their {b}?")),
    Relation("trade", ("name", "surname"), "trade", "{a} {b} is a",
             ("What is the trade of {a} {b}?", "What does {a} {b} do for a living?", "What work has {a} {b}?")),
    Relation("carry", ("name", "surname"), "object", "{a} {b} carries a",
             ("What does {a} {b} carry?", "What is in the bag of {a} {b}?", "Which thing goes with {a} {b}?")),
    Relation("pet", ("name", "surname"), "animal", "{a} {b} keeps a",
             ("What animal does {a} {b} keep?", "Which beast lives with {a} {b}?", "What does {a} {b} feed at home?")),
    Relation("craving", ("name", "surname"), "food", "{a} {b} longs for",
             ("What does {a} {b} long for?", "What would {a} {b} like to eat?", "Which dish does {a} {b} miss?")),
    Relation("sailing", ("place", "boat"), "hour", "the {a} {b} sails at",
             ("When does the {a} {b} sail?", "At what hour leaves the {a} {b}?", "When must one board the {a} {b}?")),
    Relation("price", ("place", "goods"), "number", "at {a} a {b} costs",
             ("What does a {b} cost at {a}?", "How many pence is a {b} at {a}?", "What is the price of a {b} at {a}?"),
             " pence"),
    Relation("smell", ("place", "building"), "smell", "the {a} {b} smells of",
             ("What does the {a} {b} smell of?", "What scent has the {a} {b}?", "Which smell hangs about the {a} {b}?")),
)

SEEN = Relation("seen", ("name", "surname"), "place", "{a} {b} was last seen in",
                ("Where was {a} {b} last seen?", "In which place was {a} {b} seen last?", "Where is {a} {b} now?"))
"""Said several times of one person; the last statement holds."""
HOLDS = Relation("holds", ("object", "name"), "goods", "the {a} of {b} holds a",
                 ("What does the {a} of {b} hold?", "What is in the {a} of {b}?", "What lies in the {a} of {b}?"))
"""Said several times of one thing; all statements hold."""
KIN = next(relation for relation in RELATIONS if relation.name == "kin")
COLOUR = next(relation for relation in RELATIONS if relation.name == "colour")

ALL_RELATIONS = (*RELATIONS, SEEN, HOLDS)
RELATION: dict[str, Relation] = {relation.name: relation for relation in ALL_RELATIONS}

PARAPHRASES: dict[str, tuple[str, ...]] = {
    "colour": ("What hue has {b}'s {a}?", "Which tint did {b}'s {a} get?", "{b}'s {a}: what hue?"),
    "kin": ("Who counts as {b}'s {a}?", "Whom would {b} introduce as {a}?", "{b}'s {a}: who might that be?"),
}
"""Questions that share no content word with the fact once both keys are replaced by their aliases."""
COUNT_QUESTIONS = ("How many things does the {a} of {b} hold?", "How many things are in the {a} of {b}?")
COUNT_CLAUSE = "the {a} of {b} holds in all"
COUNTS = ("one", "two", "three", "four")
CHAIN_HOPS = 4
CHAIN_QUESTIONS = ("Follow the {a} of {b} four times: whom do you reach?",
                   "Starting at {b}, who is the fourth {a} along the line?")

LEADS: tuple[str, ...] = (
    "It was said on the quay that", "Everyone knows that", "The harbour book notes that", "People say that",
    "It is well known that", "As the old women tell it,", "According to the clerk's notes,", "That year they found that",
    "The children will tell you that", "Mind you,", "It was noticed that", "In those days, and still now,",
    "Nobody was surprised that", "A letter mentions that", "It is true that", "The town remembers that",
    "Strange to say,", "If the sexton is right,", "We learned at supper that", "Somebody wrote on the wall that",
    "The pilot swore that", "And so it is that", "By all accounts", "Let it be written that", "They still say that",
    "One more thing:", "For the record,", "As for the rest,", "The innkeeper told us that", "It came out that",
)
TAILS: tuple[str, ...] = (
    ", and nobody doubted it", ", or so they say", ", which made people smile", ", as the whole town knows",
    ", and that was that", ", though few have asked why", ", and it will stay so", ", to nobody's surprise",
    ", as it was in the old days", ", and the talk went on", ", which is worth writing down", ", God willing",
    ", and the matter was closed", ", for reasons of his own", ", whatever the neighbours think",
    ", and the clerk wrote it down", ", as sure as the tide", ", and some laughed", "; the rest is guesswork",
    "; ask anyone", "; so the story goes", ", even in winter", ", rain or shine", ", and no wonder",
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

    def question(self, rng: random.Random) -> str:
        return rng.choice(self.relation.questions).format(a=self.a, b=self.b)

    def answer(self) -> str:
        clause = self.clause()
        return f"{clause[0].upper()}{clause[1:]} {self.value}{self.relation.after}."


def is_eval_combination(relation: str, a: str, b: str, value: str) -> bool:
    """Whether a combination is kept for evaluation; stable across runs and machines."""
    return zlib.crc32(f"{relation}|{a}|{b}|{value}".encode()) % EVAL_SHARE == 0


@dataclass
class Chronicler:
    """Draws statements and filler for one document, from a cast that is reused within it.

    `cast_size` bounds how many words of each kind a document uses: small casts make facts share keys,
    so that one key alone does not identify a fact.
    """

    rng: random.Random
    split: str = "train"
    cast_size: int = 24
    relation_count: int = 3
    aliased: bool = False
    """Only relations and words that a paraphrased question can ask about."""
    cast: dict[str, list[str]] = field(init=False)
    relations: list[Relation] = field(init=False)
    topic: str = field(init=False)

    def __post_init__(self) -> None:
        if self.split not in ("train", "eval"):
            raise ValueError(f"split must be 'train' or 'eval', not {self.split!r}")
        rng = self.rng
        relations = (COLOUR, KIN) if self.aliased else RELATIONS
        self.relations = rng.sample(relations, min(self.relation_count, len(relations)))
        kinds = {kind for relation in self.relations for kind in relation.kinds} | {"name", "surname", "place"}
        self.cast = {}
        for kind in sorted(kinds):
            self.cast_of(kind)
        self.topic = rng.choice(TOPIC_NAMES)
        self.used: set[tuple[str, str, str]] = set()
        self.recent: deque[Template] = deque(maxlen=4)

    def cast_of(self, kind: str) -> list[str]:
        """The document's words of a kind, drawn when first needed."""
        if kind not in self.cast:
            words = [word for word in LEXICON[kind] if not self.aliased or word in ALIASES] or list(LEXICON[kind])
            self.cast[kind] = self.rng.sample(words, min(self.cast_size, len(words)))
        return self.cast[kind]

    def pick(self, items: list[str] | tuple[str, ...]) -> str:
        return items[int(self.rng.random() * len(items))]

    def statement(self) -> Statement | None:
        """A new fact of this split whose key was not used before, or None if the cast is exhausted."""
        for _ in range(200):
            relation = self.relations[int(self.rng.random() * len(self.relations))]
            a, b = self.pick(self.cast[relation.kinds[0]]), self.pick(self.cast[relation.kinds[1]])
            value = self.pick(LEXICON[relation.value_kind])
            if not self.fits(relation, a, b, value) or (relation.name, a, b) in self.used:
                continue
            self.used.add((relation.name, a, b))
            return Statement(relation, a, b, value)
        return None

    def fits(self, relation: Relation, a: str, b: str, value: str) -> bool:
        """Whether a combination belongs to this split and does not repeat itself."""
        is_held_out = is_eval_combination(relation.name, a, b, value)
        return is_held_out == (self.split == "eval") and value not in (a, b)

    def restatement(self, relation: Relation, past: list[Statement]) -> Statement | None:
        """A fact about the key of `past` with another value, or about a new key if `past` is empty."""
        for _ in range(200):
            if past:
                a, b = past[0].a, past[0].b
            else:
                a, b = (self.pick(self.cast_of(kind)) for kind in relation.kinds)
                if (relation.name, a, b) in self.used:
                    continue
            value = self.pick(LEXICON[relation.value_kind])
            if self.fits(relation, a, b, value) and all(value != other.value for other in past):
                self.used.add((relation.name, a, b))
                return Statement(relation, a, b, value)
        return None

    def chain_link(self, past: list[Statement]) -> Statement | None:
        """The next hop of a chain of kin: its key is the last hop's value."""
        members = {past[0].b, *(hop.value for hop in past)} if past else set()
        for _ in range(200):
            a = past[0].a if past else self.pick(self.cast_of("kin"))
            b = past[-1].value if past else self.pick(self.cast_of("name"))
            value = self.pick(LEXICON["name"])
            if (KIN.name, a, b) in self.used or value in members or (KIN.name, a, value) in self.used:
                if past and (KIN.name, a, b) in self.used:
                    return None
                continue
            if self.fits(KIN, a, b, value):
                self.used.add((KIN.name, a, b))
                return Statement(KIN, a, b, value)
        return None

    def lead_and_tail(self, plain: bool, opens_paragraph: bool) -> tuple[str, str]:
        """Words before and after a core clause; a clause never opens a paragraph bare.

        At a paragraph's start there is no leading space, and a key there would be another token.
        """
        bare_lead = plain or self.rng.random() < 0.35
        lead = "" if bare_lead and not opens_paragraph else self.pick(LEADS)
        tail = "" if plain or self.rng.random() < 0.5 else self.pick(TAILS)
        return lead, tail

    def fresh_template(self) -> Template:
        """A template of the topic that was not among the last few."""
        template = self.pick(PARSED[self.topic])
        while template in self.recent:
            template = self.pick(PARSED[self.topic])
        self.recent.append(template)
        return template

    def filler(self) -> str:
        """One sentence of the current topic; the topic drifts."""
        if self.rng.random() < 0.12:
            self.topic = self.pick(TOPIC_NAMES)
        text = expand(self.fresh_template(), self.rng)
        names = self.rng.sample(self.cast["name"], text.count("{person}"))
        for name in names:
            person = name if self.rng.random() < 0.6 else f"{name} {self.pick(self.cast['surname'])}"
            text = text.replace("{person}", person, 1)
        return text.replace("{place}", self.pick(self.cast["place"]))
