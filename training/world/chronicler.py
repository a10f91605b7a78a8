"""A seeded chronicler: draws the statements and the filler of one document from a cast that is reused within it."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from training.world.asides import LEADS, TAILS
from training.world.filler import PARSED, TOPIC_NAMES, Template, expand
from training.world.forms import RELATION_IN, Language
from training.world.held_out import is_eval_combination
from training.world.lexicon import ALIASES, LEXICON
from training.world.relations import COLOUR, KIN, RELATIONS, Relation, Statement


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
    language: Language = "core"
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
        drawn = rng.sample(relations, min(self.relation_count, len(relations)))
        self.relations = [self.spoken(relation) for relation in drawn]
        kinds = {kind for relation in self.relations for kind in relation.kinds} | {"name", "surname", "place"}
        self.cast = {}
        for kind in sorted(kinds):
            self.cast_of(kind)
        self.topic = rng.choice(TOPIC_NAMES)
        self.used: set[tuple[str, str, str]] = set()
        self.recent: deque[Template] = deque(maxlen=4)

    def spoken(self, relation: Relation) -> Relation:
        """A relation with this document's forms."""
        return RELATION_IN[self.language][relation.name]

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

    def unsaid(self) -> Statement | None:
        """Keys of the document's words that no fact has had; None if they have all been used."""
        for _ in range(50):
            relation = self.pick(self.relations)
            a, b = (self.pick(self.cast[kind]) for kind in relation.kinds)
            if (relation.name, a, b) not in self.used and a != b:
                return Statement(relation, a, b, self.pick(LEXICON[relation.value_kind]))
        return None

    def fits(self, relation: Relation, a: str, b: str, value: str) -> bool:
        """Whether a combination belongs to this split and does not repeat itself."""
        is_held_out = is_eval_combination(relation.name, a, b, value)
        return is_held_out == (self.split == "eval") and value not in (a, b)

    def restatement(self, relation: Relation, past: list[Statement]) -> Statement | None:
        """A fact about the key of `past` with another value, or about a new key if `past` is empty."""
        relation = self.spoken(relation)
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
                return Statement(self.spoken(KIN), a, b, value)
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
