"""Tokenizer, encoder and the shipped example."""

from __future__ import annotations

import random

import pytest
from tokenizers import Tokenizer

from training.data.encoder import encoder_for
from training.data.example import NAME, write_example
from training.data.tokenizer import VOCABULARY, extend, first_tokens
from training.files import write_json
from training.paths import EXAMPLES
from training.world.chronicler import Chronicler
from training.world.lexicon import ALIASES, ENTITY_WORDS, QUESTION_WORDS

TEXTS = (
    "The lantern of Mara is amber.",
    "  two  spaces\tand\r\nlines\n\n",
    "Straße, naïve, Привет, 你好, 🙂🏽‍🚀 e\u0301",
    "I'll say 12,345.67 £8 x_y__z",
    "",
)


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids) == text
    if text.isascii():
        assert encoder_for(tokenizer)(text) == ids


def test_the_encoder_cuts_where_the_tokenizer_does(tokenizer: Tokenizer) -> None:
    chronicler = Chronicler(random.Random(3))
    text = " ".join(chronicler.filler() for _ in range(50))
    assert encoder_for(tokenizer)(text) == tokenizer.encode(text).ids


def test_words_of_the_world_are_one_token(tokenizer: Tokenizer) -> None:
    for word in (*ENTITY_WORDS, *ALIASES.values(), *QUESTION_WORDS):
        assert len(tokenizer.encode(f" {word}").ids) == 1, word


def test_extending_keeps_old_tokens(tokenizer: Tokenizer) -> None:
    before = first_tokens(tokenizer, VOCABULARY)
    assert before.get_vocab_size() == VOCABULARY
    assert len(before.encode(" Polly").ids) > 1
    after = extend(before, (*ALIASES.values(), *QUESTION_WORDS))
    assert after.get_vocab().items() <= tokenizer.get_vocab().items()
    assert before.encode(TEXTS[0]).ids == after.encode(TEXTS[0]).ids


def test_the_example_is_what_its_command_writes(tmp_path) -> None:
    text, listing = write_example(seed=20, tokens=24_000)
    assert text == (EXAMPLES / f"{NAME}.txt").read_text(encoding="utf-8")
    write_json(tmp_path / "listing.json", listing)
    assert (tmp_path / "listing.json").read_bytes() == (EXAMPLES / f"{NAME}.json").read_bytes()
