"""Lexical features: those that the playground computes, and what they say."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from tokenizers import Tokenizer

from training.data.document_writer import Teller
from training.data.layouts import Entry
from training.data.lens_samples import Sampler
from training.data.words import Asked, HistoryWords, Vocabulary, fold, stem
from training.data.words_fixture import CASES, TOKENS, features
from training.models.features import LEXICAL
from training.models.gistnet import GistNet
from training.models.lens_variants import create_lensnet
from training.models.lensnet import LensConfig, LensParts
from training.models.llama import Llama
from training.train.checkpoints import entries_of, save_atomically, start_from
from training.train.lens_losses import forward

FIXTURE = json.loads(CASES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FIXTURE["cases"], ids=lambda case: case["name"])
def test_features_are_the_golden_ones(case: dict) -> None:
    assert FIXTURE["tokens"] == [token.hex() for token in TOKENS]
    layout = [Entry(*entry) for entry in case["layout"]]
    found = features(case["ids"], case["runs"], layout, case["tailTokens"])
    assert (found["query"], found["tail"]) == (case["query"], case["tail"])
    assert np.allclose(found["features"], case["features"], atol=1e-6)
    assert np.shape(found["features"]) == (len(layout), LEXICAL)


def test_words_are_folded_and_lose_their_plural() -> None:
    assert fold("Élodie ﬁnest Ｋ9") == "elodie finest k9"
    assert [stem(word) for word in ("lanterns", "ladies", "boxes", "glass", "gas", "as")] == [
        "lantern",
        "lady",
        "boxe",
        "glass",
        "gas",
        "as",
    ]


def test_words_do_not_depend_on_where_tokens_cut_them(tokenizer: Tokenizer) -> None:
    text = "The lanterns of Mára; 東京 9 ladies' café."
    shipped = Vocabulary.of(tokenizer)
    whole, _, _, _ = Vocabulary([text.encode()]).words([0])
    cut, places, before, count = shipped.words(tokenizer.encode(text).ids)
    assert cut == whole == ["the", "lantern", "of", "mara", "東京", "9", "lady", "cafe"]
    assert len(before) == len(tokenizer.encode(text).ids) and count == 8
    assert places == sorted(places)


def test_the_block_that_says_it_wins(tokenizer: Tokenizer) -> None:
    vocabulary = Vocabulary.of(tokenizer)
    pad = tokenizer.encode(" the tide came in").ids
    fact = tokenizer.encode(" the lantern of Mara is amber.").ids
    asked = tokenizer.encode(" what is the lantern of Mara").ids
    ids = (pad * 40)[:70] + fact + (pad * 40)[: 122 - len(fact)] + asked
    words = HistoryWords(vocabulary, ids)
    layout = [Entry(1, start, start + 32) for start in range(0, 192, 32)]
    found = words.features(layout, Asked((192, len(ids)), (192, len(ids))))
    assert found[:, 1].argmax() == found[:, 3].argmax() == 2
    assert found[2, 1] == pytest.approx(1) and found[0, 1] < 0.3
    assert found[1, 2] == found[3, 2] == pytest.approx(1)
    page = words.features([Entry(2, 0, 192)], Asked((192, len(ids)), (192, len(ids))))
    assert np.array_equal(page[0], found.max(0))


@pytest.mark.parametrize("variant", ["dual-cross-attention", "transformer", "perceiver"])
def test_every_variant_reads_words_and_goes_on_from_weights_without(
    variant: str, tmp_path, small_base: Llama, small_gistnet: GistNet, tokenizer: Tokenizer
) -> None:
    sampler = Sampler(small_base, small_gistnet, Teller(tokenizer, "train"), random.Random(5), 12)
    sampler.fill(9_000)
    samples = [sampler.sample(2, 384, 1.0) for _ in range(3)]
    shape = {"hidden_size": 16, "width": 16, "heads": 2, "tail_queries": 3, "tail_tokens": 12, "variant": variant}
    without, net = (create_lensnet(LensConfig(**shape, lexical_features=count)) for count in (0, LEXICAL))
    save_atomically(tmp_path / "without.pt", entries_of(without))
    start_from(net, tmp_path / "without.pt")
    before, after = (forward(each, samples, LensParts()) for each in (without, net))
    assert all(np.allclose(a[0].detach(), b[0].detach(), atol=1e-6) for a, b in zip(before, after, strict=True))
    sum(logits.sum() for logits, _ in after).backward()
    assert net.slot_in.weight.grad[:, -LEXICAL:].abs().sum() > 0


def test_a_lensnet_with_some_of_the_features_is_refused() -> None:
    with pytest.raises(ValueError, match="5 lexical features or none, not 3"):
        LensConfig(hidden_size=16, lexical_features=3)


def test_of_too_many_frequent_words_the_rarest_count(tokenizer: Tokenizer) -> None:
    text = "".join(
        " the tide" + " salt" * (i % 30 == 0) + (" amber" if i == 40 else " of") + " rope." for i in range(240)
    )
    words = HistoryWords(Vocabulary.of(tokenizer), tokenizer.encode(text).ids)
    blocks = len(words.ids) // 32
    asked = ["the", "salt", "amber", "kestrel"]
    held = {word: len({place // 32 for place in words.places.get(word, []) if place < blocks * 32}) for word in asked}
    assert words.counting(asked, blocks, held["amber"] + held["salt"]) == ["salt", "amber"]
    assert words.counting(asked, blocks, held["amber"] + held["salt"] - 1) == ["amber"]
    assert words.counting(["the"], blocks, 1) == ["the"]
