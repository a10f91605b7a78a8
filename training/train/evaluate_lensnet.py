"""Routing of LensNets over working contexts that are 16 times smaller than their history, by the language's forms.

    python -m training.train.evaluate_lensnet --lensnets training/.cache/lensnet.pt other.pt --n 200 --json routing.json

One step of routing, where `npm run eval` measures whole descents: whether all entries that hold what the tail
asks for are scored above all others (`first`), and whether all of them lie above the threshold of expansion
(`opened`). All LensNets see the same contexts, so that their differences may be paired (`firstAgainst`: the
first LensNet alone right, this one alone right). Combinations are held out (`split="eval"`).
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch

from training.data.document_writer import Teller
from training.data.lens_samples import Sample, Sampler
from training.data.prose import load_prose, sentences_of
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.lens_variants import Lens
from training.models.lensnet import LensParts
from training.options import add_networks, parser_of
from training.train.checkpoints import begin, load_base, load_gistnet, load_lensnet
from training.train.intervals import cell
from training.train.lens_losses import forward, outcome
from training.world.forms import LANGUAGES

PAGES, BUDGET_TOKENS = 16, 1024


def judged(net: Lens, sample: Sample) -> tuple[bool, bool]:
    """(first, opened) of the gold entries."""
    ((logits, scores),) = forward(net, [sample], LensParts())
    found = {name.split(".")[0]: value for name, value in outcome(sample, logits, scores).items()}
    return found["top1"] == 1.0, found["hit"] == 1.0


@torch.no_grad()
def routing(nets: dict[str, Lens], sampler: Sampler, wanted: int) -> Iterator[dict]:
    """Cells by LensNet and by the coarsest level at which the gold stands."""
    found: dict[str, dict[str, list[tuple[bool, bool]]]] = defaultdict(lambda: defaultdict(list))
    while len(found["all"][next(iter(nets))]) < wanted:
        sample = sampler.sample(PAGES, BUDGET_TOKENS, 1.0)
        if sample.weight < 1.0 or not sample.gold.any():
            continue
        lod = max(entry.lod for entry, is_gold in zip(sample.layout, sample.gold.tolist(), strict=True) if is_gold)
        for name, net in nets.items():
            result = judged(net, sample)
            for group in ("all", f"lod{lod}"):
                found[group][name].append(result)
    for group, by_net in sorted(found.items()):
        reference = next(iter(by_net.values()))
        for name, results in by_net.items():
            first, opened = (cell([result[index] for result in results]) for index in (0, 1))
            pairs = [(old[0], new[0]) for old, new in zip(reference, results, strict=True)]
            against = [pairs.count((True, False)), pairs.count((False, True))]
            yield {"lensnet": name, "gold": group, "first": first, "opened": opened, "firstAgainst": against}


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    parser.add_argument("--lensnets", type=Path, nargs="+", required=True)
    parser.add_argument("--n", type=int, default=200, help="contexts a language")
    parser.add_argument("--pool", type=int, default=100_000, help="tokens of documents a language")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    begin(options.seed)
    base, tokenizer, results = load_base(options.base), load_tokenizer(), []
    gistnet, nets = (
        load_gistnet(base.config, options.gistnet),
        {str(path): load_lensnet(path) for path in options.lensnets},
    )
    for language in options.languages:
        rng = random.Random(f"{options.seed}/{language}")
        prose = sentences_of(load_prose()) if language != "core" else ()
        sampler = Sampler(base, gistnet, Teller(tokenizer, "eval", language, prose), rng, 64)
        sampler.fill(options.pool)
        for result in routing(nets, sampler, options.n):
            results.append({"language": language, **result})
            print(json.dumps(results[-1]), flush=True)
    if options.json:
        write_json(
            options.json, {"seed": options.seed, "pages": PAGES, "budgetTokens": BUDGET_TOKENS, "cells": results}
        )


if __name__ == "__main__":
    main()
