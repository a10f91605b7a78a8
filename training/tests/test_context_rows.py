"""Rows of working contexts: what is asked for stands raw, what is refused does not, and loss falls on what follows."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer

from training.data.context_rows import ContextRow, ContextRows, rivals_of
from training.data.document_writer import Teller
from training.data.lens_questions import Placed
from training.models.gistnet import GistNet
from training.models.llama import Llama, LlamaConfig
from training.train.base_loss import Batch, training_loss
from training.train.evaluate_contexts import first_choices
from training.train.loop import Meter
from training.world.forms import ABSTENTION
from training.world.relations import RELATION, Statement

SLOTS = 320


@pytest.fixture(scope="module")
def rows_of(small_base: Llama, small_gistnet: GistNet, tokenizer: Tokenizer) -> ContextRows:
    source = ContextRows(small_base, small_gistnet, Teller(tokenizer, "train", "trained"), random.Random(3))
    source.fill(20_000)
    source.refresh()
    return source


@pytest.fixture(scope="module")
def rows(rows_of: ContextRows) -> list[ContextRow]:
    return [rows_of.row(SLOTS) for _ in range(24)]


def test_a_context_is_read_slot_by_slot(rows: list[ContextRow], small_base: Llama) -> None:
    row = next(row for row in rows if row.is_gist.any())
    first = first_choices(small_base, row)
    changed = first_choices(small_base, replace(row, gists=row.gists + 3))
    gist = int(row.is_gist.nonzero()[0])
    assert len(first) == SLOTS + 1
    assert torch.equal(first[: gist + 1], changed[: gist + 1])
    assert not torch.equal(first, changed)


def test_the_facts_of_an_answer_stand_raw(rows: list[ContextRow], tokenizer: Tokenizer) -> None:
    kinds = set()
    for row in rows:
        tokens = row.document.tokens
        for question in row.document.questions:
            kinds.add(question.kind)
            for fact in (row.document.facts[index] for index in question.facts):
                assert not row.is_gist[fact.start : fact.end].any()
                assert row.positions[fact.start : fact.end].diff().eq(1).all()
                said = tokenizer.decode(tokens[fact.value_start : fact.value_end].tolist())
                assert said == f" {fact.statement.value}"
                words = [tokenizer.decode([int(tokens[place])]).strip() for place in fact.keys]
                assert words == [fact.statement.a, fact.statement.b]
    assert {"single", "unanswerable"} <= kinds


def test_a_question_is_refused_where_no_raw_text_answers_it(rows: list[ContextRow], tokenizer: Tokenizer) -> None:
    for row in rows:
        in_sight = {fact.key for fact in row.document.facts}
        for question in row.document.questions:
            start, end = question.answer_start, question.value_end + 1
            answer = tokenizer.decode(row.document.tokens[start:end].tolist()).strip()
            assert (answer == ABSTENTION) == (question.kind == "unanswerable")
            assert all(row.document.facts[index].key in in_sight for index in question.facts)


def placed(relation: str, a: str, b: str, value: str, at: int = 0) -> Placed:
    return Placed(Statement(RELATION[relation], a, b, value), at, at + 9)


def test_rivals_share_a_word_and_the_relation_or_both_words() -> None:
    asked = placed("trade", "Mara", "Vell", "baker").statement
    alike = [placed("trade", "Mara", "Rook", "smith"), placed("trade", "Hugo", "Vell", "tailor")]
    same = placed("trade", "Mara", "Vell", "cooper")
    other = [placed("pet", "Mara", "Rook", "cat"), placed("trade", "Hugo", "Rook", "weaver")]
    found = rivals_of([asked], [*alike, same, *other], set())
    assert [found.count(one) for one in (*alike, same, *other)] == [2, 2, 4, 0, 0]
    assert rivals_of([asked], [same], {same.statement}) == []


def test_what_was_never_told_has_words_that_were(rows_of: ContextRows) -> None:
    told = [placed("trade", "Mara", "Vell", "baker"), placed("trade", "Hugo", "Rook", "smith")]
    keys = {one.statement.key for one in told}
    found = [statement.key for _ in range(60) for statement in rows_of.untold(told, 2)]
    assert not keys & set(found)
    assert {("trade", "Mara", "Rook"), ("trade", "Hugo", "Vell")} <= set(found)


def test_slots_hold_gists_or_tokens_in_order(rows: list[ContextRow]) -> None:
    assert any(row.is_gist.any() for row in rows) and any(not row.is_gist.any() for row in rows)
    for row in rows:
        assert len(row.document.tokens) == SLOTS + 1 == len(row.positions)
        assert row.gists[~row.is_gist].eq(0).all() and row.gists[row.is_gist].ne(0).any(-1).all()
        assert row.positions.diff().ge(0).all()
        steps = row.positions.diff()
        raw = ~row.is_gist[:-1] & ~row.is_gist[1:]
        assert steps[row.follows & raw].eq(1).all()


@pytest.fixture(scope="module")
def deep_base(tokenizer: Tokenizer) -> Llama:
    """As wide as the small base's gists, with all layers that the loss looks at."""
    shape = {"num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 4}
    return Llama(LlamaConfig(tokenizer.get_vocab_size(), hidden_size=16, intermediate_size=24, **shape))


def test_loss_reads_gists_and_counts_only_what_follows(rows: list[ContextRow], deep_base: Llama) -> None:
    def loss(rows: list[ContextRow]) -> torch.Tensor:
        return training_loss(deep_base, Batch.of_contexts(rows), 0.5, 0.0, Meter())

    some = next(row for row in rows if row.is_gist.any())
    place = int(some.is_gist.nonzero()[0])
    before = loss([some])
    # The token that a gist's slot has for its place in the row is never read and never predicted.
    some.document.tokens[place] = 77
    assert torch.equal(loss([some]), before)
    some.gists[place] *= -1
    assert not torch.equal(loss([some]), before)
    some.gists[place] *= -1
    some.document.tokens[place] = 0


def test_measures_of_contexts_have_a_name_of_their_own(rows: list[ContextRow], deep_base: Llama) -> None:
    meter = Meter()
    training_loss(deep_base, Batch.of_contexts(rows[:4]), 0.5, 0.1, meter)
    assert all(name.startswith("context.") for name in meter.read())
