"""Labelled working contexts for LensNet: pooled documents, random layouts, a question at the tail.

Owns how a training state looks and which entries hold what is asked for. It runs no network but GistNet.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import Teller
from training.data.encoder import encoder_for
from training.data.layouts import RECENT_TOKENS, Entry, children_of, expand_at, is_recent, recency_layout
from training.data.lens_pool import PAGE, SPARSE, PooledDocument, pooled_document
from training.data.lens_questions import Placed, Told, wanted_spans, write_question
from training.data.slots import Slots, slots_of, tail_embeds
from training.data.streams import ASSISTANT, DOCUMENT, USER, Stream, extend_stream
from training.data.words import HistoryWords, Vocabulary, asked_at
from training.models.gistnet import GistNet, compress_sequence
from training.models.llama import Llama
from training.world.questions import ask_paraphrase, ask_single, can_paraphrase
from training.world.relations import Statement

DRAWS = 1000
"""Histories that are drawn for one sample before the pool counts as one that leaves nothing to ask."""
NEAR_PAGES = 32
"""Longer histories are made of sparse documents."""
KEEP_GIST, KEEP_PAGE, COLLAPSE, RECENT = -0.12, -0.08, -0.4, -0.05
"""Scores to reach. A raw block that is not asked for is the first to pay; gists wait until room is needed."""


@dataclass
class Sample:
    """One working context with its targets per entry."""

    slots: Slots
    lexical: Tensor
    """`[E, 5]` which words each entry shares with the tail."""
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
    stream: Stream
    answer: list[int]
    """What follows the tail: the rest of the question and its answer; empty if nothing was asked."""
    wanted: list[Placed]
    """The facts that the answer still needs."""


class Sampler:
    """Draws samples from a pool; histories mix slices of pooled documents."""

    def __init__(self, base: Llama, net: GistNet, teller: Teller, rng: random.Random, tail_tokens: int) -> None:
        self.base, self.net, self.teller, self.rng = base, net, teller, rng
        self.encode, self.tail_tokens = encoder_for(teller.tokenizer), tail_tokens
        self.vocabulary = Vocabulary.of(teller.tokenizer)
        self.pool: list[PooledDocument] = []
        self.far_pool: list[PooledDocument] = []
        """Documents with few facts, for histories so long that one LOD3 gist stands for 32 pages."""

    def fill_far(self, tokens: int) -> None:
        make = (self.base, self.net, self.teller, SPARSE)
        while sum(len(document.tokens) for document in self.far_pool) < tokens:
            document = pooled_document(self.rng, 16, *make)
            if document.facts:
                self.far_pool.append(document)

    def fill(self, tokens: int) -> None:
        while sum(len(document.tokens) for document in self.pool) < tokens:
            pages = self.rng.choice((2, 4, 8, 16))
            document = pooled_document(self.rng, pages, self.base, self.net, self.teller)
            self.pool.append(document)

    def refresh(self) -> None:
        """Put a new document in a random one's place, so that LensNet does not learn the pool by heart."""
        pages = self.rng.choice((2, 4))
        document = pooled_document(self.rng, pages, self.base, self.net, self.teller)
        self.pool[self.rng.randrange(len(self.pool))] = document

    def slices(self, pages: int) -> list[tuple[PooledDocument, int, int]]:
        """(document, first page, last page) that make up a history, no key said twice."""
        rng, chosen, seen = self.rng, [], set()
        pool = self.far_pool if pages > NEAR_PAGES else self.pool
        while pages:
            document = rng.choice(pool)
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

    def history(self, pages: int) -> tuple[Stream, Told]:
        """A stream of at most `pages` pages with a random end, and what it tells."""
        parts, told, at = self.slices(pages), Told([], {}), 0
        length = sum(last - first for _, first, last in parts) * PAGE - self.rng.randrange(PAGE - 320)
        for document, first, last in parts:
            shift = at - first * PAGE
            placed = {
                index: Placed(fact.statement, fact.told_start + shift, fact.told_end + shift)
                for index, fact in enumerate(document.facts)
                if fact.start >= first * PAGE and fact.told_end <= min(last * PAGE, length - shift)
            }
            grouped = {index for groups in document.groups.values() for group in groups for index in group}
            told.facts += [
                fact for index, fact in placed.items() if index not in document.asked and index not in grouped
            ]
            for name, groups in document.groups.items():
                kept = [[placed[index] for index in group if index in placed] for group in groups]
                asked = [any(index in document.asked for index in group) for group in groups]
                told.groups.setdefault(name, []).extend(
                    group for group, was_asked in zip(kept, asked, strict=True) if group and not was_asked
                )
            at += (last - first) * PAGE
        tokens = torch.cat([document.tokens[first * PAGE : last * PAGE] for document, first, last in parts])
        lod1 = torch.cat([document.lod1[first * BLOCK_SIZE : last * BLOCK_SIZE] for document, first, last in parts])
        lod2 = torch.cat([document.lod2[first:last] for document, first, last in parts])
        gists = {1: lod1[: length // BLOCK_SIZE], 2: lod2[: length // PAGE]}
        if len(gists[2]) >= BLOCK_SIZE:
            gists[3] = compress_sequence(self.net.lod2, gists[2])
        return Stream(tokens[:length], gists), told

    def clutter(self, layout: list[Entry], budget: int) -> None:
        """Fill most of the budget as streaming would: newest pages at LOD1, blocks that earlier questions opened."""
        rng, cost = self.rng, sum(entry.cost for entry in layout)
        target = budget * rng.choice((0.5, 0.8, 0.9, 1.0, 1.0))
        newest_first = rng.random() < 0.8
        open_blocks = rng.randint(0, 8) * (BLOCK_SIZE - 1)
        while cost + BLOCK_SIZE - 1 <= target - open_blocks:
            pages = [i for i, entry in enumerate(layout) if entry.lod >= 2]
            if not pages:
                break
            index = pages[-1] if newest_first and rng.random() < 0.9 else rng.choice(pages)
            layout[index : index + 1] = children_of(layout[index])
            cost += BLOCK_SIZE - 1
        while cost + BLOCK_SIZE - 1 <= target:
            gists = [i for i, entry in enumerate(layout) if entry.lod == 1]
            if not gists or (open_blocks == 0 and rng.random() < 0.1):
                return
            index = rng.choice(gists)
            layout[index : index + 1] = children_of(layout[index])
            cost += BLOCK_SIZE - 1

    @torch.no_grad()
    def sample(self, pages: int, budget: int, question_share: float = 0.85) -> Sample:
        rng = self.rng
        for _ in range(DRAWS):
            stream, told = self.history(pages)
            question = told.question(rng, self.encode, stream.length - RECENT_TOKENS)
            if question is not None:
                break
        else:
            raise ValueError(f"{DRAWS} histories of this pool leave no fact to ask about: their documents ask for all.")
        roles = rng.choice((DOCUMENT, DOCUMENT, DOCUMENT, ASSISTANT)), rng.choice((USER, USER, USER, ASSISTANT))
        weight, gold, keys, statement, answer = 1.0, {}, None, None, []
        if rng.random() < question_share:
            cut = question.answer_start
            if rng.random() < 0.4:
                cut = rng.randint(question.keys_end, len(question.tokens) - 1)
            if rng.random() < 0.1:
                cut = rng.randint(3, question.keys_end)
                weight = 1.0 if cut == question.keys_end else 0.2
            gold, answer = wanted_spans(question, cut), question.tokens[cut:]
            asked_from = stream.length
            stream = extend_stream(stream, question.tokens[:cut], self.base, self.net, roles)
            if roles[1] == USER:  # as the chat has it: the question's line is the user's, what answers is not
                stream.roles[asked_from + question.keys_end + 1 :] = ASSISTANT
            before = min(self.tail_tokens, stream.length) - cut
            if max(question.keys) < cut and before + min(question.keys) >= 0:
                keys = (before + question.keys[0], before + question.keys[1])
                statement = question.statement
        else:
            stream = extend_stream(stream, [], self.base, self.net, roles)
        layout = recency_layout(stream.length, lod1_tokens=rng.choice((0, 1024, 2048)))
        if gold and rng.random() < 0.4:
            for fact in rng.sample(list(gold), rng.randint(1, len(gold))):
                for place in sorted({fact.start // BLOCK_SIZE, (fact.end - 1) // BLOCK_SIZE}):
                    expand_at(layout, place * BLOCK_SIZE, 0 if rng.random() < 0.2 else 1)
        self.clutter(layout, budget)
        residency = [0 if rng.random() < 0.5 else int(2 ** (rng.random() * 6)) for _ in layout]
        slots = slots_of(stream, layout, self.base, residency)
        target, golden, candidate = self.targets(stream, layout, gold)
        tail = tail_embeds(stream, self.base, self.tail_tokens)
        words = HistoryWords(self.vocabulary, stream.tokens.tolist())
        asked = asked_at(stream.roles, stream.length, self.tail_tokens)
        return Sample(
            slots,
            torch.from_numpy(words.features(layout, asked)),
            tail,
            layout,
            target,
            golden,
            candidate,
            weight,
            statement,
            keys,
            stream,
            answer,
            list(gold),
        )

    @torch.no_grad()
    def questions(self, count: int, slots: int = 12) -> tuple[Tensor, Tensor, list[Statement], Tensor]:
        """Question tails alone: `[B, M, d]`, key places `[B, 2]`, statements, random gists `[B, slots, d]`."""
        rng, rows, keys, statements, gists = self.rng, [], [], [], []
        while len(rows) < count:
            document, other = rng.choice(self.pool), rng.choice(self.pool)
            if not document.facts:
                continue
            fact = rng.choice(document.facts)
            able = [fact for fact in document.facts if can_paraphrase(fact.statement)]
            asked = ask_single(fact.statement, rng)
            if able and rng.random() < 0.35:
                fact = rng.choice(able)
                asked = ask_paraphrase(fact.statement, rng)
            statement = fact.statement
            question = write_question(asked, [Placed(statement, fact.start, fact.value_end)], self.encode)
            cut = rng.randint(question.keys_end, len(question.tokens) - 1)
            before = self.tail_tokens - cut
            start = rng.randrange(len(other.tokens) - before)
            text = other.tokens[start : start + before]
            rows.append(torch.cat([text, torch.tensor(question.tokens[:cut], dtype=torch.int64)]))
            keys.append([before + place for place in question.keys])
            statements.append(statement)
            gists.append(other.lod1[rng.randrange(len(other.lod1) - slots) :][:slots])
        return self.base.embed(torch.stack(rows)), torch.tensor(keys), statements, torch.stack(gists)

    def targets(self, stream: Stream, layout: list[Entry], gold: dict[Placed, float]) -> tuple[Tensor, Tensor, Tensor]:
        target, golden, candidate = [], [], []
        for entry in layout:
            recent = is_recent(entry, stream.length)
            wanted = max(
                (score for fact, score in gold.items() if entry.start < fact.end and fact.start < entry.end),
                default=None,
            )
            if recent:
                score = RECENT
            elif wanted is not None:
                score = wanted
            else:
                score = (COLLAPSE, KEEP_GIST)[entry.lod] if entry.lod < 2 else KEEP_PAGE
            target.append(score)
            golden.append(wanted is not None and not recent)
            candidate.append(not recent)
        return torch.tensor(target), torch.tensor(golden), torch.tensor(candidate)
