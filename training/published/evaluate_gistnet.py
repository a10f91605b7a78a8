"""Measure a published base's GistNet on text that it was not trained on.

    python -m training.published.evaluate_gistnet --base FILE.gguf --gistnet GISTNET.pt --text BOOK.txt --n 48

Nats a token over the 64 tokens that follow 128 raw ones, with the 256 tokens before those as eight gists (`--blocks`),
deleted, as their eight newest tokens, or read whole; with `--lod2` the 1,024 tokens before as one gist.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

import torch

from training.constants import BLOCK_SIZE
from training.files import write_json
from training.options import add_figures, command_line, parser_of
from training.published.base import BaseFileError, OtherBaseError, load_published_base
from training.published.corpus import Kind, Windows, encode
from training.published.gistnet import (
    BLOCKS,
    MEASURED,
    PAGE,
    PUBLISHED_GISTNET,
    READ,
    FrozenBase,
    Reading,
    lod1_gists,
    lod2_gists,
)
from training.published.lensnet import GistNetError, load_published_gistnet
from training.train.checkpoints import begin
from training.train.intervals import figure


@torch.no_grad()
def measure(options: argparse.Namespace) -> dict:
    published = load_published_base(options.base)
    net = load_published_gistnet(options.gistnet, published).to(options.device)
    base = FrozenBase(published, options.device, getattr(torch, options.dtype))
    history = PAGE if options.lod2 else options.blocks * BLOCK_SIZE
    texts = [encode(published.tokenizer, path.read_text(encoding="utf-8", errors="replace")) for path in options.text]
    kinds = [Kind(path.name, ids, ids) for path, ids in zip(options.text, texts, strict=True)]
    ids = Windows(kinds, history + READ + MEASURED, random.Random(options.seed)).draw(options.n)
    gists = []
    for rows in ids[:, :history].split(4):
        found = lod1_gists(net, base.embed(rows), rows)
        gists.append(lod2_gists(net, found) if options.lod2 else found)
    found = Reading(base, ids, history, gists[0].shape[1]).with_gists(torch.cat(gists))
    return {
        "lod": 2 if options.lod2 else 1,
        "historyTokens": history,
        "texts": [path.name for path in options.text],
        **found,
    }


def figures_of(measured: dict, command: str) -> list[dict]:
    """Entries of a manifest."""
    n, place = measured["n"], f"gist.lod{measured['lod']}.{measured['historyTokens']}"
    gap = measured["gapRecovered"]
    return [
        figure(f"{place}.nllAgainstDeletion", measured["gists"], n, measured["ci95"], command),
        figure(f"{place}.gapRecovered", gap, n, measured["gapCi95"], command),
    ]


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--gistnet", type=Path, default=PUBLISHED_GISTNET)
    parser.add_argument("--text", type=Path, nargs="+", required=True)
    parser.add_argument("--n", type=int, default=48, help="windows")
    parser.add_argument("--blocks", type=int, default=BLOCKS, help="blocks that gists stand for")
    parser.add_argument("--lod2", action="store_true")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    add_figures(parser)
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    try:
        measured = measure(options)
        print(json.dumps(measured))
        if options.json:
            write_json(options.json, figures_of(measured, command_line("training.published.evaluate_gistnet")))
    except (BaseFileError, GistNetError, OtherBaseError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
