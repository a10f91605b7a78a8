"""A folder of texts as token streams: what the heads of a published base are trained on.

Every folder in it is a kind of text, files beside them are one more; `.txt` and `.md` are read. The last tenth of every
kind is held out, to measure on.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.constants import BLOCK_SIZE

SUFFIXES = (".txt", ".md")
HELD_OUT_SHARE = 0.1
PIECE_CHARACTERS = 20_000
"""Encoded at once: long texts cost more than their length."""
MOST_CHARACTERS = 4_000_000
"""Read of a kind: more than a training of hours on a few cores sees."""
MOST_TOKENS_PER_CHARACTER = 0.7
"""Above it the tokenizer spells a language in bytes: 32 tokens are then a few words, and no gist of the rest helps."""


class CorpusError(ValueError):
    """There is nothing to train on; says why."""


@dataclass
class Kind:
    name: str
    train: np.ndarray
    """int32 token ids."""
    held_out: np.ndarray


def read_corpus(folders: Sequence[Path], tokenizer: Tokenizer, least_tokens: int) -> list[Kind]:
    """Every kind with at least `least_tokens` in both of its parts. Raises CorpusError; names what it leaves out."""
    kinds = []
    for name, files in sorted(_files_by_kind(folders).items()):
        text = "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)[:MOST_CHARACTERS]
        ids = encode(tokenizer, text)
        cut = int(len(ids) * (1 - HELD_OUT_SHARE)) // BLOCK_SIZE * BLOCK_SIZE
        if len(ids) > MOST_TOKENS_PER_CHARACTER * len(text):
            print(
                f"{name}: {len(ids) / len(text):.2f} tokens a character: this base's tokenizer spells that language "
                "in bytes, and the base has hardly learned it; left out"
            )
        elif min(cut, len(ids) - cut) < least_tokens:
            print(f"{name}: {len(ids):,} tokens are too few (a tenth of them must hold {least_tokens:,}); left out")
        else:
            kinds.append(Kind(name, ids[:cut], ids[cut:]))
    if not kinds:
        raise CorpusError(f"nothing to train on in {', '.join(map(str, folders))}: no kind of text is left")
    return kinds


def _files_by_kind(folders: Sequence[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise CorpusError(
                f"{folder}: there is no such folder; --corpus takes a folder with {' and '.join(SUFFIXES)} files "
                "(python -m training.published.fetch_corpus makes one)"
            )
        for file in sorted(folder.rglob("*")):
            if file.suffix in SUFFIXES and file.is_file():
                inside = file.relative_to(folder).parts
                found.setdefault(inside[0] if len(inside) > 1 else folder.resolve().name, []).append(file)
    return found


def encode(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """int32 ids; cut at line ends and spaces, which start tokens anyhow."""
    pieces, start = [], 0
    while start < len(text):
        end = start + PIECE_CHARACTERS
        if end < len(text):
            end = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end), start + 1)
        pieces.append(text[start:end])
        start = end
    encodings = tokenizer.encode_batch(pieces, add_special_tokens=False)
    return np.concatenate([np.array(encoding.ids, dtype=np.int32) for encoding in encodings] or [np.zeros(0, np.int32)])


class Windows:
    """Windows of `length` tokens, of kinds drawn by the square root of their size: the small ones count, too."""

    def __init__(self, kinds: Sequence[Kind], length: int, rng: random.Random, held_out: bool = False) -> None:
        self.length, self.rng = length, rng
        self.parts = [kind.held_out if held_out else kind.train for kind in kinds]
        self.weights = [len(part) ** 0.5 for part in self.parts]

    def draw(self, count: int) -> Tensor:
        """`[count, length]` ids, each window from a block's start."""
        rows = []
        for part in self.rng.choices(self.parts, self.weights, k=count):
            start = self.rng.randrange((len(part) - self.length) // BLOCK_SIZE + 1) * BLOCK_SIZE
            rows.append(torch.from_numpy(part[start : start + self.length].astype(np.int64)))
        return torch.stack(rows)


def rarity(kinds: Sequence[Kind], vocabulary: int, most_blocks: int = 100_000) -> Tensor:
    """`[V]` log(blocks / blocks that hold the token), at least 0.1: what a token weighs in an untrained gist."""
    counts = torch.ones(vocabulary)
    blocks = 0
    for kind in kinds:
        rows = kind.train[: len(kind.train) // BLOCK_SIZE * BLOCK_SIZE].reshape(-1, BLOCK_SIZE)
        rows = rows[:: max(1, len(rows) * len(kinds) // most_blocks)]
        blocks += len(rows)
        for row in rows:
            counts[np.unique(row)] += 1
    return (blocks / counts).log().clamp(min=0.1)
