"""The world: the same seed tells the same, and what is held out is never told to training."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from tokenizers import Tokenizer

from training.data.document_writer import make_document
from training.data.documents import Document
from training.files import pretty
from training.paths import WORLD_DATA, WORLD_FORMS
from training.world.export import world, world_forms
from training.world.filler import expand, parse_template
from training.world.held_out import HELD_OUT_LEADS, HELD_OUT_TAILS, HELD_OUT_TOPICS, is_eval_combination
from training.world.lexicon import ALIASES, LEXICON


def documents(tokenizer: Tokenizer, split: str, count: int, seed: int = 5) -> Iterator[Document]:
    rng = random.Random(seed)
    for _ in range(count):
        rates = {"fact_rate": 0.3, "question_rate": 0.25, "special_share": 0.6}
        yield make_document(rng, 700, split=split, tokenizer=tokenizer, **rates)


def test_a_seed_tells_one_story(tokenizer: Tokenizer) -> None:
    first, again = (
        [document.tokens.tolist() for document in documents(tokenizer, "train", 3, seed)] for seed in (5, 5)
    )
    assert first == again
    assert first != [document.tokens.tolist() for document in documents(tokenizer, "train", 3, 6)]


@pytest.mark.parametrize("split", ["train", "eval"])
def test_a_split_states_its_own_combinations_only(tokenizer: Tokenizer, split: str) -> None:
    facts = [fact for document in documents(tokenizer, split, 30) for fact in document.facts]
    assert len(facts) > 300
    for fact in facts:
        assert is_eval_combination(*fact.key, fact.statement.value) == (split == "eval")


def test_training_never_shows_held_out_wording(tokenizer: Tokenizer) -> None:
    text = " ".join(tokenizer.decode(document.tokens.tolist()) for document in documents(tokenizer, "train", 60))
    for wording in (*HELD_OUT_LEADS, *HELD_OUT_TAILS):
        assert wording not in text
    for template in (template for templates in HELD_OUT_TOPICS.values() for template in templates):
        openings = {expand(parse_template(template), random.Random(seed))[:24] for seed in range(20)}
        assert not any(opening in text for opening in openings if "{" not in opening)


def test_facts_stand_where_the_document_says(tokenizer: Tokenizer) -> None:
    for document in documents(tokenizer, "train", 10):
        ids = document.tokens.tolist()
        for fact in document.facts:
            said, statement = tokenizer.decode(ids[fact.start : fact.end]).strip(), fact.statement
            stated = f"{statement.clause()} {statement.value}{statement.relation.after}"
            assert said.lower() == stated.lower()
            assert tokenizer.decode(ids[fact.value_start : fact.value_end]) == f" {fact.statement.value}"
        assert all(first.end <= second.start for first, second in pairwise(document.facts))
        for question in document.questions:
            for value in question.values:
                if value.fact is not None:
                    said = tokenizer.decode(ids[value.start : value.end])
                    assert said == f" {document.facts[value.fact].statement.value}"


def test_aliases_are_words_of_their_own() -> None:
    words = {word for kind in LEXICON.values() for word in kind}
    assert set(ALIASES) <= words
    assert not set(ALIASES.values()) & words


def test_the_evaluation_has_this_world() -> None:
    """`python -m training.world.export` writes what is committed, as prettier would."""
    assert WORLD_DATA.read_text(encoding="utf-8") == pretty(world()) + "\n"
    assert WORLD_FORMS.read_text(encoding="utf-8") == pretty(world_forms()) + "\n"
