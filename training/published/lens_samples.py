"""Labelled working contexts over real text: pieces one after the other, a layout, a question at the end."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.layouts import Entry, children_of, is_recent, recency_layout
from training.data.lens_samples import COLLAPSE, KEEP_GIST, KEEP_PAGE, RECENT, Sample
from training.data.slots import slots_of
from training.data.streams import ASSISTANT, DOCUMENT, USER, Stream
from training.data.words import HistoryWords, Vocabulary, asked_at
from training.models.gistnet import GistNet, compress_sequence
from training.published.cloze import cloze_question
from training.published.gistnet import FrozenBase
from training.published.pieces import Piece

GOLD, BESIDE_GOLD = 0.8, 0.3
"""Scores to reach: a block that holds the answer, and its neighbours, where a sentence may begin or end."""
LEAST_WORDS = 6
"""Of a sentence that a question is made of."""
BLOCKS = (40, 300)
"""Of a history, drawn by the logarithm."""


class Sampler:
    """Draws samples from pieces. It runs no network but GistNet's second level."""

    def __init__(
        self,
        base: FrozenBase,
        net: GistNet,
        tokenizer: Tokenizer,
        pieces: Sequence[Piece],
        rng: random.Random,
        tail_tokens: int,
        word_match: str = "stems",
    ) -> None:
        self.base, self.net, self.tokenizer, self.word_match = base, net, tokenizer, word_match
        self.pieces, self.rng, self.tail_tokens = pieces, rng, tail_tokens
        self.vocabulary = Vocabulary.of(tokenizer)
        self.has_chat = tokenizer.token_to_id("<|im_start|>") is not None

    def sample(self) -> Sample:
        while (found := self.try_sample()) is None:
            pass
        return found

    @torch.no_grad()
    def try_sample(self) -> Sample | None:
        """None where what is asked for stands in the protected window."""
        rng, target = self.rng, self.rng.choice(self.pieces)
        low, high = BLOCKS
        blocks, chosen = int(low * (high / low) ** rng.random()), [target]
        others = [piece for piece in self.pieces if piece is not target]
        while others and sum(len(piece.gists) for piece in chosen) < blocks:
            chosen.append(rng.choice(others))
        rng.shuffle(chosen)
        question, spans = self.asked(target)
        before = sum(len(piece.tokens) for piece in chosen[: chosen.index(target)])
        gold = {
            block
            for start, end in spans
            for block in range((before + start) // BLOCK_SIZE, (before + end - 1) // BLOCK_SIZE + 1)
        }
        stream = self.stream(chosen, question)
        layout = self.layout(stream.length, gold)
        target_score, golden, candidate = targets(layout, stream.length, gold)
        if not golden.any():
            return None
        residency = [0 if rng.random() < 0.5 else int(2 ** (rng.random() * 6)) for _ in layout]
        slots = slots_of(stream, layout, self.base, residency)
        words = HistoryWords(self.vocabulary, stream.tokens.tolist(), self.word_match)
        lexical = words.features(layout, asked_at(stream.roles, stream.length, self.tail_tokens))
        tail = self.base.embed(stream.tokens[-self.tail_tokens :])
        parts = (slots, torch.from_numpy(lexical), tail, layout, target_score, golden, candidate)
        return Sample(*parts, 1.0, None, None, stream, [], [])

    def asked(self, piece: Piece) -> tuple[str, list[tuple[int, int]]]:
        """A question about a piece, and where its answer stands in it."""
        if piece.question is not None and self.rng.random() < 0.6:
            return piece.question, piece.supporting
        whole = [sentence for sentence in piece.sentences if len(sentence[0].split()) >= LEAST_WORDS]
        text, start, end = self.rng.choice(whole)
        return cloze_question(text, self.rng), [(start, end)]

    def stream(self, pieces: Sequence[Piece], question: str) -> Stream:
        """A history and the question behind it, as the chat or plain text writes it."""
        asks, answers = ("\n\nQuestion: ", "\nAnswer:")
        if self.has_chat and self.rng.random() < 0.75:
            asks, answers = "<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
        asked, answering = (
            self.tokenizer.encode(text, add_special_tokens=False).ids for text in (asks + question, answers)
        )
        old = torch.cat([torch.from_numpy(piece.tokens) for piece in pieces])
        tokens = torch.cat([old, torch.tensor(asked + answering, dtype=torch.int64)])
        roles = torch.full((len(tokens),), DOCUMENT)
        roles[len(old) : len(old) + len(asked)] = USER
        roles[len(old) + len(asked) :] = ASSISTANT
        gists = torch.cat([piece.gists.float() for piece in pieces])
        # What stands in the question itself is protected and not scored: its blocks need no more than a start.
        whole = tokens[len(old) : len(tokens) // BLOCK_SIZE * BLOCK_SIZE].view(-1, BLOCK_SIZE)
        if len(whole):
            gists = torch.cat([gists, self.net.lod1.start(self.base.embed(whole), whole)])
        return Stream(tokens, {1: gists, 2: compress_sequence(self.net.lod2, gists)}, roles)

    def layout(self, length: int, gold: set[int]) -> list[Entry]:
        """As streaming would leave it: old pages coarse or not, some blocks opened by earlier questions."""
        rng = self.rng
        near = rng.choice((2_048, 1_000_000, 1_000_000))
        layout = recency_layout(length, rng.choice((64, 128, 256)), near)
        for _ in range(rng.randint(0, 6)):
            closed = [i for i, entry in enumerate(layout) if entry.lod == 1]
            if not closed:
                break
            wanted = [i for i in closed if layout[i].start // BLOCK_SIZE in gold]
            index = rng.choice(wanted if wanted and rng.random() < 0.2 else closed)
            layout[index : index + 1] = children_of(layout[index])
        return layout


def targets(layout: Sequence[Entry], length: int, gold: set[int]) -> tuple[Tensor, Tensor, Tensor]:
    """`[E]` each: the score to reach, whether the entry holds what is asked for, whether it is outside the window."""
    scores, golden, candidate = [], [], []
    for entry in layout:
        recent = is_recent(entry, length)
        blocks = set(range(entry.start // BLOCK_SIZE, -(-entry.end // BLOCK_SIZE)))
        holds = bool(blocks & gold) and not recent
        beside = bool({block + step for block in blocks for step in (-1, 1)} & gold)
        score = (COLLAPSE, KEEP_GIST)[entry.lod] if entry.lod < 2 else KEEP_PAGE
        if recent:
            score = RECENT
        elif holds:
            score = GOLD
        elif beside and entry.lod < 2:
            score = BESIDE_GOLD
        scores.append(score)
        golden.append(holds)
        candidate.append(not recent)
    return torch.tensor(scores), torch.tensor(golden), torch.tensor(candidate)
