"""A staging context is read in parts, as the page reads it, and comes together again."""

from __future__ import annotations

import random

import pytest
import torch
from tokenizers import Tokenizer

from training.data.document_writer import Teller
from training.data.lens_samples import Sample, Sampler
from training.models.features import LEXICAL
from training.models.gistnet import GistNet
from training.models.lens_variants import Lens, create_lensnet
from training.models.lensnet import LensConfig, LensParts
from training.models.llama import Llama
from training.train import staging_lensnet
from training.train.lens_losses import forward
from training.train.staging_lensnet import forward_in_parts, parts_of


@pytest.fixture(scope="module")
def sample(small_base: Llama, small_gistnet: GistNet, tokenizer: Tokenizer) -> Sample:
    sampler = Sampler(small_base, small_gistnet, Teller(tokenizer, "train"), random.Random(5), 64)
    sampler.fill(12_000)
    return sampler.sample(6, 1024)


@pytest.fixture(scope="module")
def net(sample: Sample) -> Lens:
    torch.manual_seed(1)
    width = sample.slots.own.shape[1]
    return create_lensnet(LensConfig(hidden_size=width, width=16, heads=2, lexical_features=LEXICAL))


def test_parts_hold_all_of_a_sample_in_order_and_none_is_too_wide(sample: Sample) -> None:
    parts = parts_of(sample, 200)
    assert len(parts) > 2
    assert [entry for part in parts for entry in part.layout] == sample.layout
    for name in ("target", "gold", "candidate", "lexical"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(sample, name))
    for part in parts:
        assert len(part.slots.own) == sum(entry.cost for entry in part.layout) <= 200
        assert part.slots.entry.unique().tolist() == list(range(len(part.layout)))
    assert torch.equal(torch.cat([part.slots.own for part in parts]), sample.slots.own)


@torch.no_grad()
def test_what_fits_one_part_is_read_as_a_window_is(sample: Sample, net: Lens, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = forward(net, [sample], LensParts())[0]
    for ours, theirs in zip(forward_in_parts(net, [sample], LensParts())[0], whole, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)
    monkeypatch.setattr(staging_lensnet.parts_of, "__defaults__", (200,))
    apart, _ = forward_in_parts(net, [sample], LensParts())[0]
    assert apart.shape == whole[0].shape
    assert not torch.allclose(apart, whole[0], atol=1e-4)
