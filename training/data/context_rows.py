"""Rows of the base's training as the allocator shows a history: raw blocks among gists, then questions.

Owns which blocks stand raw: those of the facts that are asked for, with or without their neighbours, and others that
distract. What no raw block tells completely is not in sight, and a question about it is to be refused.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import Teller
from training.data.documents import Document, Fact, Question, Value
from training.data.encoder import ANSWER_PREFIX, QUESTION_PREFIX
from training.data.layouts import Entry, children_of, expand_at, recency_layout
from training.data.lens_pool import PooledDocument, pooled_document
from training.data.lens_questions import Placed, Told
from training.data.lens_samples import Sampler
from training.data.positions import random_offset
from training.data.streams import Stream
from training.models.gistnet import GistNet
from training.models.llama import Llama
from training.world.questions import Asked, ask_unanswerable
from training.world.relations import Statement

PAGES = (1, 1, 2, 2, 4, 8, 16)
QUESTIONS = (2, 3, 4, 6, 8)
FACT_RATES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""Denser than what LensNet is shown: what stands raw should hold several facts that are alike."""
KIND_SHARES = {"single": 0.3, "queries": 0.2, "paraphrase": 0.15, "seen": 0.2, "holds": 0.14, "chain": 0.1}
"""The last of several mentions is asked for more often than LensNet is: finding it is easy, reading it is not."""
RIVAL_SHARE = 0.6
"""Of the rows: those whose raw blocks are chosen as a lens would, by what they share with what is asked."""
NOT_IN_SIGHT, NEVER_TOLD = 0.12, 0.1
"""Of the questions asked: those about facts that only gists hold, and about facts of other histories."""
QUESTION_ROOM = 40
"""Slots kept for a question and its answer while the layout is made; lists and chains take more."""
BARE_SHARE = 0.25
"""Of the rows: those without any gist, as where `gistInput` is "none"."""


@dataclass
class ContextRow:
    """One working context of `[N + 1]` slots (inputs and shifted targets), and questions at its end."""

    document: Document
    """Its places are slots; the token of a gist, or of what pads the end, is 0."""
    gists: Tensor
    """`[N + 1, d]`, zero where a slot is raw."""
    is_gist: Tensor
    """`[N + 1]` boolean."""
    positions: Tensor
    """`[N + 1]` float64."""
    follows: Tensor
    """`[N]` boolean: slot i + 1 is the raw token that comes next after what slot i covers."""


def located(tokens: list[int], placed: Placed, encode) -> Fact:
    """Where a fact's value and keys stand in `tokens`."""
    said = placed.statement
    value = encode(f" {said.value}")
    at = next(i for i in range(placed.start, placed.end) if tokens[i : i + len(value)] == value)
    keys = tuple(tokens.index(encode(f" {word}")[0], placed.start) for word in (said.a, said.b))
    return Fact(placed.start, placed.end, at, at + len(value), keys, said.key, said.relation.name, said)


def moved(fact: Fact, shift: int) -> Fact:
    keys = tuple(place + shift for place in fact.keys)
    spans = (place + shift for place in (fact.start, fact.end, fact.value_start, fact.value_end))
    return Fact(*spans, keys, fact.key, fact.template, fact.statement)


