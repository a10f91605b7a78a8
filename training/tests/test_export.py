"""What is shipped comes back as it was; figures go with the weights that they were measured on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from training.models.focus_heads import HeadAdapters, HeadRouter
from training.models.folder import ModelFolder
from training.paths import MODEL_FOLDER
from training.train import evaluate_base
from training.train.export import export, parse_options
from training.train.restore import restore


def exported(cache: Path, folder: Path, *more: str) -> dict:
    names = [text for name in ("base", "gistnet", "lensnet") for text in (f"--{name}", str(cache / f"{name}.pt"))]
    export(parse_options([*names, "--folder", str(folder), *more]), cache / "figures")
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.fixture
def restored(tmp_path: Path) -> tuple[Path, Path]:
    """Checkpoints of what is shipped, and a copy of the shipped folder."""
    restore(MODEL_FOLDER, tmp_path / "cache")
    folder = tmp_path / "tiny"
    shutil.copytree(MODEL_FOLDER, folder)
    return tmp_path / "cache", folder


def test_the_shipped_folder_survives_restore_and_export(restored: tuple[Path, Path]) -> None:
    cache, folder = restored
    before = (MODEL_FOLDER / "manifest.json").read_bytes()
    exported(cache, folder)
    assert (folder / "manifest.json").read_bytes() == before
    assert json.loads(before)["otherLensNets"]


def test_figures_of_other_weights_go(restored: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    cache, folder = restored
    saved = torch.load(cache / "gistnet.pt", weights_only=False)
    saved["state_dict"]["lod1.scale"] += 0.5
    torch.save(saved, cache / "gistnet.pt")
    (cache / "figures").mkdir()
    new = [{"name": "gapRecoveredLod1", "value": 0.5, "n": 3, "ci95": [0.4, 0.6], "command": "c"}]
    (cache / "figures" / "gistnet.json").write_text(json.dumps(new), encoding="utf-8")
    manifest = exported(cache, folder, "--hours", "2")
    assert manifest["figures"] == new
    assert manifest["training"]["hours"] == 2
    assert "other weights" in capsys.readouterr().out


def test_learned_heads_come_and_go_with_what_they_were_trained_on(restored: tuple[Path, Path]) -> None:
    cache, folder = restored
    lens = ModelFolder(folder).lensnets()[0]
    adapters = HeadAdapters(lens, 2, 3)
    saved = {"heads": 2, "rank": 3, "state_dict": adapters.state_dict()}
    torch.save(saved, cache / "adapters.pt")
    router = {"heads": 2, "width": 8, "state_dict": HeadRouter(128, 2, 8).state_dict()}
    torch.save(router, cache / "router.pt")
    given = ("--head-adapters", str(cache / "adapters.pt"), "--head-router", str(cache / "router.pt"))
    version = json.loads((folder / "manifest.json").read_text()).get("stagingLensNet", {"version": 0})["version"]
    manifest = exported(cache, folder, *given, "--staging-lensnet", str(cache / "lensnet.pt"))
    staging = {"weights": "staging-lensnet.safetensors", "version": version + 1}
    assert manifest["stagingLensNet"] == manifest["lensNet"] | staging
    section = next(one for one in manifest["focusHeads"] if one["heads"] == 2)
    name = "focus-heads-2.safetensors"
    assert section == {"heads": 2, "weights": name, "adapters": {"rank": 3}, "router": {"width": 8}, "version": 1}
    assert manifest["files"][name]["bytes"] < 100_000
    again = exported(cache, folder)
    assert [again[key] for key in ("focusHeads", "stagingLensNet")] == [
        manifest[key] for key in ("focusHeads", "stagingLensNet")
    ]
    torch.save(router | {"heads": 3}, cache / "router.pt")
    with pytest.raises(ValueError, match="2 and 3 heads"):
        exported(cache, folder, *given)
    other = torch.load(cache / "lensnet.pt", weights_only=False)
    other["state_dict"]["match_scale"] += 0.5
    torch.save(other, cache / "lensnet.pt")
    changed = exported(cache, folder)
    assert not {"focusHeads", "stagingLensNet"} & set(changed)
    assert not {name, "staging-lensnet.safetensors"} & set(changed["files"])


def test_another_lensnet_leaves_what_was_measured_without_it(restored: tuple[Path, Path]) -> None:
    cache, folder = restored
    saved = torch.load(cache / "lensnet.pt", weights_only=False)
    saved["state_dict"]["match_scale"] += 0.5
    torch.save(saved, cache / "lensnet.pt")
    known = ("gapRecoveredLod1", "recall.single.gold.x", "recall.single.lensnet.x", "lens.single.gold", "kv.x")
    before = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    figures = [{"name": name, "value": 1, "n": 1, "ci95": [0, 1], "command": "c"} for name in known]
    (folder / "manifest.json").write_text(json.dumps(before | {"figures": figures}), encoding="utf-8")
    manifest = exported(cache, folder, "--lensnet-version", "77")
    assert [figure["name"] for figure in manifest["figures"]] == list(known[:2])
    assert manifest["lensNet"]["version"] == 77
    assert manifest["gistNet"] == before["gistNet"]
    assert manifest["otherLensNets"] == before["otherLensNets"]


def test_the_base_is_measured_into_a_folder_that_is_not_there(
    restored: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "not" / "there" / "base.json"
    arguments = ["x", "--checkpoint", str(restored[0] / "base.pt"), "--n", "2", "--quick", "--json", str(report)]
    monkeypatch.setattr("sys.argv", arguments)
    evaluate_base.main()
    cells = json.loads(report.read_text(encoding="utf-8"))["cells"]
    assert {cell["tokens"] for cell in cells} == {512, 1024}
    assert all(cell["accuracy"] is not None for cell in cells)


def test_a_folder_gives_all_its_networks(shipped: ModelFolder) -> None:
    variants = [net.config.variant for net in shipped.lensnets()]
    assert variants == ["dual-cross-attention", "transformer", "perceiver"]
    assert shipped.gistnet().lod1.scale.isfinite()
