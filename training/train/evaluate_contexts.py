"""Whole answers of the base in working contexts, as the allocator shows a history: raw blocks among gists.

    python -m training.train.evaluate_contexts --base training/.cache/base.pt --rows 60 --json contexts.json

`train.evaluate_answers` asks inside a whole document; here what is asked for stands in a few raw blocks, cut where
blocks end, among others and gists (`data/context_rows.py`), and a share of the questions asks for what is not in sight.
An answer counts as spoken as there: word for word, to its stop. Combinations are held out. The same seed and GistNet
draw the same contexts for every base with the same embeddings.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

import torch

from training.data.context_rows import ContextRow, ContextRows
from training.data.document_writer import Teller
from training.data.prose import load_prose, sentences_of
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.llama import Llama
from training.options import add_networks, parser_of
from training.train.base_loss import Batch
from training.train.checkpoints import begin, load_base, load_gistnet
from training.train.evaluate_answers import judged
from training.train.intervals import cell
from training.world.forms import LANGUAGES

Outcomes = dict[str, list[tuple[bool, bool]]]


@torch.no_grad()
def first_choices(base: Llama, row: ContextRow) -> torch.Tensor:
    """`[N + 1]` the base's first choice for each slot, after what stands before it; the first slot's own token."""
    tokens = torch.from_numpy(row.document.tokens).long()
    batch = Batch.of_contexts([row])
    logits = base(batch.embeds(base, tokens[None, :-1]), batch.positions)[0]
    return torch.cat([tokens[:1], logits.argmax(-1)])


def answers(base: Llama, rows: ContextRows, count: int, slots: int, line_break: int) -> Outcomes:
    """(spoken, recalled) of every question of `count` contexts, by kind."""
    found: Outcomes = defaultdict(list)
    for _ in range(count):
        row = rows.row(slots)
        first, tokens = first_choices(base, row), torch.from_numpy(row.document.tokens).long()
        for question in row.document.questions:
            if outcome := judged(first, tokens, question, line_break):
                found[question.kind].append(outcome)
    return found


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    parser.add_argument("--rows", type=int, default=60, help="working contexts a language")
    parser.add_argument("--slots", type=int, default=1024)
    parser.add_argument("--pool", type=int, default=90_000, help="tokens of documents that histories consist of")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    begin(options.seed)
    base, tokenizer, results = load_base(options.base), load_tokenizer(), []
    net, line_break = load_gistnet(base.config, options.gistnet), tokenizer.encode("\n").ids[0]
    for language in options.languages:
        prose = sentences_of(load_prose()) if language != "core" else ()
        rows = ContextRows(base, net, Teller(tokenizer, "eval", language, prose), random.Random(options.seed))
        rows.fill(options.pool)
        for kind, outcomes in sorted(answers(base, rows, options.rows, options.slots, line_break).items()):
            spoken, recalled = (cell([outcome[index] for outcome in outcomes]) for index in (0, 1))
            results.append({"language": language, "kind": kind, "spoken": spoken, "recalled": recalled})
            print(json.dumps(results[-1]), flush=True)
    if options.json:
        write_json(options.json, {"checkpoint": options.base.name, "seed": options.seed, "cells": results})


if __name__ == "__main__":
    main()
