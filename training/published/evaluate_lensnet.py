"""Measure a published base's LensNet: how often it finds what people ask for, beside what needs no training.

    python -m training.published.evaluate_lensnet --base FILE.gguf --squad squad.json --tokens 16384 --n 150

SQuAD's paragraphs (never trained on) as histories of that length; one question at the end, asked as the chat asks. A
question counts as found at k where every block that its answer stands in is among the k best; `bm25` is the rank of the
playground's policy of that name, `hybrid` LensNet's score and what `bm25` makes of that rank added. `ahead` is the
difference to LensNet over the same questions, with its interval. The base is not run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.constants import BLOCK_SIZE, LEXICAL_FEATURES
from training.data.layouts import Entry
from training.data.lens_samples import Sample
from training.data.words import HistoryWords, asked_at
from training.files import write_json
from training.models.lensnet import LensParts
from training.options import add_figures, command_line, parser_of
from training.published.base import BaseFileError, OtherBaseError, load_published_base
from training.published.gistnet import PUBLISHED_GISTNET, FrozenBase
from training.published.lens_samples import Sampler
from training.published.lensnet import PLACES, PUBLISHED_LENSNET, GistNetError, load_published_gistnet, ranks_all
from training.published.pieces import Piece, PieceMaker
from training.train.checkpoints import begin, load_lensnet
from training.train.intervals import bootstrap, cell, figure
from training.train.lens_losses import forward

QUESTIONS_EACH = 50
"""Of a history."""


def histories(squad: Path, maker: PieceMaker, tokens: int, rng: random.Random) -> Iterator[Piece]:
    """Endless: a history's paragraphs in random order, the questions about them as its sentences."""
    articles = json.loads(squad.read_text(encoding="utf-8"))["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    while True:
        text, spans, asked = "", [], []
        for paragraph in rng.sample(paragraphs, len(paragraphs)):
            if len(text) > 6 * tokens:
                break
            for question in paragraph["qas"]:
                if question.get("answers"):
                    answer = question["answers"][0]
                    start = len(text) + answer["answer_start"]
                    spans.append((start, start + len(answer["text"])))
                    asked.append(question["question"])
            text += paragraph["context"] + "\n\n"
        order = sorted(range(len(spans)), key=lambda i: spans[i])
        piece = maker.piece(text, [spans[i] for i in order], tokens)
        piece.sentences = [(asked[i], start, end) for i, (_, start, end) in zip(order, piece.sentences, strict=False)]
        yield piece


class Asker(Sampler):
    """Asks a history's questions over a window that holds all of its gists."""

    def ask(self, piece: Piece, question: tuple[str, int, int]) -> Sample | None:
        self.now = question
        self.pieces = [piece]
        return self.try_sample()

    def asked(self, piece: Piece) -> tuple[str, list[tuple[int, int]]]:
        text, start, end = self.now
        return text, [(start, end)]

    def layout(self, length: int, gold: set[int]) -> list[Entry]:
        covered = len(self.pieces[0].tokens)
        gists = [Entry(1, start, start + BLOCK_SIZE) for start in range(0, covered, BLOCK_SIZE)]
        question = [Entry(0, at, min(at + BLOCK_SIZE, length)) for at in range(covered, length, BLOCK_SIZE)]
        return gists + question

    def bm25(self, sample: Sample) -> Tensor:
        """`[E]` the rank by the policy of that name, whatever way LensNet has words compared."""
        stream = sample.stream
        words = HistoryWords(self.vocabulary, stream.tokens.tolist())
        features = words.features(sample.layout, asked_at(stream.roles, stream.length, self.tail_tokens))
        return torch.from_numpy(features)[:, LEXICAL_FEATURES.index("bm25")]


@torch.no_grad()
def scores_of(net, sample: Sample, words: Tensor) -> dict[str, Tensor]:
    """`[E]` by name. `words` is the rank by keyword search."""
    ((logits, scores),) = forward(net, [sample], LensParts())
    return {"lensnet": logits, "bm25": words, "hybrid": (scores + standings(words)).clamp(-1, 1)}


def standings(figures: Tensor) -> Tensor:
    """How far each stands out from the others, as the policy `bm25` scores (`src/core/policies/standing.ts`)."""
    deviation = figures.std(correction=0)
    if deviation < 1e-6:
        return torch.zeros_like(figures)
    return (((figures - figures.mean()) / deviation - 1) / 2).tanh()


def ahead(found: dict[str, list[bool]]) -> dict[str, dict]:
    """How much more often LensNet finds what is asked for than what stands beside it, question by question."""
    differences = {}
    for other in ("bm25", "hybrid"):
        for k in PLACES:
            pairs = np.subtract(found[f"lensnet@{k}"], found[f"{other}@{k}"], dtype=float)
            mean, (low, high) = bootstrap(pairs, np.mean)
            differences[f"{other}@{k}"] = {"ahead": round(mean, 4), "ci95": [round(low, 4), round(high, 4)]}
    return differences


def figures_of(measured: dict, command: str) -> list[dict]:
    """Entries of a manifest: what is found among the first k, and how far LensNet is ahead."""
    place, entries = f"routing.squad.{measured['tokens']}", []
    for name, found in measured["found"].items():
        policy, k = name.split("@")
        entries.append(figure(f"{place}.{policy}.first{k}", found["accuracy"], found["n"], found["ci95"], command))
    n = measured["found"][f"lensnet@{PLACES[0]}"]["n"]
    for name, difference in measured["ahead"].items():
        other, k = name.split("@")
        label = f"{place}.lensnetAheadOf.{other}.first{k}"
        entries.append(figure(label, difference["ahead"], n, difference["ci95"], command))
    return entries


def measure(options: argparse.Namespace) -> dict:
    published = load_published_base(options.base)
    gistnet = load_published_gistnet(options.gistnet, published)
    base = FrozenBase(published, "cpu", torch.bfloat16)
    net, rng = load_lensnet(options.lensnet), random.Random(options.seed)
    maker = PieceMaker(base, gistnet, published.tokenizer)
    asker = Asker(base, gistnet, published.tokenizer, [], rng, net.config.tail_tokens, net.config.word_match)
    found: dict[str, list[bool]] = {}
    count = 0
    for piece in histories(options.squad, maker, options.tokens, rng):
        for question in rng.sample(piece.sentences, min(QUESTIONS_EACH, len(piece.sentences))):
            sample = asker.ask(piece, question)
            if sample is None:
                continue
            count += 1
            for name, values in scores_of(net, sample, asker.bm25(sample)).items():
                for k in PLACES:
                    found.setdefault(f"{name}@{k}", []).append(ranks_all(values, sample, k))
            if count == options.n:
                cells = {name: cell(hits) for name, hits in found.items()}
                return {"tokens": options.tokens, "found": cells, "ahead": ahead(found)}
    raise AssertionError("histories are endless")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--gistnet", type=Path, default=PUBLISHED_GISTNET)
    parser.add_argument("--lensnet", type=Path, default=PUBLISHED_LENSNET)
    parser.add_argument("--squad", type=Path, required=True, help="questions in SQuAD's format")
    parser.add_argument("--tokens", type=int, default=16_384, help="of a history")
    parser.add_argument("--n", type=int, default=150, help="questions in all")
    parser.add_argument("--seed", type=int, default=31)
    add_figures(parser)
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    try:
        measured = measure(options)
        print(json.dumps(measured))
        if options.json:
            write_json(options.json, figures_of(measured, command_line("training.published.evaluate_lensnet")))
    except (BaseFileError, GistNetError, OtherBaseError, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
