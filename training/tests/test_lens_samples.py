"""Labelled samples of LensNet: gold is where the facts are, and moves are measured as they say."""

from __future__ import annotations

import random

import pytest
import torch
from tokenizers import Tokenizer

from training.data.document_writer import Teller
from training.data.layouts import is_recent
from training.data.lens_questions import Placed, Told
from training.data.lens_samples import Sample, Sampler
from training.models.gistnet import GistNet
from training.models.llama import Llama
from training.train.lens_gains import measure_gains, moved
from training.world.forms import RELATION_IN, Language
from training.world.held_out import is_eval_combination
from training.world.relations import Statement


@pytest.fixture(scope="module")
def samples(small_base: Llama, small_gistnet: GistNet, tokenizer: Tokenizer) -> list[Sample]:
    sampler = Sampler(small_base, small_gistnet, Teller(tokenizer, "train"), random.Random(4), 64)
    sampler.fill(12_000)
    return [sampler.sample(3, 384, 0.9) for _ in range(12)]


def test_gold_entries_hold_what_is_asked_for(samples: list[Sample]) -> None:
    assert any(sample.gold.any() for sample in samples)
    for sample in samples:
        for index, entry in enumerate(sample.layout):
            holds = any(entry.start < fact.end and fact.start < entry.end for fact in sample.wanted)
            assert bool(sample.gold[index]) == (holds and not is_recent(entry, sample.stream.length))
            assert bool(sample.candidate[index]) != is_recent(entry, sample.stream.length)


def test_slots_and_targets_fit_the_layout(samples: list[Sample]) -> None:
    for sample in samples:
        cost = sum(entry.cost for entry in sample.layout)
        assert len(sample.slots.own) == len(sample.slots.block) == len(sample.slots.feats) == cost
        assert sample.slots.entry.max() == len(sample.layout) - 1
        assert len(sample.target) == len(sample.layout)
        assert len(sample.tail) == min(64, sample.stream.length)
        for fact in sample.wanted:
            assert not is_eval_combination(*fact.statement.key, fact.statement.value)


def test_the_keys_stand_where_the_sample_says(samples: list[Sample], tokenizer: Tokenizer) -> None:
    told = [sample for sample in samples if sample.keys]
    assert told
    for sample in told:
        tail = sample.stream.tokens[-64:].tolist()
        words = {tokenizer.decode([tail[place]]).strip() for place in sample.keys}
        assert len(words) == 2


def test_a_pool_that_asks_for_all_it_tells_is_refused(
    small_base: Llama, small_gistnet: GistNet, tokenizer: Tokenizer
) -> None:
    sampler = Sampler(small_base, small_gistnet, Teller(tokenizer, "train"), random.Random(4), 64)
    sampler.fill(12_000)
    for document in sampler.pool:
        document.asked.update(range(len(document.facts)))
    with pytest.raises(ValueError, match="leave no fact to ask about"):
        sampler.sample(3, 384)


@pytest.mark.parametrize(
    ("language", "kinds"), [("core", {"values", "count"}), ("trained", {"values", "count", "list"})]
)
def test_a_widened_history_is_asked_one_by_one(language: Language, kinds: set[str]) -> None:
    holds = RELATION_IN[language]["holds"]
    said = [
        Placed(Statement(holds, "chest", "Mara", goods), 9 * at, 9 * at + 8)
        for at, goods in enumerate(("nail", "rope"))
    ]
    asked = [Told.grouped("holds", [said], random.Random(seed)) for seed in range(40)]
    assert {question.kind for question, _ in asked} == kinds


def test_a_measured_move_changes_one_entry(samples: list[Sample], small_base: Llama) -> None:
    rng = random.Random(1)
    sample = next(sample for sample in samples if len(sample.answer) > 2 and sample.gold.any())
    found = measure_gains(small_base, sample, torch.zeros(len(sample.layout)), 4, rng)
    assert found is not None and torch.isfinite(found.gain).all()
    for index in found.entry.tolist():
        layout = moved(sample, index, rng)
        assert layout != sample.layout
        assert [entry.end for entry in layout[:-1]] == [entry.start for entry in layout[1:]]
