"""Reads the networks of a shipped model folder: `manifest.json`, `config.json` and safetensors."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from training.models.gistnet import GistConfig, GistNet
from training.models.lens_variants import Lens, create_lensnet
from training.models.lensnet import LensConfig
from training.models.llama import Llama, LlamaConfig
from training.paths import MODEL_FOLDER


class ModelFolder:
    """A model folder; every network it gives is new, float32, and belongs to the caller."""

    def __init__(self, folder: Path = MODEL_FOLDER) -> None:
        self.folder = folder
        self.manifest: dict = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        config = folder / self.manifest["base"]["config"]
        self.base_config = LlamaConfig.from_dict(json.loads(config.read_text(encoding="utf-8")))

    def _load(self, network: nn.Module, section: dict) -> None:
        weights = load_file(str(self.folder / section["weights"]))
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})

    def base(self) -> Llama:
        base = Llama(self.base_config)
        self._load(base, self.manifest["base"])
        return base

    def gistnet(self) -> GistNet:
        """Raises KeyError where the folder has none."""
        section = self.manifest["gistNet"]
        net = GistNet(self.base_config, GistConfig.from_manifest(section))
        self._load(net, section)
        return net

    def lensnets(self) -> list[Lens]:
        """The default LensNet, then those of other variants; none where the folder has none."""
        sections = [self.manifest["lensNet"]] if "lensNet" in self.manifest else []
        nets = []
        for section in sections + self.manifest.get("otherLensNets", []):
            config = LensConfig.from_manifest(section, self.base_config.hidden_size, self.base_config.rms_norm_eps)
            nets.append(create_lensnet(config))
            self._load(nets[-1], section)
        return nets
