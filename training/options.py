"""Command-line options that several commands share."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from training import paths


def parser_of(docstring: str | None) -> argparse.ArgumentParser:
    """A parser whose help is a command's own docstring."""
    return argparse.ArgumentParser(description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_figures(parser: argparse.ArgumentParser) -> None:
    """Where to write what was measured, as a manifest's figures."""
    parser.add_argument("--json", type=Path, help="write figures here, for the --figures of export")


def command_line(module: str) -> str:
    """The command as it was given, folders left out: they say nothing to whoever reads a figure."""
    arguments = (Path(argument).name if "/" in argument else argument for argument in sys.argv[1:])
    return shlex.join(["python", "-m", module, *arguments])


def add_networks(parser: argparse.ArgumentParser, *names: str) -> None:
    """Where to read the networks named (`base`, `gistnet`, `lensnet`) from."""
    for name in names:
        path = {"base": paths.BASE, "gistnet": paths.GISTNET, "lensnet": paths.LENSNET}[name]
        parser.add_argument(f"--{name}", type=Path, default=path, help=f"checkpoint of the {name}")


def add_run(parser: argparse.ArgumentParser, out: Path, lr: float) -> None:
    """What every training takes: seed, learning rate, output, and how it is resumed."""
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=lr, help="peak learning rate")
    parser.add_argument("--out", type=Path, default=out)
    parser.add_argument("--save-seconds", type=float, default=60, help="between two checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")


def add_language(parser: argparse.ArgumentParser) -> None:
    """In which forms the documents are told (world/forms.py); `trained` also puts facts among real prose."""
    parser.add_argument("--language", choices=("core", "trained"), default="core")
    parser.add_argument("--core-share", type=float, default=0.0, help="documents told in core forms all the same")


def add_length(parser: argparse.ArgumentParser, minutes: float, prefix: str = "") -> None:
    """How long a training, or the phase that `prefix` names, goes on."""
    parser.add_argument(f"--{prefix}minutes", type=float, default=minutes)
    parser.add_argument(f"--{prefix}steps", type=int, default=0, help="instead of minutes: the same on any machine")
