"""Working contexts: what training sees is what is served, and gists stand where they should."""

from __future__ import annotations

import json

import pytest
import torch

from training.constants import BLOCK_SIZE
from training.data.context_fixture import CASES, recency_case, seen, stand_in_base, stand_in_stream
from training.data.layouts import Entry, children_of, is_recent, protected_start, recency_layout
from training.data.sequences import block_pieces, mix
from training.data.streams import build_stream, extend_stream
from training.models.gistnet import GistNet
from training.models.llama import Llama

FIXTURE = json.loads(CASES.read_text(encoding="utf-8"))


def as_json(value: object) -> object:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("case", FIXTURE["recency"], ids=lambda case: f"{case['tokens']} tokens")
def test_layouts_by_recency_are_the_golden_ones(case: dict) -> None:
    found = recency_case(case["tokens"], case["recentTokens"], case["lod1WindowTokens"], case["budgetTokens"])
    assert as_json(found) == case


@pytest.mark.parametrize("case", FIXTURE["slots"], ids=lambda case: case["name"])
def test_slots_are_the_golden_ones(case: dict) -> None:
    stream = stand_in_stream(case["runs"][-1][0], case["runs"])
    layout = [Entry(*entry) for entry in case["layout"]]
    with torch.no_grad():
        found = seen(stream, layout, stand_in_base(), case["residency"], case["tailTokens"])
    for name, values in found.items():
        assert torch.allclose(torch.tensor(values), torch.tensor(case[name]), atol=1e-5), name


@pytest.mark.parametrize("length", [1, 255, 256, 257, 5000])
def test_a_layout_tiles_the_history(length: int) -> None:
    layout = recency_layout(length, 256, 1024)
    assert [entry.end for entry in layout[:-1]] == [entry.start for entry in layout[1:]]
    assert (layout[0].start, layout[-1].end) == (0, length)
    for entry in layout:
        assert is_recent(entry, length) == (entry.start >= protected_start(length))
        if entry.lod:
            children = children_of(entry)
            assert (children[0].start, children[-1].end) == (entry.start, entry.end)


def test_a_gist_sits_at_its_centre_and_predicts_what_follows_its_span() -> None:
    embeds, gists = torch.randn(2, 4 * BLOCK_SIZE, 8), torch.randn(2, 2, 8)
    mixed = mix(embeds, block_pieces([True, False, False, True], gists, [1, 2]))
    first_gist = BLOCK_SIZE
    assert mixed.embeds.shape == (2, 2 * BLOCK_SIZE + 2, 8)
    assert torch.equal(mixed.embeds[:, first_gist], gists[:, 0])
    assert mixed.positions[first_gist : first_gist + 2].tolist() == [1.5 * BLOCK_SIZE, 2.5 * BLOCK_SIZE]
    assert mixed.source[first_gist : first_gist + 2].tolist() == [2 * BLOCK_SIZE - 1, 3 * BLOCK_SIZE - 1]
    # No raw token follows the raw block or the first gist; one follows the second.
    assert mixed.predicts[first_gist - 1 : first_gist + 3].tolist() == [False, False, True, True]
    assert not mixed.predicts[-1]


def test_a_stream_that_grows_is_one_that_was_built_at_once(small_base: Llama, small_gistnet: GistNet) -> None:
    torch.manual_seed(5)
    tokens = torch.randint(0, 2000, (1100,))
    whole = build_stream(small_base, small_gistnet, tokens, max_lod=2)
    grown = build_stream(small_base, small_gistnet, tokens[:990], max_lod=2)
    grown = extend_stream(grown, tokens[990:].tolist(), small_base, small_gistnet)
    for lod in (1, 2):
        assert torch.allclose(grown.gists[lod], whole.gists[lod], atol=1e-5)
    assert grown.roles[989:991].tolist() == [3, 1]
