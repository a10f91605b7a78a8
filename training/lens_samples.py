"""Labelled working contexts for LensNet: pooled documents, random layouts, a question at the tail."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from corpus import ANSWER_PREFIX, QUESTION_PREFIX, Fact, encoder_for, make_document
from gistnet import BLOCK_SIZE, GistNet, compress_sequence
from llama import Llama
from streams import (
    DOCUMENT,
    LOD1_TOKENS,
    RECENT_TOKENS,
    Entry,
    Slots,
    Stream,
    children_of,
    expand_at,
    extend_stream,
    is_recent,
    recency_layout,
    slots_of,
)
from tokenizers import Tokenizer
from torch import Tensor
from world import Statement

PAGE = BLOCK_SIZE * BLOCK_SIZE
GOLD, KEEP_GIST, KEEP_PAGE, COLLAPSE, FAR_LOD1, RECENT = 0.8, -0.1, -0.1, -0.5, -0.3, -0.05


@dataclass
class PooledDocument:
    """A document of whole pages with its gists, and the facts that it never asks about."""

    tokens: Tensor
    lod1: Tensor
    lod2: Tensor
    facts: list[Fact]
    keys: set[tuple[str, str, str]]


@torch.no_grad()
def pooled_document(
    rng: random.Random, pages: int, base: Llama, net: GistNet, tokenizer: Tokenizer, split: str
) -> PooledDocument:
    document = make_document(
        rng,
        pages * PAGE,
        fact_rate=rng.choice((0.05, 0.1, 0.2, 0.3)),
        question_rate=rng.choice((0.0, 0.03, 0.08)),
        split=split,
        tokenizer=tokenizer,
        cast_size=rng.choice((8, 16, 32, 32)),
        relation_count=rng.choice((1, 2, 3, 5, 8)),
    )
    tokens = torch.from_numpy(document.tokens).long()
    lod1 = compress_sequence(net.lod1, base.embed(tokens))
    asked = {index for question in document.questions for index in question.facts}
    facts = [fact for index, fact in enumerate(document.facts) if index not in asked]
    lod2 = compress_sequence(net.lod2, lod1)
    return PooledDocument(tokens, lod1, lod2, facts, {fact.key for fact in document.facts})


@dataclass
class Question:
    """Tokens of a question and its answer up to the value."""

    tokens: list[int]
    statement: Statement
    keys: tuple[int, int]
    """Where the two keys stand in the question's line."""
    keys_end: int
    """Index after the question's line: both keys have been said."""
    answer_start: int
    value_start: int


def ask(statement: Statement, rng: random.Random, encode) -> Question:
    question = encode(QUESTION_PREFIX + statement.question(rng))
    prefix = encode(ANSWER_PREFIX)
    clause = statement.clause()
    answer = encode(" " + clause[0].upper() + clause[1:])
    value = encode(" " + statement.value)
    start = len(question) + len(prefix)
    keys = tuple(question.index(encode(" " + word)[0]) for word in (statement.a, statement.b))
    return Question(
        question + prefix + answer + value, statement, keys, len(question), start, start + len(answer)
    )


@dataclass
class Sample:
    """One working context with its targets per entry."""

    slots: Slots
    tail: Tensor
    """`[m, d]`"""
    layout: list[Entry]
    target: Tensor
    """`[E]` score that each entry should get."""
    gold: Tensor
    """`[E]` boolean: holds the fact that is asked for."""
    candidate: Tensor
    """`[E]` boolean: outside the protected window."""
    weight: float
    """Low where the question's keys have not been said yet."""
    statement: Statement | None
    """What is asked for, once both keys have been said."""
    keys: tuple[int, int] | None
    """Where its keys stand in the tail."""


