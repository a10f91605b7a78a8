"""Recall of the base inside its window, on combinations never seen in training, and NLL on filler.

    python -m training.train.evaluate_base --checkpoint training/.cache/base.pt --json base-figures.json

A question counts as answered when every value token is the greedy choice after "Answer:" and the
restated clause (teacher forced); `generated` cells decode the whole answer sentence greedily.
Figures with three or more candidates (facts of the same relation with other keys) are the ones to
read: one candidate out of a few is right by chance.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from training.data.document_writer import make_document
from training.data.documents import Document
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.llama import Llama
from training.options import parser_of
from training.train.checkpoints import begin, load_base
from training.train.intervals import cell

OFFSETS = (0, 10_000, 100_000, 1_000_000)
CASTS = {"any": None, "wide": 32, "tight": 4}
"""Words of each kind that a document's facts share: the tighter, the more alike the facts."""


def evaluation_document(rng: random.Random, length: int, tokenizer: Tokenizer, cast_size: int | None) -> Document:
    rates = {"fact_rate": 0.25, "question_rate": 0.2}
    return make_document(rng, length, **rates, split="eval", tokenizer=tokenizer, cast_size=cast_size)


@torch.no_grad()
def logits_at(model: Llama, tokens: np.ndarray, offset: int, gap_at: int = 0, gap: int = 0) -> Tensor:
    """`[T, V]` for one document that begins at `offset`, with a jump of `gap` before token `gap_at`."""
    inputs = torch.from_numpy(tokens).long()[None]
    positions = torch.arange(inputs.shape[1])[None] + offset
    if gap:
        positions[:, gap_at:] += gap
    return model(model.embed(inputs), positions)[0]


def answered(logits: Tensor, document: Document, question_index: int) -> bool:
    question = document.questions[question_index]
    span = range(question.value_start, question.value_end)
    return all(int(logits[at - 1].argmax()) == int(document.tokens[at]) for at in span)


def recall_cells(
    model: Llama, tokenizer: Tokenizer, length: int, offset: int, cast: str, wanted: int, seed: int
) -> Iterator[dict]:
    """Recall over all questions, and over those with ≥ 3 candidates, until `wanted` of the latter."""
    rng = random.Random(f"{seed}/{length}/{cast}")
    hits: dict[str, list[bool]] = defaultdict(list)
    while len(hits["atLeast3"]) < wanted:
        document = evaluation_document(rng, length, tokenizer, CASTS[cast])
        logits = logits_at(model, document.tokens, offset)
        for index, question in enumerate(document.questions):
            hit = answered(logits, document, index)
            hits["all"].append(hit)
            if question.candidates >= 3:
                hits["atLeast3"].append(hit)
    for candidates in ("all", "atLeast3"):
        names = {"task": "recall", "tokens": length, "offset": offset, "cast": cast, "candidates": candidates}
        yield {**names, **cell(hits[candidates])}


def far_cell(model: Llama, tokenizer: Tokenizer, length: int, gap: int, wanted: int, seed: int) -> dict:
    """Recall with ≥ 3 candidates when `gap` positions are skipped right before the question."""
    rng = random.Random(f"{seed}/{length}/gap")
    hits: list[bool] = []
    while len(hits) < wanted:
        document = evaluation_document(rng, length, tokenizer, None)
        late = [index for index, question in enumerate(document.questions) if question.candidates >= 3]
        if late:
            question = document.questions[late[-1]]
            tokens = document.tokens[: question.value_end]
            hits.append(answered(logits_at(model, tokens, 0, question.start, gap), document, late[-1]))
    return {"task": "recallAcrossGap", "tokens": length, "gap": gap, "candidates": "atLeast3", **cell(hits)}


def generated_cell(model: Llama, tokenizer: Tokenizer, length: int, wanted: int, seed: int) -> dict:
    """Greedy decoding of the whole answer after "Answer:"; right when it equals the answer sentence."""
    rng = random.Random(f"{seed}/{length}/generated")
    hits: list[bool] = []
    while len(hits) < wanted:
        document = evaluation_document(rng, length, tokenizer, None)
        late = [question for question in document.questions if question.candidates >= 3]
        if not late:
            continue
        question = late[-1]
        tokens = document.tokens[: question.answer_start]
        for _ in range(question.value_end - question.answer_start):
            tokens = np.append(tokens, np.int32(int(logits_at(model, tokens, 0)[-1].argmax())))
        hits.append(tokens.tolist() == document.tokens[: question.value_end].tolist())
    return {"task": "generatedAnswer", "tokens": length, "candidates": "atLeast3", **cell(hits)}


def filler_nll(model: Llama, tokenizer: Tokenizer, length: int, documents: int, seed: int) -> dict:
    """Mean NLL (nats a token) on documents without facts or questions."""
    rng = random.Random(f"{seed}/filler")
    means = []
    for _ in range(documents):
        rates = {"fact_rate": 0.0, "question_rate": 0.0}
        document = make_document(rng, length, **rates, split="eval", tokenizer=tokenizer)
        logits = logits_at(model, document.tokens, 0)[:-1]
        means.append(F.cross_entropy(logits, torch.from_numpy(document.tokens[1:]).long()).item())
    half = 1.96 * float(np.std(means, ddof=1)) / math.sqrt(documents)
    mean = float(np.mean(means))
    interval = [round(mean - half, 4), round(mean + half, 4)]
    return {"task": "fillerNll", "tokens": length, "n": documents, "nll": round(mean, 4), "ci95": interval}


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--n", type=int, default=300, help="questions with ≥ 3 candidates in a cell")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="only recall at 512 and 1,024 tokens, offset 0")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def cells(model: Llama, tokenizer: Tokenizer, options: argparse.Namespace) -> Iterator[dict]:
    n, seed = options.n, options.seed
    for length in (512, 1024):
        yield from recall_cells(model, tokenizer, length, 0, "any", n, seed)
    if options.quick:
        return
    for offset in OFFSETS[1:]:
        yield from recall_cells(model, tokenizer, 512, offset, "any", n, seed)
    for cast in ("wide", "tight"):
        yield from recall_cells(model, tokenizer, 512, 0, cast, n, seed)
    for gap in (1_000, 10_000, 100_000, 1_000_000):
        yield far_cell(model, tokenizer, 512, gap, n // 2, seed)
    yield generated_cell(model, tokenizer, 512, n // 3, seed)
    yield filler_nll(model, tokenizer, 512, 40, seed)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    model, tokenizer = load_base(options.checkpoint), load_tokenizer()
    results = []
    for result in cells(model, tokenizer, options):
        results.append(result)
        print(json.dumps(result), flush=True)
    if options.json:
        report = {"checkpoint": options.checkpoint.name, "seed": options.seed, "cells": results}
        write_json(options.json, report)


if __name__ == "__main__":
    main()
