"""Read and write training checkpoints of the three networks."""

from __future__ import annotations

import argparse
import random
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn

from training.models.gistnet import GistConfig, GistNet
from training.models.lens_variants import Lens, create_lensnet
from training.models.lensnet import LensConfig
from training.models.llama import Llama, LlamaConfig
from training.paths import BASE, GISTNET, LENSNET
from training.train.loop import Progress
from training.train.probes import Probes


def begin(seed: int) -> None:
    """One thread, as two runs side by side are faster than one on two; and weights from the seed."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)


def save_atomically(path: Path, entries: dict) -> None:
    """Write and rename, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(entries, partial)
    partial.replace(path)


def read_back(
    options: argparse.Namespace,
    checkpoint: Path,
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    rng: random.Random,
) -> tuple[dict, Progress] | None:
    """What `--resume` goes on from: weights, optimiser and generator are put back; the rest is in the entries.

    None where the run begins.
    """
    if not (options.resume and checkpoint.exists()):
        return None
    saved = torch.load(checkpoint, weights_only=False)
    net.load_state_dict(saved["state_dict"])
    optimizer.load_state_dict(saved["optimizer"])
    rng.setstate(saved["rng"])
    return saved, Progress(options.minutes, options.steps, saved["step"], saved["seconds"])


def freeze(module: nn.Module) -> None:
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def round_to_half(module: nn.Module) -> None:
    """Round every parameter to float16 in place: what is shipped is what the next stage trains on."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.half().float())


def load_grown(module: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Load what fits: tables that have grown since keep their new rows, absent entries stay as they are."""
    own = module.state_dict()
    with torch.no_grad():
        for name, saved in state.items():
            if name in own and own[name].shape[1:] == saved.shape[1:]:
                own[name][: len(saved)].copy_(saved)


def load_base(path: Path = BASE) -> Llama:
    """The base as it is shipped (float16-rounded), frozen."""
    saved = torch.load(path, weights_only=False)
    model = Llama(LlamaConfig.from_dict(saved["config"]))
    model.load_state_dict(saved["state_dict"])
    round_to_half(model)
    freeze(model)
    return model


def load_gistnet(base: LlamaConfig, path: Path = GISTNET) -> GistNet:
    """GistNet as it is shipped, frozen."""
    saved = torch.load(path, weights_only=False)
    net = GistNet(base, GistConfig(**saved["config"]))
    net.load_state_dict(saved["state_dict"])
    round_to_half(net)
    freeze(net)
    return net


def load_probes(base: Llama, tokenizer: Tokenizer, path: Path = GISTNET) -> Probes:
    """The probes that GistNet was trained with, frozen."""
    probes = Probes(base, tokenizer)
    load_grown(probes, torch.load(path, weights_only=False)["probes"])
    freeze(probes)
    return probes


def load_lensnet(path: Path = LENSNET) -> Lens:
    """LensNet, of whatever variant, as it is shipped, frozen."""
    saved = torch.load(path, weights_only=False)
    net = create_lensnet(LensConfig(**saved["config"]))
    net.load_state_dict(saved["state_dict"])
    round_to_half(net)
    freeze(net)
    return net


def start_from(net: Lens, path: Path) -> None:
    """Load a checkpoint's weights to go on from; columns of features that it was made without start at zero."""
    state = torch.load(path, weights_only=False)["state_dict"]
    more = net.config.features - (state["slot_in.weight"].shape[1] - 2 * net.config.hidden_size)
    net.load_state_dict(state | {"slot_in.weight": F.pad(state["slot_in.weight"], (0, max(0, more)))})


def entries_of(net: GistNet | Lens, **more: object) -> dict:
    return {"config": asdict(net.config), "state_dict": net.state_dict(), **more}
