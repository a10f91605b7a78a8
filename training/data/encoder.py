"""Cached encoding of text, piece by piece, and the chat form of a question.

Gives the same tokens as encoding the whole text: the tokenizer splits at spaces and line breaks before any merge.
"""

from __future__ import annotations

import re
from weakref import WeakKeyDictionary

from tokenizers import Tokenizer

CHAT = {"userPrefix": "\nQuestion: ", "userSuffix": "\n", "assistantPrefix": "Answer:", "stop": ["\n"]}
"""The manifest's chat form."""
QUESTION_PREFIX = CHAT["userPrefix"]
ANSWER_PREFIX = CHAT["userSuffix"] + CHAT["assistantPrefix"]
"""The prompt ends here, without a space: the answer's first token carries its own leading space."""


# The tokenizer's own splitting (digits one by one, then GPT-2's pattern) in Python's `re`.
PIECE = re.compile(r"\d|'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?[^\s\w]+| ?_+|\s+(?!\S)|\s+")


class Encoder:
    """Cached encoding of text pieces: text → list of token ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.encode_piece = lambda piece: tokenizer.encode(piece, add_special_tokens=False).ids
        self.cache: dict[str, list[int]] = {}

    def __call__(self, text: str) -> list[int]:
        cache, ids = self.cache, []
        for piece in PIECE.findall(text):
            found = cache.get(piece)
            if found is None:
                found = cache[piece] = self.encode_piece(piece)
            ids += found
        return ids


_encoders: WeakKeyDictionary[Tokenizer, Encoder] = WeakKeyDictionary()


def encoder_for(tokenizer: Tokenizer) -> Encoder:
    """The shared cached encoder of a tokenizer."""
    if tokenizer not in _encoders:
        _encoders[tokenizer] = Encoder(tokenizer)
    return _encoders[tokenizer]
