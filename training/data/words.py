"""Words of a history, and which blocks share them with what is asked: LensNet's lexical features (docs/models.md).

The rule is that of `src/core/lexical/` (words, BM25 over windows, features), held to it by the golden fixture
`tests/fixtures/lexical/`. It reads token ids alone; the tokenizer says which text each of them is.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer
from torch import Tensor

from training.constants import BLOCK_SIZE, SEARCH
from training.data.layouts import Entry
from training.data.streams import USER
from training.models.features import LEXICAL

K1, B = SEARCH["k1"], SEARCH["b"]
WINDOW, STRIDE = SEARCH["windowTokens"], SEARCH["strideTokens"]
MIDDLE_WEIGHT = SEARCH["middleWeight"]
MOST_HOLDING_BLOCKS = SEARCH["mostHoldingBlocks"]
"""Of a query's words the rarest count, as many as begin in so many blocks together."""
QUERY_TOKENS, QUESTION_REACH = SEARCH["queryTokens"], SEARCH["questionReachTokens"]
BEGINNING_LETTERS, FUNCTION_WORDS = SEARCH["beginningLetters"], frozenset(SEARCH["functionWords"])
WORD_MATCHES = ("stems", "beginnings", "wide")
"""How a query's words are compared: by their stems; by how they begin, grammar left out; or as these, but ranked by
their stems over windows of several widths."""
WIDER_WINDOWS = SEARCH["widerWindows"]
"""Pairs of tokens, and what a rank over so wide windows counts."""
MARKUP = re.compile(r"^\s*Question:|<\|[^|<>]{1,32}\|>(?:(?:user|assistant|system)\b)?")
"""A chat's control tokens, and the role that one names, or what a plain question begins with: words of no one."""


def fold(text: str) -> str:
    """Compatibility forms and accents removed (NFKD without combining marks), small letters."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if unicodedata.category(character)[0] != "M").lower()


def is_word_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Harman's S stemmer (1991): plurals alone."""
    if len(word) <= 3 or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return word if re.search("[ae]ies$", word) else word[:-3] + "y"
    if word.endswith("es"):
        return word if re.search("[aeo]es$", word) else word[:-1]
    return word if re.search("[us]s$", word) else word[:-1]


class Piece(NamedTuple):
    """A token's folded text around the word breaks in it."""

    head: str
    """What goes on with the open word."""
    breaks: bool
    """Whether the open word ends in it."""
    words: tuple[str, ...]
    """Stems of whole words after that."""
    tail: str
    """The word that is open behind it; empty without a break."""


def piece_of(text: str) -> Piece:
    folded = fold(text)
    runs = re.split("\0+", "".join(c if is_word_character(c) else "\0" for c in folded)) if folded else [""]
    if len(runs) == 1:
        return Piece(runs[0], False, (), "")
    return Piece(runs[0], True, tuple(stem(run) for run in runs[1:-1]), runs[-1])


