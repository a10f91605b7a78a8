"""Write the trained networks to a model folder: float16 safetensors and the manifest.

    python -m training.train.export                      # whatever training/.cache holds
    python -m training.train.export --budget 1024 --hours 1.5 --tokens 12000000

LensNets of other variants are training/.cache/lensnet-<variant>.pt, and `--other-lensnet FILE` names more. What several
heads learned comes from the checkpoints that `--head-adapters`, `--head-router` and `--head-merger` name, of one number
of heads; that of other numbers stays, while base and LensNet do, and so does LensNet-G, which comes from
`--staging-lensnet`.
Figures come from training/.cache/figures/*.json: what the evaluation scripts and `npm run eval` write. Of the
manifest that the folder has already, everything stays that no option changes; its figures stay where the weights
do that they tell of, and go where they were measured on other weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from training import paths
from training.constants import BLOCK_SIZE, LENS_VARIANTS, MAX_LOD, RECENT_TOKENS
from training.data.encoder import CHAT
from training.files import write_json
from training.models.focus_heads import HeadAdapters
from training.models.gistnet import GistNet
from training.models.lens_variants import Lens
from training.models.lensnet import LensNet
from training.models.llama import Llama
from training.options import add_networks, parser_of
from training.train.checkpoints import load_base, load_gistnet, load_lensnet
from training.train.figures import figures

OF_LENSNET = re.compile(r"^(lens|kv)\.|\.(lensnet|lensnet-no-words|hybrid)\.")
"""Names of figures that LensNet takes part in."""
OF_FOCUS_HEADS = re.compile(r"^(heads|staging)\.")
"""Names of figures that tell of learned heads and of LensNet-G."""
LEARNED_ON_LENSNET = ("focus-heads", "staging-lensnet")
"""What files of learned heads and of LensNet-G begin with."""
MAX_FIGURES = 256
"""What the playground reads of a manifest (`src/nn/model-folder`)."""

CORPUS = "Generated harbour world (training/world) with a share of public-domain prose; see training/README.md"
NEW_MANIFEST = {
    "formatVersion": 1,
    "id": "tiny",
    "title": "Tiny harbour base",
    "licence": "Apache-2.0",
    "blockSize": BLOCK_SIZE,
    "maxLod": MAX_LOD,
    "hiddenSize": 0,
    "trainedContextTokens": 512,
    "defaults": {
        "budgetTokens": 1024,
        "recentTokens": RECENT_TOKENS,
        "strategy": "adaptive",
        "maxActions": 8,
        "openNeighbours": 1,
        "questionParts": 8,
        "lookAheadPages": 1024,
    },
    "chat": CHAT,
}
"""What a folder without a manifest begins with, in the order of the file."""
NEW_TRAINING = {"corpus": CORPUS, "tokens": 0, "hours": 0.0, "hardware": "two CPU cores", "seed": 0, "commands": []}


def save_half(weights: nn.Module | dict[str, Tensor], path: Path) -> None:
    """Float16 safetensors; a value beyond float16's range is an error, never an infinity."""
    tensors = weights if isinstance(weights, dict) else weights.state_dict()
    state = {name: tensor.half().contiguous() for name, tensor in tensors.items()}
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} is not finite in float16")
    save_file(state, str(path), metadata={"format": "pt"})
    path.chmod(0o644)


def export_base(base: Llama, folder: Path) -> dict:
    save_half(base, folder / "model.safetensors")
    write_json(folder / "config.json", {**base.config.to_dict(), "torch_dtype": "float16"})
    return {
        "base": {
            "config": "config.json",
            "weights": "model.safetensors",
            "tokenizer": "tokenizer.json",
            "tokenizerConfig": "tokenizer_config.json",
        }
    }


def export_network(net: GistNet | Lens, path: Path, version: int) -> dict:
    """Write the weights; the manifest's section of them."""
    save_half(net, path)
    return {"weights": path.name, **net.config.to_manifest(), "version": version}


def export_lensnets(nets: list[Lens], folder: Path, before: dict, version: int | None) -> dict:
    """The default LensNet and those of other variants, each in a file of its own.

    `version` is the default one's; without it, and for the others, what the manifest `before` says.
    """
    if not nets:
        return {}
    own, *others = nets
    version = version or before.get("lensNet", {}).get("version", 1)
    sections: dict = {"lensNet": export_network(own, folder / "lensnet.safetensors", version)}
    if others:
        known = {section["variant"]: section["version"] for section in before.get("otherLensNets", [])}
        sections["otherLensNets"] = [
            export_network(
                net, folder / f"lensnet-{net.config.variant}.safetensors", known.get(net.config.variant, version)
            )
            for net in others
        ]
    return sections


