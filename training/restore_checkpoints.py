"""Write training checkpoints from a shipped model folder, so that training can go on from what is shipped.

    python training/restore_checkpoints.py            # models/tiny → training/.cache/{base,gistnet,lensnet}.pt

LensNets of other variants go to training/.cache/lensnet-<variant>.pt.
The probes that GistNet was trained with are not shipped; they start afresh.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file

from checkpoints import BASE, CACHE, GISTNET, LENSNET, save_atomically
from gistnet import GistConfig
from lensnet import LensConfig
from llama import LlamaConfig
from tokenizer import MODEL_FOLDER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER)
    folder = parser.parse_args().folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    def weights(section: dict) -> dict:
        return {name: tensor.float() for name, tensor in load_file(folder / section["weights"]).items()}

    raw = json.loads((folder / manifest["base"]["config"]).read_text(encoding="utf-8"))
    base = LlamaConfig.from_dict(raw)
    save_atomically(BASE, {"config": base.to_dict(), "state_dict": weights(manifest["base"])})
    gist = manifest["gistNet"]
    gist_config = GistConfig(gist["blocks"], gist["contextChildren"], gist["attention"], gist["pooling"], gist["queries"])
    save_atomically(GISTNET, {"config": vars(gist_config), "state_dict": weights(gist), "probes": {}})
    others = manifest.get("otherLensNets", [])
    paths = [LENSNET, *(CACHE / f"lensnet-{lens['variant']}.pt" for lens in others)]
    for path, lens in zip(paths, [manifest["lensNet"], *others], strict=True):
        config = LensConfig.from_manifest(lens, base.hidden_size, base.rms_norm_eps)
        save_atomically(path, {"config": vars(config), "state_dict": weights(lens)})


if __name__ == "__main__":
    main()
