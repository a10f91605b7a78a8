"""Train the heads of a published base and write them as a folder: one command with a time limit.

    python -m training.published.heads --base FILE.gguf --corpus FOLDER --minutes 60 --folder heads

GistNet has two thirds of the time, its second level a tenth, LensNet the rest. Cut at any minute, the same command
with `--resume` goes on; what was trained stands in `--work`. The steps are `training.published.gistnet`,
`training.published.lensnet` and `training.published.export`, which have more options and can be run by themselves.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from training.options import command_line, parser_of
from training.paths import CACHE
from training.published.gistnet import add_published

LOD1_SHARE, LOD2_SHARE = 0.66, 0.1
HARDWARE = {"cpu": "one CPU thread", "cuda": "one GPU"}


def commands(options: argparse.Namespace) -> list[list[str]]:
    """What is run, one after the other; each goes on from its own checkpoint."""
    gistnet, lensnet = str(options.work / "gistnet.pt"), str(options.work / "lensnet.pt")
    base = ["--base", str(options.base)]
    common = [*base, "--corpus", *map(str, options.corpus), "--device", options.device, "--dtype", options.dtype]
    common += ["--seed", str(options.seed), *(["--resume"] if options.resume else [])]
    lod1, lod2 = options.minutes * LOD1_SHARE, options.minutes * LOD2_SHARE
    rest = options.minutes - lod1 - lod2
    about = ["--folder", str(options.folder), "--hours", f"{options.minutes / 60:.2f}", "--seed", str(options.seed)]
    about += ["--corpus-text", f"Texts of {', '.join(folder.resolve().name for folder in options.corpus)}."]
    about += ["--hardware", HARDWARE[options.device], "--command", command_line("training.published.heads")]
    phases = ["--lod1-minutes", f"{lod1:.2f}", "--lod2-minutes", f"{lod2:.2f}"]
    return [
        ["training.published.gistnet", *common, *phases, "--out", gistnet],
        ["training.published.lensnet", *common, "--gistnet", gistnet, "--out", lensnet, "--minutes", f"{rest:.2f}"],
        ["training.published.export", *base, "--gistnet", gistnet, "--lensnet", lensnet, *about],
    ]


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_published(parser)
    parser.add_argument("--minutes", type=float, default=60, help="of training in all; reading files comes on top")
    parser.add_argument("--folder", type=Path, required=True, help="where the heads are written")
    parser.add_argument("--work", type=Path, default=CACHE / "published", help="where checkpoints are kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on where the last run was cut")
    return parser.parse_args(arguments)


def main() -> None:
    for command in commands(parse_options()):
        done = subprocess.run([sys.executable, "-m", *command], check=False)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