def export_focus_heads(options: argparse.Namespace, lens: Lens | None, folder: Path, before: list[dict]) -> list[dict]:
    """The sections of what several heads learned: the one of the checkpoints given in place of that of as many heads.

    Raises:
        ValueError: if the checkpoints are of different numbers of heads, or there is no LensNet to adapt.
    """
    given = {"adapters": options.head_adapters, "router": options.head_router, "merger": options.head_merger}
    saved = {name: torch.load(path, weights_only=False) for name, path in given.items() if path is not None}
    if not saved:
        return before
    counts = {state["heads"] for state in saved.values()}
    if len(counts) > 1:
        raise ValueError(f"parts for {' and '.join(map(str, sorted(counts)))} heads do not fit together")
    heads = counts.pop()
    path = folder / f"focus-heads-{heads}.safetensors"
    old = next((section for section in before if section["heads"] == heads), {"version": 0})
    section: dict = {"heads": heads, "weights": path.name}
    tensors: dict[str, Tensor] = {}
    for name, state in saved.items():
        if name == "adapters":
            if not isinstance(lens, LensNet):
                raise ValueError("adapters need a default LensNet of dual-cross-attention")
            part = HeadAdapters(lens, heads, state["rank"])
            part.load_state_dict(state["state_dict"])
            tensors |= part.tensors()
            section["adapters"] = {"rank": state["rank"]}
        else:
            tensors |= {f"{name}.{key}": value for key, value in state["state_dict"].items()}
            section[name] = {"width": state["width"]}
    save_half(tensors, path)
    section["version"] = old["version"] + 1
    return sorted([*(other for other in before if other["heads"] != heads), section], key=lambda one: one["heads"])


def export_staging_lensnet(net: Lens | None, folder: Path, before: dict | None) -> dict | None:
    """LensNet-G's section: of the net given, in place of the one `before`."""
    if net is None:
        return before
    version = before["version"] + 1 if before else 1
    return export_network(net, folder / "staging-lensnet.safetensors", version)


def learned_on_lensnet(folder: Path, before: dict) -> tuple[list[dict], dict | None]:
    """What several heads, and LensNet-G, learned on the base and LensNet that stand in the folder; other files go."""
    heads, staging, known = before.get("focusHeads", []), before.get("stagingLensNet"), before.get("files", {})
    learned_on = ("model.safetensors", "gistnet.safetensors", "lensnet.safetensors")
    if all(known.get(name) == entry for name, entry in files_of(folder).items() if name in learned_on):
        return heads, staging
    for section in [*heads, *([staging] if staging else [])]:
        print(f"{section['weights']} was trained on other weights: left out")
        (folder / section["weights"]).unlink(missing_ok=True)
    return [], None


def load_lensnets(own: Path, others: list[Path]) -> list[Lens]:
    """The default LensNet, then the others; none where there is no default.

    Raises:
        ValueError: if two are of one variant, or if there are others without a default.
    """
    if not own.exists():
        if others:
            raise ValueError(f"{others[0]} needs a default LensNet beside it, and there is no {own}")
        return []
    nets: dict[str, Lens] = {}
    for path in [own, *others]:
        net = load_lensnet(path)
        if net.config.variant in nets:
            raise ValueError(f"{path}: there is a LensNet of variant {net.config.variant} already")
        nets[net.config.variant] = net
    return list(nets.values())


def cached_variants(cache: Path) -> list[Path]:
    """Checkpoints of LensNets that are shipped beside the default one."""
    return [path for variant in LENS_VARIANTS if (path := cache / f"lensnet-{variant}.pt").exists()]


