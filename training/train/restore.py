"""Write training checkpoints from a shipped model folder, so that training can go on from what is shipped.

    python -m training.train.restore            # models/tiny → training/.cache/{base,gistnet,lensnet}.pt

LensNets of other variants go to training/.cache/lensnet-<variant>.pt, where the export looks for them.
The probes that GistNet was trained with are not shipped; they start afresh.
"""

from __future__ import annotations

from pathlib import Path

from training import paths
from training.models.folder import ModelFolder
from training.options import parser_of
from training.train.checkpoints import entries_of, save_atomically


def restore(folder: Path, cache: Path) -> None:
    """Checkpoints in `cache` of everything that `folder` ships."""
    shipped = ModelFolder(folder)
    base = shipped.base()
    save_atomically(cache / paths.BASE.name, {"config": base.config.to_dict(), "state_dict": base.state_dict()})
    save_atomically(cache / paths.GISTNET.name, entries_of(shipped.gistnet(), probes={}))
    own, *others = shipped.lensnets()
    save_atomically(cache / paths.LENSNET.name, entries_of(own))
    for net in others:
        save_atomically(cache / f"lensnet-{net.config.variant}.pt", entries_of(net))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--folder", type=Path, default=paths.MODEL_FOLDER)
    restore(parser.parse_args().folder, paths.CACHE)


if __name__ == "__main__":
    main()
