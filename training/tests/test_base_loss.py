"""What the base is shown: where its retrieval heads should look, and what keeps still when it goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from training.data.document_writer import Teller
from training.models.llama import Llama, LlamaConfig
from training.train import base, base_curriculum
from training.train.base_loss import LATE_LAYER, POSITIONAL_REACH, RETRIEVAL_LAYER, bindings_of, gold_of
from training.train.checkpoints import save_atomically

SHAPE = {"fact_rate": 0.3, "question_rate": 0.3}


def test_a_core_fact_is_looked_up_by_its_value(tokenizer: Tokenizer) -> None:
    document = Teller(tokenizer, "train").document(random.Random(1), 900, **SHAPE)
    places = {gold_of(document, question, value).layer for question in document.questions for value in question.values}
    assert places == {RETRIEVAL_LAYER}


def test_a_widened_fact_is_looked_up_where_it_is_complete(tokenizer: Tokenizer) -> None:
    teller, rng, layers = Teller(tokenizer, "train", "trained"), random.Random(2), set()
    for _ in range(12):
        document = teller.document(rng, 900, **SHAPE)
        for question in document.questions:
            for value in question.values if question.kind == "single" else ():
                fact, place = document.facts[value.fact], gold_of(document, question, value)
                layers.add(place.layer)
                if place.layer == RETRIEVAL_LAYER:
                    assert place.token == fact.value_start > max(fact.keys)
                    assert fact.value_start - min(fact.keys) <= POSITIONAL_REACH
                else:
                    assert place.token == max(fact.value_end - 1, *fact.keys)
    assert layers == {RETRIEVAL_LAYER, LATE_LAYER}


def test_a_fact_is_bound_by_its_last_part(tokenizer: Tokenizer) -> None:
    document = Teller(tokenizer, "train", "trained").document(random.Random(3), 900, **SHAPE)
    bindings = bindings_of([document]).tolist()
    for row, head, last, part in bindings:
        fact = next(fact for fact in document.facts if fact.told_end - 1 == last)
        assert row == 0 and part <= last
        assert part == (fact.value_start, *fact.keys)[head]
    assert {head for _, head, _, _ in bindings} == {0, 1, 2}


def test_frozen_embeddings_keep_still(tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_curriculum, "TOKENS_PER_STEP", 256)
    monkeypatch.setattr(base_curriculum, "load_prose", lambda: "")
    started = Llama(LlamaConfig(tokenizer.get_vocab_size(), no_rope_layers=[1, 0, 1, 0]))
    start = {"config": started.config.to_dict(), "state_dict": started.state_dict()}
    save_atomically(tmp_path / "start.pt", start)
    arguments = ["--start", str(tmp_path / "start.pt"), "--steps", "2", "--lengths", "128:1", "--core-share", "0.5"]
    options = base.parse_options([*arguments, "--no-rope-layers", "1,0,1,0", "--freeze-embeddings"])
    options.out = tmp_path
    trainer = base.Trainer(options)
    trainer.run()
    for name, tensor in trainer.model.state_dict().items():
        is_still = torch.equal(tensor, start["state_dict"][name])
        assert is_still == (name == "model.embed_tokens.weight"), name