def files_of(folder: Path) -> dict[str, dict]:
    """Size and SHA-256 of every file of the folder but the manifest."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "manifest.json"
    }


def merged_figures(before: dict, files: dict[str, dict], measured: list[dict]) -> list[dict]:
    """New figures in place of those of the same names; old ones stay only while the weights do that they tell of."""
    all_old, known = before.get("figures", []), before.get("files", {})
    changed_files = {name for name in {*known, *files} if known.get(name) != files.get(name)}
    old = [entry for entry in all_old if is_kept(entry["name"], changed_files)]
    if len(old) < len(all_old):
        print(f"{len(all_old) - len(old)} figures of the old manifest were measured on other weights: left out")
    by_name = {entry["name"]: entry for entry in measured}
    kept = [by_name.pop(entry["name"], entry) for entry in old]
    return kept + list(by_name.values())


def is_kept(figure: str, changed_files: set[str]) -> bool:
    """Whether a figure holds when these files changed: those of base, GistNet and baselines outlive a LensNet."""
    if OF_FOCUS_HEADS.match(figure):
        return not changed_files
    others = {name for name in changed_files if not name.startswith(LEARNED_ON_LENSNET)}
    if all(name.startswith("lensnet") for name in others):
        return not others or OF_LENSNET.search(figure) is None
    return False


def changed(section: dict, **options: object) -> dict:
    """A section with the options that were given."""
    return section | {name: value for name, value in options.items() if value is not None}


def export(options: argparse.Namespace, figure_folder: Path = paths.FIGURES) -> dict:
    """Write the folder; the manifest.

    Raises:
        ValueError: if LensNets do not fit together, or a weight is beyond float16.
        OSError: if a checkpoint cannot be read.
    """
    others = options.other_lensnets + [
        path for path in cached_variants(options.lensnet.parent) if path not in options.other_lensnets
    ]
    lensnets = load_lensnets(options.lensnet, others)
    base, folder = load_base(options.base), options.folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "manifest.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    manifest = NEW_MANIFEST | before
    manifest = changed(manifest, hiddenSize=base.config.hidden_size, trainedContextTokens=options.trained_context)
    manifest["defaults"] = changed(
        manifest["defaults"],
        budgetTokens=options.budget,
        strategy=options.strategy,
        maxActions=options.max_actions,
        questionParts=options.question_parts,
        lookAheadPages=options.look_ahead,
    )
    manifest |= export_base(base, folder)
    if options.gistnet.exists():
        gistnet = load_gistnet(base.config, options.gistnet)
        gist_version = options.gistnet_version or before.get("gistNet", {}).get("version", 1)
        manifest["gistNet"] = export_network(gistnet, folder / "gistnet.safetensors", gist_version)
    manifest |= export_lensnets(lensnets, folder, before, options.lensnet_version)
    heads, staging = learned_on_lensnet(folder, before)
    heads = export_focus_heads(options, lensnets[0] if lensnets else None, folder, heads)
    given = None if options.staging_lensnet is None else load_lensnet(options.staging_lensnet)
    learned = {"stagingLensNet": export_staging_lensnet(given, folder, staging), "focusHeads": heads}
    for name, section in learned.items():
        manifest.pop(name, None)
        if section:
            manifest[name] = section
    manifest["files"] = files_of(folder)
    manifest["training"] = changed(
        before.get("training", NEW_TRAINING),
        tokens=options.tokens,
        hours=options.hours,
        seed=options.seed,
        commands=options.commands,
    )
    manifest["figures"] = merged_figures(before, manifest["files"], figures(figure_folder))
    if len(manifest["figures"]) > MAX_FIGURES:
        count = len(manifest["figures"])
        raise ValueError(f"{count} figures: the playground reads at most {MAX_FIGURES} of a manifest.")
    write_json(path, manifest)
    return manifest


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet", "lensnet")
    parser.add_argument("--folder", type=Path, default=paths.MODEL_FOLDER)
    parser.add_argument(
        "--other-lensnet",
        dest="other_lensnets",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a LensNet of another variant, for the parameter lensVariant; repeatable",
    )
    for part in ("adapters", "router", "merger"):
        parser.add_argument(f"--head-{part}", type=Path, metavar="FILE", help="what several heads learned")
    parser.add_argument("--staging-lensnet", type=Path, metavar="FILE", help="LensNet-G")
    parser.add_argument("--budget", type=int)
    parser.add_argument("--strategy")
    parser.add_argument("--max-actions", type=int)
    parser.add_argument("--question-parts", type=int)
    parser.add_argument("--look-ahead", type=int, help="pages of 1,024 tokens")
    parser.add_argument("--trained-context", type=int)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--gistnet-version", type=int)
    parser.add_argument("--lensnet-version", type=int, help="of the default LensNet")
    parser.add_argument("--command", dest="commands", action="append")
    options = parser.parse_args(arguments)
    try:
        load_lensnets(options.lensnet, options.other_lensnets)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    return options


def main() -> None:
    options = parse_options()
    manifest = export(options)
    total = sum(entry["bytes"] for entry in manifest["files"].values())
    print(f"{options.folder.name}: {len(manifest['files'])} files, {total / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