class ContextRows:
    """Draws working contexts from a pool of documents with their gists, which follow from the tokens alone."""

    def __init__(self, base: Llama, net: GistNet, teller: Teller, rng: random.Random) -> None:
        self.rng = rng
        self.sampler = Sampler(base, net, teller, rng, 0)
        self.encode = self.sampler.encode

    @property
    def pool(self) -> list[PooledDocument]:
        return self.sampler.pool

    @pool.setter
    def pool(self, pool: list[PooledDocument]) -> None:
        self.sampler.pool = pool

    def fill(self, tokens: int) -> None:
        while sum(len(document.tokens) for document in self.pool) < tokens:
            self.pool.append(self.document((2, 4, 8, 16)))

    def refresh(self) -> None:
        """Put a new document in a random one's place, so that the base does not learn the pool by heart."""
        self.pool[self.rng.randrange(len(self.pool))] = self.document((2, 2, 4, 8))

    def document(self, pages: tuple[int, ...]) -> PooledDocument:
        sampler = self.sampler
        return pooled_document(self.rng, self.rng.choice(pages), sampler.base, sampler.net, sampler.teller, FACT_RATES)

    def row(self, slots: int) -> ContextRow:
        """A row of `slots` + 1 slots; draws again what does not fit."""
        while True:
            stream, told = self.sampler.history(self.rng.choice(PAGES))
            row = self.shown(stream, told, slots + 1)
            if row is not None:
                return row

    def shown(self, stream: Stream, told: Told, slots: int) -> ContextRow | None:
        rng = self.rng
        count = rng.choice(QUESTIONS)
        refused = sum(rng.random() < NOT_IN_SIGHT for _ in range(count))
        strange = sum(rng.random() < NEVER_TOLD for _ in range(count))
        drawn = self.answerable(stream, told, max(1, count - refused - strange))
        places, texts = all_facts(told), stream.tokens.tolist()
        unseen = [placed.statement for placed in rng.sample(places, min(refused, len(places)))]
        untold = self.untold(places, strange)
        is_bare, layout = rng.random() < BARE_SHARE, None
        while layout is None:
            if not drawn:
                return None
            room = slots - QUESTION_ROOM * (refused + strange) - sum(len(self.line(one)) for one, _ in drawn)
            wanted = [fact for _, needed in drawn for fact in needed]
            rivals = rivals_of([fact.statement for fact in wanted] + unseen + untold, places, set(unseen))
            layout = self.layout(stream, wanted, places, rivals, room, is_bare)
            if layout is None:
                drawn.pop()
        asked = [one for one, _ in drawn]
        slot_of, build = np.full(stream.length, -1), RowBuilder(self, stream)
        for entry in layout:
            if entry.lod == 0:
                slot_of[entry.start : entry.end] = len(build.tokens) + np.arange(entry.end - entry.start)
            build.entry(entry)
        in_sight, hidden = {}, set()
        for placed in places:
            covered = slot_of[placed.start : placed.end]
            if covered.min() >= 0 and covered[-1] - covered[0] == len(covered) - 1:
                in_sight[placed.statement] = moved(located(texts, placed, self.encode), int(covered[0]) - placed.start)
            elif (covered < 0).any():
                hidden.add(placed.statement)
        if any(statement not in in_sight for one in asked for statement in one.statements):
            return None
        build.facts = sorted(in_sight.values(), key=lambda fact: fact.start)
        keys_in_sight = {statement.key for statement in in_sight}
        asked += [
            ask_unanswerable(statement, rng)
            for statement in unseen
            if statement in hidden and statement.key not in keys_in_sight
        ]
        asked += [ask_unanswerable(statement, rng) for statement in untold]
        rng.shuffle(asked)
        for one in asked:
            build.ask(one)
        return build.row(slots)

    def answerable(self, stream: Stream, told: Told, count: int) -> list[tuple[Asked, list[Placed]]]:
        """Questions that raw blocks will answer, each with the facts that must stand raw for it."""
        drawn: list[tuple[Asked, list[Placed]]] = []
        for _ in range(count):
            found = told.draw(self.rng, stream.length, KIND_SHARES)
            if found is not None and not any(fact in needed for fact in found[1] for _, needed in drawn):
                drawn.append((found[0], found[1] if found[0].kind != "last" else self.with_earlier(told, found[1])))
        return drawn

    def with_earlier(self, told: Told, last: list[Placed]) -> list[Placed]:
        """The last of several mentions, often with those before it: which is the last can be seen only then."""
        if self.rng.random() < 0.3:
            return last
        return next((group for group in told.groups["seen"] if group[-1:] == last), last)

    def untold(self, places: list[Placed], count: int) -> list[Statement]:
        """At most `count` statements whose keys this history never tells.

        Half of them join the keys of two of its facts, so that each of their words stands somewhere; the others are
        facts of other histories.
        """
        rng, found = self.rng, []
        told = {placed.statement.key for placed in places}
        for _ in range(count):
            if places and rng.random() < 0.5:
                one = rng.choice(places).statement
                like = [placed.statement for placed in places if placed.statement.relation.name == one.relation.name]
                unsaid = [replace(one, b=other.b) for other in rng.sample(like, min(4, len(like)))]
            else:
                unsaid = [fact.statement for fact in rng.choice(self.pool).facts]
            unsaid = [statement for statement in unsaid if statement.key not in told and statement.a != statement.b]
            found += [rng.choice(unsaid)] if unsaid else []
        return found

    def line(self, asked: Asked) -> list[int]:
        return self.encode(QUESTION_PREFIX + asked.text + ANSWER_PREFIX + asked.answer)

    def layout(
        self, stream: Stream, wanted: list[Placed], others: list[Placed], rivals: list[Placed], room: int, is_bare: bool
    ) -> list[Entry] | None:
        """Entries of at most `room` slots with the blocks of `wanted` raw; None where they do not fit.

        What else stands raw is drawn from `rivals` in some rows, from `others` or anywhere in the rest. A bare layout
        loses its gists, so that they cost nothing.
        """
        rng, length = self.rng, stream.length
        layout = recency_layout(length, rng.choice((32, 64, 128, 256)), rng.choice((0, 0, 1024, 2048)))
        for fact in wanted:
            first, last = fact.start // BLOCK_SIZE, (fact.end - 1) // BLOCK_SIZE
            before, after = (rng.random() < 0.35 for _ in range(2))
            for block in range(first - before, last + 1 + after):
                if 0 <= block * BLOCK_SIZE < length:
                    expand_at(layout, block * BLOCK_SIZE, 0)

        def cost() -> int:
            return sum(entry.cost for entry in layout if entry.lod == 0 or not is_bare)

        if cost() > room:
            return None
        chosen = rivals if rivals and rng.random() < RIVAL_SHARE else others
        blocks = [fact.start // BLOCK_SIZE for fact in chosen]
        distractors = rng.choice((0, 2, 4, 8, 16, 99)) if not is_bare else 99
        while cost() + 2 * BLOCK_SIZE <= room:
            coarse = [index for index, entry in enumerate(layout) if entry.lod >= 2]
            gists = [index for index, entry in enumerate(layout) if entry.lod >= 1]
            if not gists:
                break
            if distractors > 0 or not coarse:
                distractors -= 1
                if blocks and rng.random() < 0.8:
                    expand_at(layout, rng.choice(blocks) * BLOCK_SIZE, 0)
                else:
                    entry = layout[rng.choice(gists)]
                    expand_at(layout, entry.start + rng.randrange(entry.cost * BLOCK_SIZE**entry.lod), 0)
                if distractors < -200:
                    break
            else:
                index = coarse[-1] if rng.random() < 0.8 else rng.choice(coarse)
                layout[index : index + 1] = children_of(layout[index])
        return [entry for entry in layout if entry.lod == 0 or not is_bare]


def all_facts(told: Told) -> list[Placed]:
    return told.facts + [fact for groups in told.groups.values() for group in groups for fact in group]


def rivals_of(asked: list[Statement], places: list[Placed], hidden: set[Statement]) -> list[Placed]:
    """The facts that a lens would open by mistake for `asked`: those that share a word or the relation.

    The more it shares, the more often it stands in the list; those of `hidden` are left out.
    """
    words = {word for statement in asked for word in (statement.a, statement.b)}
    relations, keys = {statement.relation.name for statement in asked}, {statement.key for statement in asked}
    found = []
    for placed in places:
        said = placed.statement
        if said in hidden:
            continue
        shared = (said.a in words) + (said.b in words) + (said.relation.name in relations)
        found += [placed] * (shared + (said.key in keys) if shared >= 2 else 0)
    return found


class RowBuilder:
    """Appends entries and questions, slot by slot."""

    def __init__(self, rows: ContextRows, stream: Stream) -> None:
        self.encode, self.stream, self.rng = rows.encode, stream, rows.rng
        self.tokens: list[int] = []
        self.positions: list[float] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.gists: dict[int, Tensor] = {}
        self.facts: list[Fact] = []
        self.questions: list[Question] = []
        self.length = stream.length

    def entry(self, entry: Entry) -> None:
        if entry.lod:
            self.gists[len(self.tokens)] = self.stream.gist(entry)
            self.tokens.append(0)
            self.positions.append(entry.start + (entry.end - entry.start) / 2)
            self.starts.append(entry.start)
            self.ends.append(entry.end)
        else:
            self.raw(self.stream.tokens[entry.start : entry.end].tolist(), entry.start)

    def raw(self, tokens: list[int], start: int) -> None:
        places = range(start, start + len(tokens))
        self.tokens += tokens
        self.positions += places
        self.starts += places
        self.ends += (place + 1 for place in places)

    def said(self, text: str) -> None:
        tokens = self.encode(text)
        self.raw(tokens, self.length)
        self.length += len(tokens)

    def ask(self, asked: Asked) -> None:
        """Append a question and its answer about facts in sight."""
        index_of = {fact.statement: index for index, fact in enumerate(self.facts)}
        start = len(self.tokens)
        self.said(QUESTION_PREFIX + asked.text + ANSWER_PREFIX)
        answer_start, values = len(self.tokens), []
        for piece in asked.pieces:
            at = len(self.tokens)
            self.said(piece.text)
            if piece.is_value:
                values.append(Value(at, len(self.tokens), index_of[piece.statement] if piece.statement else None))
        indices = [index_of[statement] for statement in asked.statements]
        candidates = 0
        if indices:
            first = self.facts[indices[0]]
            candidates = sum(other.template == first.template and other.key != first.key for other in self.facts)
        self.questions.append(Question(start, answer_start, asked.kind, values, indices, candidates))
        self.said("\n")

    def row(self, slots: int) -> ContextRow | None:
        """The row padded to `slots`; None where it is longer."""
        size, missing = len(self.tokens), slots - len(self.tokens)
        if missing < 0:
            return None
        tokens = np.array(self.tokens + [0] * missing, dtype=np.int32)
        positions = np.array(self.positions + [self.positions[-1]] * missing) + random_offset(self.rng)
        gists = torch.zeros(slots, self.stream.gists[1].shape[1])
        is_gist = torch.zeros(slots, dtype=torch.bool)
        for index, gist in self.gists.items():
            gists[index], is_gist[index] = gist, True
        follows = torch.zeros(slots - 1, dtype=torch.bool)
        starts, ends = torch.tensor(self.starts), torch.tensor(self.ends)
        follows[: size - 1] = (starts[1:] == ends[:-1]) & ~is_gist[1:size]
        return ContextRow(
            Document(tokens, self.facts, self.questions), gists, is_gist, torch.from_numpy(positions), follows
        )