class Sampler:
    """Draws samples from a pool; histories mix slices of pooled documents."""

    def __init__(
        self, base: Llama, net: GistNet, tokenizer: Tokenizer, rng: random.Random, tail_tokens: int, split: str
    ) -> None:
        self.base, self.net, self.tokenizer, self.rng = base, net, tokenizer, rng
        self.encode, self.tail_tokens, self.split = encoder_for(tokenizer), tail_tokens, split
        self.pool: list[PooledDocument] = []

    def fill(self, tokens: int) -> None:
        while sum(len(document.tokens) for document in self.pool) < tokens:
            pages = self.rng.choice((2, 4, 8, 16))
            document = pooled_document(self.rng, pages, self.base, self.net, self.tokenizer, self.split)
            self.pool.append(document)

    def slices(self, pages: int) -> list[tuple[PooledDocument, int, int]]:
        """(document, first page, last page) that make up a history, no key said twice."""
        rng, chosen, seen = self.rng, [], set()
        while pages:
            document = rng.choice(self.pool)
            if any(document is other for other, _, _ in chosen) or seen & document.keys:
                if rng.random() < 0.05 and chosen:
                    return chosen
                continue
            total = len(document.tokens) // PAGE
            take = min(pages, rng.randint(1, total))
            first = rng.randint(0, total - take)
            chosen.append((document, first, first + take))
            seen |= document.keys
            pages -= take
        return chosen

    def history(self, pages: int) -> tuple[Stream, list[tuple[Statement, int, int]]]:
        """A stream of at most `pages` pages with a random end, and (statement, start, end) of its facts."""
        parts, facts, at = self.slices(pages), [], 0
        for document, first, last in parts:
            for fact in document.facts:
                if fact.start >= first * PAGE and fact.value_end <= last * PAGE:
                    shift = at - first * PAGE
                    facts.append((fact.statement, fact.start + shift, fact.value_end + shift))
            at += (last - first) * PAGE
        tokens = torch.cat([document.tokens[first * PAGE : last * PAGE] for document, first, last in parts])
        lod1 = torch.cat([document.lod1[first * BLOCK_SIZE : last * BLOCK_SIZE] for document, first, last in parts])
        lod2 = torch.cat([document.lod2[first:last] for document, first, last in parts])
        length = len(tokens) - self.rng.randrange(PAGE - 320)
        stream = Stream(tokens[:length], {1: lod1[: length // BLOCK_SIZE], 2: lod2[: length // PAGE]})
        return stream, [fact for fact in facts if fact[2] <= length]

    def clutter(self, layout: list[Entry], budget: int) -> None:
        """Expand entries at random, as earlier questions would have, within the budget."""
        rng, cost = self.rng, sum(entry.cost for entry in layout)
        room = max(0, (budget - cost) // (BLOCK_SIZE - 1))
        for _ in range(rng.randint(0, room)):
            gists = [i for i, entry in enumerate(layout) if entry.lod]
            if not gists:
                return
            index = rng.choice(gists)
            layout[index : index + 1] = children_of(layout[index])

    @torch.no_grad()
    def sample(self, pages: int, budget: int, question_share: float = 0.85) -> Sample:
        rng = self.rng
        while True:
            stream, facts = self.history(pages)
            facts = [fact for fact in facts if fact[2] <= stream.length - RECENT_TOKENS]
            if facts:
                break
        roles = rng.choice((DOCUMENT, DOCUMENT, 1, 2)), rng.choice((1, 2))
        weight, span, statement, keys = 1.0, None, None, None
        if rng.random() < question_share:
            statement, *span = rng.choice(facts)
            question = ask(statement, rng, self.encode)
            cut = rng.choice((question.answer_start, rng.randint(question.keys_end, len(question.tokens) - 1)))
            if rng.random() < 0.15:
                cut = rng.randint(3, question.keys_end)
                weight = 1.0 if cut == question.keys_end else 0.2
            stream = extend_stream(stream, question.tokens[:cut], self.base, self.net, roles)
            before = min(self.tail_tokens, stream.length) - cut
            if max(question.keys) < cut and before + min(question.keys) >= 0:
                keys = (before + question.keys[0], before + question.keys[1])
        else:
            stream = extend_stream(stream, [], self.base, self.net, roles)
        layout = recency_layout(stream.length)
        if span and rng.random() < 0.65:
            for place in sorted({span[0] // BLOCK_SIZE, (span[1] - 1) // BLOCK_SIZE}):
                expand_at(layout, place * BLOCK_SIZE, 0 if rng.random() < 0.2 else 1)
        self.clutter(layout, budget)
        residency = [0 if rng.random() < 0.5 else int(2 ** (rng.random() * 6)) for _ in layout]
        slots = slots_of(stream, layout, self.base, residency)
        target, gold, candidate = self.targets(stream, layout, span)
        tail = self.base.embed(stream.tokens[-self.tail_tokens :])
        return Sample(slots, tail, layout, target, gold, candidate, weight, statement if keys else None, keys)

    @torch.no_grad()
    def questions(self, count: int, slots: int = 12) -> tuple[Tensor, Tensor, list[Statement], Tensor]:
        """Question tails alone: `[B, M, d]`, key places `[B, 2]`, statements, random gists `[B, slots, d]`."""
        rng, rows, keys, statements, gists = self.rng, [], [], [], []
        while len(rows) < count:
            document, other = rng.choice(self.pool), rng.choice(self.pool)
            if not document.facts:
                continue
            statement = rng.choice(document.facts).statement
            question = ask(statement, rng, self.encode)
            cut = rng.randint(question.keys_end, len(question.tokens) - 1)
            before = self.tail_tokens - cut
            start = rng.randrange(len(other.tokens) - before)
            text = other.tokens[start : start + before]
            rows.append(torch.cat([text, torch.tensor(question.tokens[:cut], dtype=torch.int64)]))
            keys.append([before + place for place in question.keys])
            statements.append(statement)
            gists.append(other.lod1[rng.randrange(len(other.lod1) - slots) :][:slots])
        return self.base.embed(torch.stack(rows)), torch.tensor(keys), statements, torch.stack(gists)

    def targets(self, stream: Stream, layout: list[Entry], span: list[int] | None) -> tuple[Tensor, Tensor, Tensor]:
        length = stream.length
        target, gold, candidate = [], [], []
        far = length - RECENT_TOKENS - LOD1_TOKENS - PAGE
        golden = [span is not None and entry.start < span[1] and span[0] < entry.end for entry in layout]
        golden_pages = {entry.start // PAGE for entry, is_gold in zip(layout, golden, strict=True) if is_gold}
        for entry, is_gold in zip(layout, golden, strict=True):
            recent = is_recent(entry, length)
            if recent:
                wanted = RECENT
            elif is_gold:
                wanted = GOLD
            elif entry.lod == 0:
                wanted = COLLAPSE
            elif entry.lod == 1 and entry.end < far and entry.start // PAGE not in golden_pages:
                wanted = FAR_LOD1
            else:
                wanted = KEEP_GIST if entry.lod == 1 else KEEP_PAGE
            target.append(wanted)
            gold.append(is_gold and not recent)
            candidate.append(not recent)
        return torch.tensor(target), torch.tensor(gold), torch.tensor(candidate)


