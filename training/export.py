"""Write the trained networks to a model folder: float16 safetensors and the manifest.

    python training/export.py                      # whatever training/.cache holds
    python training/export.py --budget 1024 --hours 1.5 --tokens 12000000
    python training/export.py --other-lensnet training/.cache/perceiver.pt     # beside the default one; repeatable

Figures come from training/.cache/figures/*.json: what the evaluation scripts and `npm run eval` write.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from checkpoints import (
    BASE,
    CACHE,
    GISTNET,
    LENSNET,
    load_base,
    load_gistnet,
    load_lensnet,
)
from gistnet import BLOCK_SIZE, GistNet
from lens_variants import Lens
from llama import Llama
from streams import RECENT_TOKENS
from tokenizer import MODEL_FOLDER

CORPUS = "Generated harbour world (training/world.py) with a share of public-domain prose; see training/README.md"
CHAT = {"userPrefix": "\nQuestion: ", "userSuffix": "\n", "assistantPrefix": "Answer:", "stop": ["\n"]}


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def save_half(module: nn.Module, path: Path) -> None:
    """Float16 safetensors; a value beyond float16's range is an error, never an infinity."""
    state = {name: tensor.half().contiguous() for name, tensor in module.state_dict().items()}
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


def export_gistnet(net: GistNet, folder: Path, version: int) -> dict:
    save_half(net, folder / "gistnet.safetensors")
    return {"gistNet": {"weights": "gistnet.safetensors", **net.config.to_manifest(), "version": version}}


def export_lensnet(net: Lens, path: Path, version: int) -> dict:
    """Write the weights; the manifest's section of them."""
    save_half(net, path)
    return {"weights": path.name, **net.config.to_manifest(), "version": version}


def export_lensnets(own: Lens, others: list[Lens], folder: Path, version: int) -> dict:
    """The default LensNet and those of other variants, each in a file of its own."""
    sections = {"lensNet": export_lensnet(own, folder / "lensnet.safetensors", version)}
    if others:
        sections["otherLensNets"] = [
            export_lensnet(net, folder / f"lensnet-{net.config.variant}.safetensors", version) for net in others
        ]
    return sections


def load_lensnets(own: Path, others: list[Path]) -> list[Lens]:
    """The default LensNet, then the others; none where there is no default.

    Raises:
        ValueError: if two are of one variant, or if there are others without a default.
    """
    if not own.exists():
        if others:
            raise ValueError(f"--other-lensnet needs a default LensNet, and there is no {own}")
        return []
    nets: dict[str, Lens] = {}
    for path in [own, *others]:
        net = load_lensnet(path)
        if net.config.variant in nets:
            raise ValueError(f"{path}: there is a LensNet of variant {net.config.variant} already")
        nets[net.config.variant] = net
    return list(nets.values())


def files_of(folder: Path) -> dict[str, dict]:
    """Size and SHA-256 of every file of the folder but the manifest."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "manifest.json"
    }


def figures() -> list[dict]:
    """The manifest's figures from what the evaluation scripts wrote; the base's cells are flattened."""
    found = []
    for path in sorted((CACHE / "figures").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, list):
            found += content
        else:
            found += eval_figures(content, path) if "suites" in content else base_figures(content)
    return found


# Of what a report of `npm run eval` says; the name's ending tells them apart.
EXPORTED_FIGURES = (
    ("accuracy", ""),
    ("extraNll", ".extraNll"),
    ("regret", ".regret"),
    ("spearmanWorthwhile", ".spearmanWorthwhile"),
)


def eval_figures(report: dict, path: Path) -> list[dict]:
    """What a report of `npm run eval` says; the file beside it, `<name>.command`, says how it was made."""
    command, found = path.with_suffix(".command").read_text(encoding="utf-8").strip(), []
    for suite in report["suites"]:
        for cell in suite["cells"]:
            size = f"{cell['budgetTokens']}x{cell['historyTokens']}"
            name = f"{suite['suite']}.{cell['task']}.{cell['policy']}.{size}.seed{report['seed']}.n{cell['n']}"
            for figure, ending in EXPORTED_FIGURES:
                if cell.get(figure) is None:
                    continue
                interval = [round(bound, 4) for bound in cell["intervals"][figure]]
                value = round(cell[figure], 4)
                entry = {"name": name + ending, "value": value, "n": cell["n"], "ci95": interval, "command": command}
                found.append(entry)
    return found


def base_figures(report: dict) -> list[dict]:
    command = f"python training/evaluate_base.py --seed {report['seed']} --json training/.cache/figures/base.json"
    found = []
    for cell in report["cells"]:
        value = cell.get("accuracy", cell.get("nll"))
        labels = [str(cell[key]) for key in ("task", "tokens", "offset", "gap", "cast", "candidates") if key in cell]
        if value is not None and cell["n"]:
            name = ".".join(["base", *labels])
            found.append({"name": name, "value": value, "n": cell["n"], "ci95": cell["ci95"], "command": command})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--gistnet", type=Path, default=GISTNET)
    parser.add_argument("--lensnet", type=Path, default=LENSNET)
    parser.add_argument(
        "--other-lensnet",
        dest="other_lensnets",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a LensNet of another variant, for the parameter lensVariant; repeatable",
    )
    parser.add_argument("--budget", type=int, default=1024)
    parser.add_argument("--strategy", default="adaptive")
    parser.add_argument("--max-actions", type=int, default=8)
    parser.add_argument("--question-parts", type=int, default=8)
    parser.add_argument("--look-ahead", type=int, default=1024, help="pages of 1,024 tokens")
    parser.add_argument("--trained-context", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--version", type=int, default=1, help="of GistNet and LensNet")
    parser.add_argument("--command", dest="commands", action="append", default=[])
    options = parser.parse_args()
    try:
        lensnets = load_lensnets(options.lensnet, options.other_lensnets)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    options.folder.mkdir(parents=True, exist_ok=True)
    base = load_base(options.base)
    manifest = {
        "formatVersion": 1,
        "id": "tiny",
        "title": "Tiny harbour base",
        "licence": "Apache-2.0",
        "blockSize": BLOCK_SIZE,
        "maxLod": 4,
        "hiddenSize": base.config.hidden_size,
        "trainedContextTokens": options.trained_context,
        "defaults": {
            "budgetTokens": options.budget,
            "recentTokens": RECENT_TOKENS,
            "strategy": options.strategy,
            "maxActions": options.max_actions,
            "questionParts": options.question_parts,
            "lookAheadPages": options.look_ahead,
        },
        "chat": CHAT,
        **export_base(base, options.folder),
    }
    if options.gistnet.exists():
        gistnet = load_gistnet(base.config, options.gistnet)
        manifest |= export_gistnet(gistnet, options.folder, options.version)
    if lensnets:
        manifest |= export_lensnets(lensnets[0], lensnets[1:], options.folder, options.version)
    manifest["files"] = files_of(options.folder)
    manifest["training"] = {
        "corpus": CORPUS,
        "tokens": options.tokens,
        "hours": options.hours,
        "hardware": "two CPU cores",
        "seed": options.seed,
        "commands": options.commands,
    }
    manifest["figures"] = figures()
    write_json(options.folder / "manifest.json", manifest)
    total = sum(entry["bytes"] for entry in manifest["files"].values())
    print(f"{options.folder.name}: {len(manifest['files'])} files, {total / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
