"""What the evaluations count, the cases they are given, and the probes that restored weights get."""

from __future__ import annotations

import random
from dataclasses import replace

import torch
from tokenizers import Tokenizer

from training.data.cases import cases
from training.data.document_writer import Teller
from training.data.layouts import Entry
from training.data.lens_samples import Sampler
from training.models.gistnet import GistNet
from training.models.lens_variants import create_lensnet
from training.models.lensnet import LensConfig
from training.models.llama import Llama
from training.train.evaluate_answers import judged
from training.train.evaluate_kv_gists import pooled, read
from training.train.evaluate_reading import GIST_INPUTS, PAGES, Condition, layout_of, read_as
from training.train.fit_probes import align
from training.train.probes import Probes


def test_an_answer_is_spoken_only_word_for_word_and_to_its_end(tokenizer: Tokenizer) -> None:
    line_break = tokenizer.encode("\n").ids[0]
    document = Teller(tokenizer, "eval").document(random.Random(4), 700, fact_rate=0.3, question_rate=0.3)
    tokens, question = torch.from_numpy(document.tokens).long(), document.questions[0]
    end = next(at for at in range(question.value_end, len(tokens)) if tokens[at] == line_break)

    def outcome(wrong: int) -> tuple[bool, bool] | None:
        first = tokens.clone()
        first[wrong] = 0
        return judged(first, tokens, question, line_break)

    assert judged(tokens, tokens, question, line_break) == (True, True)
    assert outcome(question.answer_start - 1) == (True, True)
    assert outcome(question.value_start) == (False, False)
    assert outcome(question.answer_start) == outcome(end) == (False, True)
    cut = replace(question, values=[question.values[-1]._replace(end=len(tokens))])
    assert judged(tokens, tokens, cut, line_break) is None


def test_a_case_marks_where_its_fact_stands(tokenizer: Tokenizer) -> None:
    found = list(cases(Teller(tokenizer, "eval", "held-out"), random.Random(5), 2500, 0.3, 8))
    assert len(found) == 8
    for case in found:
        ((start, end),) = case["gold"]
        said = case["history"][start:end]
        assert case["values"][0] in said and case["values"][0] in case["answer"]
        assert any(word in said for word in case["question"].rstrip("?.").split() if word[0].isupper())


def test_probes_are_turned_without_losing_what_they_read(
    small_base: Llama, small_gistnet: GistNet, tokenizer: Tokenizer
) -> None:
    torch.manual_seed(6)
    probes = Probes(small_base, tokenizer)
    net = create_lensnet(LensConfig(16, 16, 2, 4, 64, small_base.config.rms_norm_eps))
    sampler = Sampler(small_base, small_gistnet, Teller(tokenizer, "train"), random.Random(7), 64)
    sampler.fill(24_000)
    key, gists = [("kin", "cousin", "Mara")], torch.randn(5, 16)
    asked, read = probes.queries(key).detach(), probes.key(gists).detach()
    before, after = align(probes, net, sampler, 6)
    assert after > before
    turned = probes.queries(key) @ probes.key(gists).t()
    assert torch.allclose(turned, asked @ read.t(), atol=1e-4)


def test_reading_is_measured_on_the_layouts_that_a_condition_names(
    tokenizer: Tokenizer, small_base: Llama, small_gistnet: GistNet
) -> None:
    sampler = Sampler(small_base, small_gistnet, Teller(tokenizer, "eval"), random.Random(5), 64)
    sampler.fill(20_000)
    stream, told = sampler.history(PAGES)
    fact = next(fact for fact in told.facts if fact.end <= stream.length - 600)

    def shown(condition: Condition) -> list[Entry]:
        return layout_of(stream, told, fact, condition, random.Random(1))

    def raw(condition: Condition) -> set[int]:
        return {entry.start // 32 for entry in shown(condition) if entry.lod == 0}

    alone = raw(Condition("vector", 0, 0))
    blocks = set(range(fact.start // 32, (fact.end - 1) // 32 + 1))
    assert blocks <= alone
    assert raw(Condition("vector", 0, 1)) == alone | {max(0, min(blocks) - 1), max(blocks) + 1}
    assert len(raw(Condition("vector", 8, 0)) - alone) == 8
    tokens = sum(entry.end - entry.start for entry in shown(Condition("none", 8, 0)) if entry.lod == 0)
    sizes = {name: len(read_as(stream, shown(Condition(name, 8, 0)), small_base, name)[0]) for name in GIST_INPUTS}
    assert sizes["none"] == tokens < sizes["vector"] == sizes["keyword"]


def test_keys_and_values_that_are_kept_whole_read_as_the_text_does(small_base: Llama) -> None:
    embeds, places = small_base.embed(torch.arange(40) * 3)[None], torch.arange(40).double() + 7
    with torch.no_grad():
        expected, _ = small_base.hidden_states(embeds, places[None])
        whole, _ = read(small_base, embeds, places, None, None)
        _, before = read(small_base, embeds[:, :32], places[:32], None, None)
        behind, _ = read(small_base, embeds[:, 32:], places[32:], pooled(before, 1), places[:32])
    assert torch.allclose(whole, expected, atol=1e-5)
    assert torch.allclose(behind, expected[:, 32:], atol=1e-5)
    assert [keys.shape[2] for keys, _ in pooled(before, 8)] == [4, 4]
