"""Learned heads begin as what runs without them; their losses pay for what no other head has; rows and export."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from training.constants import BLOCK_SIZE
from training.data.head_rows import load_head_rows
from training.data.layouts import Entry
from training.data.lens_questions import Placed
from training.models.focus_heads import AdaptedLens, HeadAdapters, HeadMerger, HeadRouter
from training.models.lensnet import LensConfig, LensNet
from training.train import head_mixing
from training.train.checkpoints import begin
from training.train.head_adapters import heads_loss


def test_every_part_begins_as_the_rule() -> None:
    torch.manual_seed(0)
    net = LensNet(LensConfig(hidden_size=16, width=16, heads=4, tail_queries=3, tail_tokens=12))
    inputs = [torch.randn(1, 5, 16), torch.randn(1, 5, 16), torch.randn(1, 5, net.config.features)]
    tail = torch.randn(1, 7, 16)
    adapters = HeadAdapters(net, 2, 3)
    for head in range(2):
        assert torch.allclose(AdaptedLens(net, adapters, head)(*inputs, tail), net(*inputs, tail))
    statistics = torch.rand(4, 2, 4)
    assert torch.equal(HeadRouter(16, 2, 8)(torch.randn(4, 16), statistics), statistics[..., 0])
    entropy = torch.rand(3)
    gates = HeadMerger(16, 8)(torch.randn(3, 16), entropy, torch.rand(3))
    assert torch.allclose(gates.softmax(-1), (-entropy / 0.5).softmax(-1))


ASKED = SimpleNamespace(
    layout=[Entry(1, at, at + BLOCK_SIZE) for at in (0, BLOCK_SIZE, 2 * BLOCK_SIZE)],
    candidate=torch.tensor([True, True, True]),
    wanted=[Placed(None, 3, 9), Placed(None, BLOCK_SIZE + 3, BLOCK_SIZE + 9)],
)
"""What `heads_loss` reads of a sample: two facts in two blocks, and a third block."""


def losses(*scores: list[float], room: int = 0) -> dict[str, float]:
    parts = heads_loss(ASKED, torch.tensor(scores), 1.0, room)
    return {name: float(value) for name, value in parts.items()}


def test_heads_that_divide_the_facts_lose_least() -> None:
    divided = losses([0.9, -0.5, -0.5], [-0.5, 0.9, -0.5])
    doubled = losses([0.9, 0.9, -0.5], [0.9, 0.9, -0.5])
    alone = losses([0.9, 0.9, -0.5], [-0.5, -0.5, -0.5])
    missing = losses([0.9, -0.5, -0.5], [0.9, -0.5, -0.5])
    turned = losses([-0.5, 0.9, -0.5], [0.9, -0.5, -0.5])
    assert divided["coverage"] == pytest.approx(doubled["coverage"], abs=0.01)
    assert divided["coverage"] < missing["coverage"] - 1
    assert divided["overlap"] < doubled["overlap"] - 0.2
    assert divided["balance"] < alone["balance"] - 0.2
    assert divided["own"] < turned["own"] - 1


def test_heads_with_little_room_must_divide_the_facts() -> None:
    divided = losses([0.9, 0.4, -0.5], [0.4, 0.9, -0.5], room=1)
    alike = losses([0.9, 0.4, -0.5], [0.9, 0.4, -0.5], room=1)
    roomy = losses([0.9, 0.4, -0.5], [0.9, 0.4, -0.5], room=2)
    assert divided["coverage"] < alike["coverage"] - 0.2
    assert roomy["coverage"] < alike["coverage"] - 0.2


def row_of(rng: np.random.Generator, right: int) -> str:
    """Two heads of which the one that is right points where the token is; the other is as sure of another."""
    hidden = rng.normal(size=(3, 2, 4)).astype("<f4")
    hidden[:, right, 0], hidden[:, 1 - right, 0] = 2, -2
    statistics = [[0.1, 0.5, 0, 0.2], [0.1, 0.5, 0, 0.2]]
    statistics[right][3] = 0.6
    return json.dumps(
        {
            "task": "t",
            "heads": 2,
            "query": [0.0, 1, 2, 3],
            "statistics": statistics,
            "held": [[1 - right, right]],
            "ids": [1, 1, 1],
            "isValue": [0, 1, 1],
            "utilities": [[0.1, 0.1]] * 3,
            "hidden": base64.b64encode(hidden.tobytes()).decode(),
        }
    )


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(row_of(rng, index % 2) for index in range(40)), encoding="utf-8")
    return path


def test_rows_are_read_whole_or_refused_by_line(rows: Path) -> None:
    found = load_head_rows(rows)
    assert len(found) == 40
    assert found[1].hidden.shape == (3, 2, 4)
    assert found[1].held.tolist() == [[0, 1]]
    text = rows.read_text(encoding="utf-8").splitlines()
    rows.write_text("\n".join([text[0], text[1][:-9]]), encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        load_head_rows(rows)


class TokenHead:
    """A base of two tokens, told by the sign of the first number."""

    @staticmethod
    def logits(hidden: torch.Tensor) -> torch.Tensor:
        return torch.stack([-hidden[..., 0], hidden[..., 0]], dim=-1)


@pytest.mark.parametrize("part", ["router", "merger"])
def test_learns_which_head_is_right_and_resumes(
    part: str, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_mixing, "load_base", lambda _: TokenHead)
    common = [part, "--rows", str(rows), "--steps", "120", "--lr", "0.03", "--out"]

    def run(out: str, *more: str) -> head_mixing.Trainer:
        options = head_mixing.parse_options([*common, str(tmp_path / out), *more])
        begin(options.seed)
        trainer = head_mixing.Trainer(options)
        trainer.run()
        return trainer

    whole = run("whole.pt", "--save-seconds", "0")
    measured = whole.measured()["all"]
    if part == "router":
        assert measured["learned"]["accuracy"] == 1.0 > measured["static"]["accuracy"]
    else:
        assert measured["learned"]["nll"] < measured["confident"]["nll"] - 0.3
        assert measured["learned"]["read"]["accuracy"] == 1.0
    calls = iter(range(70))
    descend = head_mixing.descend

    def killed(*arguments: object) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        descend(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(head_mixing, "descend", killed)
        with pytest.raises(KeyboardInterrupt):
            run("cut.pt", "--save-seconds", "0")
    resumed = run("cut.pt", "--resume")
    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, resumed.net.state_dict()[name]), name
