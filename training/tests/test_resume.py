"""A training that was killed and resumed ends with the weights of one that was not."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from training.models.features import LEXICAL
from training.models.lens_variants import create_lensnet
from training.models.lensnet import LensConfig
from training.train import base, base_curriculum, gistnet, head_adapters, lensnet, staging_lensnet
from training.train.checkpoints import begin, entries_of, save_atomically


class Killed(Exception):
    pass


def run(module, arguments: list[str]) -> dict[str, torch.Tensor]:
    options: argparse.Namespace = module.parse_options([*arguments, "--seed", "3", "--save-seconds", "0"])
    begin(options.seed)
    if module is base:
        options.out.mkdir(parents=True, exist_ok=True)
    trainer = module.Trainer(options)
    trainer.run()
    network = trainer.model if module is base else trainer.net
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def killed_at(step: int, descend: Callable[..., None]) -> Callable[..., None]:
    """`descend`, until its call number `step`."""
    calls = iter(range(1, step))

    def descend_or_die(*arguments: object) -> None:
        if next(calls, None) is None:
            raise Killed
        descend(*arguments)

    return descend_or_die


SMALL_LENS = "--steps 4 --pool 8000 --batch 2 --far-share 0 --query-steps 2 --width 16 --heads 2 --refresh 0.9"
CASES = {
    "base": (base, ["--steps", "4", "--special-share", "0.5", "--lengths", "64:0.5,128:1"], 3),
    "gistnet, first phase": (gistnet, ["--lod1-steps", "3", "--lod2-steps", "2", "--pool", "6", "--batch", "2"], 3),
    "gistnet, second phase": (gistnet, ["--lod1-steps", "1", "--lod2-steps", "4", "--pool", "6", "--batch", "2"], 4),
    "lensnet": (
        lensnet,
        SMALL_LENS.split(),
        5,  # two steps on queries come first
    ),
    "head adapters": (
        head_adapters,
        ["--steps", "4", "--heads", "2", "--rank", "2", "--pool", "8000", "--batch", "2", "--refresh", "0.9"],
        3,
    ),
    "staging lensnet": (
        staging_lensnet,
        ["--steps", "4", "--pool", "8000", "--batch", "1", "--refresh", "0.9", "--far-share", "0"],
        3,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_resumed_is_uninterrupted(
    name: str, checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, arguments, fatal = CASES[name]
    monkeypatch.setattr(base_curriculum, "TOKENS_PER_STEP", 256)
    monkeypatch.setattr(base_curriculum, "load_prose", lambda: "")
    if module is not base:
        arguments = [*arguments, "--base", str(checkpoints / "base.pt")]
    if module in (head_adapters, staging_lensnet):
        torch.manual_seed(2)
        lens = create_lensnet(LensConfig(hidden_size=16, width=16, heads=2, lexical_features=LEXICAL))
        save_atomically(tmp_path / "lensnet.pt", entries_of(lens))
        arguments += ["--lensnet" if module is head_adapters else "--from", str(tmp_path / "lensnet.pt")]
    if module in (lensnet, head_adapters, staging_lensnet):
        arguments += ["--gistnet", str(checkpoints / "gistnet.pt")]
    if module is gistnet:
        arguments += ["--blocks", "1"]
    whole = run(module, [*arguments, "--out", str(tmp_path / "whole.pt")])
    cut = [*arguments, "--out", str(tmp_path / "cut.pt")]
    descending = lensnet if module is staging_lensnet else module
    with monkeypatch.context() as patch:
        patch.setattr(descending, "descend", killed_at(fatal, descending.descend))
        with pytest.raises(Killed):
            run(module, cut)
    resumed = run(module, [*cut, "--resume"])
    assert whole.keys() == resumed.keys()
    for key, tensor in whole.items():
        assert torch.equal(tensor, resumed[key]), key