class Vocabulary:
    """What text each token is."""

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self.tokens = tokens
        self.pieces = [piece_of(token.decode()) if token.isascii() else None for token in tokens]
        """None where a token's bytes may be a part of a character."""

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Vocabulary:
        """Of a byte-level tokenizer."""
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in printable]
        bytes_of = {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
        names = [tokenizer.id_to_token(index) for index in range(tokenizer.get_vocab_size())]
        special = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        return cls([name.encode() if name in special else bytes(bytes_of[c] for c in name) for name in names])

    def words(self, ids: Iterable[int]) -> tuple[list[str], list[int], list[int], int]:
        """(stems, the token in which each begins, `[tokens]` words that begin before each token, words in all).

        The last word counts though it may go on.
        """
        stems: list[str] = []
        places: list[int] = []
        before: list[int] = []
        opened, opened_at = "", 0
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        pieces, is_partial = self.pieces, False
        for token, index in enumerate(ids):
            before.append(len(stems) + (opened != ""))
            piece = None if is_partial else pieces[index]
            if piece is None:
                piece = piece_of(decoder.decode(self.tokens[index]))
                is_partial = decoder.getstate()[0] != b""
            head, breaks, words, tail = piece
            if head:
                if not opened:
                    opened_at = token
                opened += head
            if breaks:
                if opened:
                    stems.append(stem(opened))
                    places.append(opened_at)
                if words:
                    stems += words
                    places += [token] * len(words)
                opened, opened_at = tail, token
        if opened:
            stems.append(stem(opened))
            places.append(opened_at)
        return stems, places, before, len(stems)


class Asked(NamedTuple):
    """Token ranges at a history's end: what is asked, and the tail that LensNet reads."""

    query: tuple[int, int]
    tail: tuple[int, int]


def asked_at(roles: Tensor | None, cursor: int, tail_tokens: int) -> Asked:
    """The last question, while it is near; or else the newest tokens (`queryAt` in src/core/lexical/)."""
    tail = max(0, cursor - tail_tokens), cursor
    first = max(0, cursor - QUESTION_REACH)
    near = [] if roles is None else (roles[first:cursor] == USER).nonzero().flatten().tolist()
    if not near:
        return Asked((max(0, cursor - QUERY_TOKENS), cursor), tail)
    end = start = first + near[-1] + 1
    while start > max(0, end - QUESTION_REACH) and roles[start - 1] == USER:
        start -= 1
    return Asked((start, end), tail)


class HistoryWords:
    """An inverted index of one history's words."""

    def __init__(self, vocabulary: Vocabulary, ids: Sequence[int], match: str = "stems") -> None:
        self.vocabulary, self.ids, self.match = vocabulary, ids, match
        stems, places, before, self.count = vocabulary.words(ids)
        self.before = np.array([*before, self.count])
        by_word: dict[str, list[int]] = {}
        for word, place in zip(stems, places, strict=True):
            by_word.setdefault(word, []).append(place)
        self.places = by_word
        self.stems = HistoryWords(vocabulary, ids) if match == "wide" else None
        if match != "stems":
            self.places = {}
            for word, held in by_word.items():
                self.places.setdefault(word[:BEGINNING_LETTERS], []).extend(held)
            self.places = {letters: sorted(held) for letters, held in self.places.items()}

    def words_in(self, span: tuple[int, int]) -> list[str]:
        """Distinct search terms of a range of tokens, read by itself, in their order."""
        text = b"".join(self.vocabulary.tokens[index] for index in self.ids[span[0] : span[1]])
        head, _, words, tail = piece_of(MARKUP.sub(" ", text.decode("utf-8", "replace")))
        stems = [word for word in (stem(head), *words, stem(tail)) if word]
        if self.match != "stems":
            stems = [word[:BEGINNING_LETTERS] for word in stems if word not in FUNCTION_WORDS]
        return list(dict.fromkeys(stems))

    def counting(self, words: list[str], blocks: int, most: int = MOST_HOLDING_BLOCKS) -> list[str]:
        """The words that the first blocks hold, without the most frequent of too many (`WindowIndex.heldTerms`)."""
        if sum(len(self.places.get(word, [])) for word in words) <= most:
            return words
        held = {}
        for word in words:
            holding = {place // BLOCK_SIZE for place in self.places.get(word, [])}
            held[word] = sum(block < blocks for block in holding)
        rarest = sorted((word for word in words if held[word]), key=lambda word: held[word])
        sums = np.cumsum([held[word] for word in rarest])
        kept = {word for place, word in enumerate(rarest) if place == 0 or sums[place] <= most}
        return [word for word in words if word in kept]

    def bm25(self, words: list[str], blocks: int, window: int = WINDOW) -> np.ndarray:
        """`[blocks]` BM25 over overlapping windows of tokens; a block is worth its best one (`WindowIndex.rank`)."""
        tokens = blocks * BLOCK_SIZE
        windows = -(-tokens // STRIDE)
        scores = np.zeros(windows)
        starts = np.arange(windows) * STRIDE
        lengths = self.before[np.minimum(starts + window, tokens)] - self.before[starts]
        damping = K1 * (1 - B + B * lengths / max(1.0, lengths.sum() / max(1, windows)))
        for word in words:
            places = np.array(self.places.get(word, []), dtype=np.int64)
            places = places[places < tokens]
            first = np.maximum(0, -(-(places - window + 1) // STRIDE))
            touched = (places // STRIDE)[:, None] - np.arange(-(-window // STRIDE))
            counts = np.bincount(touched[touched >= first[:, None]], minlength=windows)
            holding = np.flatnonzero(counts)
            rarity = np.log(1 + (windows - len(holding) + 0.5) / (len(holding) + 0.5))
            count = counts[holding]
            scores[holding] += rarity * count * (K1 + 1) / (count + damping[holding])
        return to_blocks(scores, blocks, window)

    def wide(self, words: list[str], blocks: int) -> np.ndarray:
        """`[blocks]` that over windows of several widths, each over its best, added (`WindowIndex.rankWide`)."""
        total = np.zeros(blocks)
        for window, weight in [(WINDOW, 1), *WIDER_WINDOWS]:
            ranks = self.bm25(words, blocks, window)
            total += weight * ranks / (ranks.max() or 1)
        return total

    def shares(self, words: list[str], blocks: int) -> tuple[np.ndarray, np.ndarray]:
        """`[blocks]` each: the share of the words' rarity that a block holds, and with its two neighbours."""
        own, near, total = np.zeros(blocks), np.zeros(blocks), 0.0
        for word in words:
            held = np.unique(np.array(self.places.get(word, []), dtype=np.int64) // BLOCK_SIZE)
            held = held[held < blocks]
            if not len(held):
                continue
            rarity = np.log(1 + (blocks - len(held) + 0.5) / (len(held) + 0.5))
            total += rarity
            own[held] += rarity
            around = np.unique((held[:, None] + np.array([-1, 0, 1])).ravel())
            near[around[(around >= 0) & (around < blocks)]] += rarity
        return (own / total, near / total) if total else (own, near)

    def features(self, layout: list[Entry], asked: Asked) -> np.ndarray:
        """`[entries, 5]` lexical features; an entry's are the best of its blocks'."""
        blocks = np.zeros((LEXICAL, -(-len(self.ids) // BLOCK_SIZE) + 1))
        queried, tailed = (span[0] // BLOCK_SIZE for span in asked)
        query, tail = (self.words_in(span) for span in asked)
        if queried:
            stems, query = self.stems, self.counting(query, queried)
            if stems is None:
                ranks = self.bm25(query, queried)
            else:
                ranks = stems.wide(stems.counting(stems.words_in(asked.query), queried), queried)
            blocks[0, :queried] = ranks / ranks.max() if ranks.max() > 0 else ranks
            blocks[1, :queried], blocks[2, :queried] = self.shares(query, queried)
        if tailed:
            blocks[3, :tailed], blocks[4, :tailed] = self.shares(self.counting(tail, tailed), tailed)
        edges = [edge for _, start, end in layout for edge in (start // BLOCK_SIZE, -(-end // BLOCK_SIZE))]
        return np.maximum.reduceat(blocks, edges, axis=1)[:, ::2].T.astype(np.float32)


def to_blocks(scores: np.ndarray, blocks: int, window: int = WINDOW) -> np.ndarray:
    """A block is worth its best window; among equals, what all windows say of it, by how much they cover."""
    best, sums = np.zeros(blocks), np.zeros(blocks)
    starts = np.arange(len(scores)) * STRIDE
    for after in range(-(-window // BLOCK_SIZE) + 1):
        block = starts // BLOCK_SIZE + after
        shared = np.minimum(starts + window, (block + 1) * BLOCK_SIZE) - np.maximum(starts, block * BLOCK_SIZE)
        covered = (shared > 0) & (block < blocks)
        np.maximum.at(best, block[covered], scores[covered])
        sums += np.bincount(block[covered], (scores * shared / BLOCK_SIZE)[covered], minlength=blocks)
    return best + MIDDLE_WEIGHT * sums
