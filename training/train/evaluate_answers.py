"""Whole answers of the base inside its window, by the language's forms and by the kind of question.

    python -m training.train.evaluate_answers --checkpoint training/.cache/base.pt --n 200 --json answers.json

An answer counts as spoken when greedy decoding from "Answer:" says the reference word for word and stops
there. Greedy decoding does so exactly where each of the reference's tokens, the line break included, is the
first choice after those before it, so that one pass over a document measures all of its questions. It counts
as recalled when the values alone are first choices (teacher-forced, a diagnostic).

Combinations are held out (`split="eval"`). Documents told in held-out forms state and ask in those alone.
Single questions count with three or more candidates only, and apart by where the value stands: `near` after
both keys and within reach of layer 0's heads, `far` after both keys, `before` one or both.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from training.data.document_writer import Teller
from training.data.documents import Document, Question
from training.data.prose import load_prose, sentences_of
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.llama import Llama
from training.options import parser_of
from training.train.base_loss import POSITIONAL_REACH
from training.train.checkpoints import begin, load_base
from training.train.intervals import cell
from training.world.forms import LANGUAGES

MAX_DOCUMENTS = 4
"""A question that is asked for, at most."""


def cell_name(document: Document, question: Question) -> str | None:
    """The cell that a question belongs to; None where one candidate out of a few is right by chance."""
    if question.kind != "single":
        return question.kind
    if question.candidates < 3:
        return None
    fact = document.facts[question.facts[0]]
    if fact.told_end > fact.value_end:
        return "single, value before"
    near = fact.value_start - fact.told_start <= POSITIONAL_REACH
    return "single, value near" if near else "single, value far"


def judged(first: Tensor, tokens: Tensor, question: Question, line_break: int) -> tuple[bool, bool] | None:
    """(spoken, recalled) of an answer, from the first choices `[T]` for each token; None if it is cut off."""
    stops = (tokens[question.value_end :] == line_break).nonzero()
    if not len(stops):
        return None
    end = question.value_end + int(stops[0]) + 1
    right = first == tokens
    recalled = all(bool(right[value.start : value.end].all()) for value in question.values)
    return bool(right[question.answer_start : end].all()), recalled


@torch.no_grad()
def answers(model: Llama, teller: Teller, length: int, wanted: int, seed: int) -> Iterator[dict]:
    """Cells of one language: documents are drawn until `wanted` single questions have been asked."""
    rng = random.Random(f"{seed}/{teller.language}/{length}")
    line_break = teller.tokenizer.encode("\n").ids[0]
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for _ in range(MAX_DOCUMENTS * wanted):
        document = teller.document(rng, length, fact_rate=0.25, question_rate=0.2, special_share=0.6)
        tokens = torch.from_numpy(document.tokens).long()
        logits = model(model.embed(tokens[None]), torch.arange(length)[None])[0]
        first = torch.cat([tokens[:1], logits[:-1].argmax(-1)])
        for question in document.questions:
            name = cell_name(document, question)
            if name and (outcome := judged(first, tokens, question, line_break)):
                found[name].append(outcome)
                if question.kind == "single":
                    found["single"].append(outcome)
        if len(found["single"]) >= wanted:
            break
    for name, outcomes in sorted(found.items()):
        spoken, recalled = (cell([outcome[index] for outcome in outcomes]) for index in (0, 1))
        yield {"language": teller.language, "kind": name, "tokens": length, "spoken": spoken, "recalled": recalled}


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--n", type=int, default=200, help="single questions with ≥ 3 candidates a language")
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=LANGUAGES)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    begin(options.seed)
    model, tokenizer, results = load_base(options.checkpoint), load_tokenizer(), []
    for language in options.languages:
        prose = sentences_of(load_prose()) if language != "core" else ()
        teller = Teller(tokenizer, "eval", language, prose)
        for result in answers(model, teller, options.length, options.n, options.seed):
            results.append(result)
            print(json.dumps(result), flush=True)
    if options.json:
        write_json(options.json, {"checkpoint": options.checkpoint.name, "seed": options.seed, "cells": results})


if __name__ == "__main__":
    main()
