"""Pieces of real text with their gists, and the questions that can be asked about them.

A piece is a stretch of prose, whose sentences become questions (`cloze.py`), or the paragraphs of one question of a
`questions.jsonl` (HotpotQA's format: question, context, supporting_facts) in a corpus folder.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.models.gistnet import GistNet, compress_sequence
from training.published.corpus import HELD_OUT_SHARE, CorpusError, Kind
from training.published.gistnet import FrozenBase

QUESTIONS = "questions.jsonl"
PROSE_TOKENS = 1_280
"""Of a piece of prose; a question's paragraphs are as long as they are."""
SENTENCE = re.compile(r"[A-Z\"'“][^.!?]{38,300}[.!?]")


@dataclass(eq=False)
class Piece:
    tokens: np.ndarray
    """`[32n]`"""
    gists: Tensor
    """`[n, d]` float16, LOD1."""
    sentences: list[tuple[str, int, int]]
    """Text, first token and the token after the last."""
    question: str | None
    """A question that people wrote; null for prose."""
    supporting: list[tuple[int, int]]
    """Where its answer stands, in tokens."""


class PieceMaker:
    """Makes pieces; runs GistNet and nothing else."""

    def __init__(self, base: FrozenBase, net: GistNet, tokenizer: Tokenizer) -> None:
        self.base, self.net, self.tokenizer = base, net, tokenizer

    def prose(self, part: np.ndarray, rng: random.Random) -> Piece | None:
        """A stretch of a kind of text; None where it has too few sentences."""
        start = rng.randrange(max(1, len(part) - PROSE_TOKENS))
        text = self.tokenizer.decode(part[start : start + PROSE_TOKENS].tolist())
        piece = self.piece(text, [match.span() for match in SENTENCE.finditer(text)])
        return piece if len(piece.sentences) >= 8 else None

    def paragraphs(self, entry: dict, rng: random.Random) -> Piece | None:
        """The paragraphs of a question, shuffled; None where what it needs is cut off."""
        supporting = {(title, index) for title, index in entry["supporting_facts"]}
        context = list(entry["context"])
        rng.shuffle(context)
        text, spans, needed = "", [], []
        for title, sentences in context:
            text += f"{title}: "
            for index, sentence in enumerate(sentences):
                spans.append((len(text), len(text) + len(sentence)))
                needed.append((title, index) in supporting)
                text += sentence
            text += "\n\n"
        piece = self.piece(text, spans)
        wanted = [sentence[1:] for sentence, is_needed in zip(piece.sentences, needed, strict=False) if is_needed]
        piece.question, piece.supporting = entry["question"], wanted
        return piece if 0 < len(wanted) == sum(needed) else None

    def piece(self, text: str, spans: Sequence[tuple[int, int]], most_tokens: int | None = None) -> Piece:
        """Spans of characters, in their order; from the first on that ends behind the last block they are left out."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        count = min(len(encoding.ids), most_tokens or len(encoding.ids)) // BLOCK_SIZE * BLOCK_SIZE
        ends = np.array([end for _, end in encoding.offsets[:count]] or [0])
        sentences = []
        for start, end in spans:
            first, last = int(np.searchsorted(ends, start, "right")), int(np.searchsorted(ends, end, "left"))
            if last >= count:
                break
            sentences.append((text[start:end], first, last + 1))
        tokens = torch.tensor(encoding.ids[:count], dtype=torch.int64)
        return Piece(tokens.numpy(), self.gists(tokens).half().cpu(), sentences, None, [])

    @torch.no_grad()
    def gists(self, tokens: Tensor) -> Tensor:
        tokens = tokens.to(self.base.device)
        with torch.autocast(self.base.device, torch.bfloat16, enabled=self.base.dtype == torch.bfloat16):
            return compress_sequence(self.net.lod1, self.base.embed(tokens), 64, tokens).float()


def read_questions(folders: Sequence[Path], held_out: bool) -> list[dict]:
    """Questions that people wrote, of all folders that have some; the last tenth is held out."""
    found: list[dict] = []
    for folder in folders:
        path = folder / QUESTIONS
        if path.exists():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                found.append(_question_of(line, f"{path}:{number}"))
    cut = int(len(found) * (1 - HELD_OUT_SHARE))
    return found[cut:] if held_out else found[:cut]


def _question_of(line: str, place: str) -> dict:
    """Raises CorpusError, naming the line, for what is not in HotpotQA's format."""
    try:
        entry = json.loads(line)
        {(title, index) for title, index in entry["supporting_facts"]}
        texts = [entry["question"], *(sentence for _, sentences in entry["context"] for sentence in sentences)]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("its question or a sentence of its context is no text")
    except (KeyError, TypeError, ValueError) as error:
        raise CorpusError(
            f"{place}: is no question in HotpotQA's format (question, context, supporting_facts): {error}"
        ) from error
    return entry


def draw_pieces(
    maker: PieceMaker,
    kinds: Sequence[Kind],
    questions: Sequence[dict],
    count: int,
    rng: random.Random,
    held_out: bool = False,
) -> Iterator[Piece]:
    """Half of them prose, half paragraphs with a question where there are any."""
    parts = [kind.held_out if held_out else kind.train for kind in kinds]
    asked = rng.sample(questions, min(len(questions), count // 2))
    made = 0
    while made < count:
        piece = maker.paragraphs(asked[made], rng) if made < len(asked) else maker.prose(rng.choice(parts), rng)
        if piece is None and made < len(asked):
            asked[made] = rng.choice(questions)
        elif piece is not None:
            made += 1
            yield piece
