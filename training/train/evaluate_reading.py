"""What the base reads of a working context: by what stands for gists, by how much else is open, by neighbours.

    python -m training.train.evaluate_reading --n 150 --json reading.json

One question a history of eight pages, the block of its fact raw. In every condition the same questions: gists enter
as their vectors, as the rarest token of their span, or not at all; so many other blocks stand raw, half of them with
facts of the same relation; the fact's block stands alone or between its neighbours. Counted are answers that the base
says word for word, to the line break, as it would decode them greedily. Combinations are held out (`split="eval"`).
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE, LOD1_WINDOW_TOKENS, RECENT_TOKENS
from training.data.document_writer import Teller
from training.data.encoder import ANSWER_PREFIX, QUESTION_PREFIX
from training.data.layouts import Entry, expand_at, recency_layout
from training.data.lens_questions import Placed, Told
from training.data.lens_samples import Sampler
from training.data.prose import load_prose, sentences_of
from training.data.streams import Stream
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.llama import Llama
from training.options import add_networks, parser_of
from training.train.checkpoints import begin, load_base, load_gistnet
from training.train.intervals import cell
from training.world.forms import LANGUAGES
from training.world.questions import ask_single

PAGES = 8
GIST_INPUTS = ("vector", "keyword", "none")
OPENED = (0, 4, 8, 16)


@dataclass(frozen=True)
class Condition:
    gist_input: str
    opened: int
    """Raw blocks beside that of the fact, and beside the recent ones."""
    neighbours: int


CONDITIONS = [Condition(gist_input, opened, 0) for gist_input in GIST_INPUTS for opened in OPENED] + [
    Condition("vector", opened, 1) for opened in OPENED
]


def layout_of(stream: Stream, told: Told, fact: Placed, condition: Condition, rng: random.Random) -> list[Entry]:
    """By recency, with the fact's blocks, their neighbours and so many others raw."""
    length = stream.length
    layout = recency_layout(length, RECENT_TOKENS, LOD1_WINDOW_TOKENS)
    first, last = fact.start // BLOCK_SIZE, (fact.end - 1) // BLOCK_SIZE
    blocks = range(max(0, first - condition.neighbours), last + condition.neighbours + 1)
    recent = next(entry.start for entry in layout if entry.lod == 0) // BLOCK_SIZE
    alike = {other.start // BLOCK_SIZE for other in told.facts if other.statement.relation == fact.statement.relation}
    alike = [block for block in sorted(alike) if block < recent and block not in blocks]
    others = [block for block in range(recent) if block not in blocks and block not in alike]
    wanted = rng.sample(alike, min(len(alike), condition.opened // 2))
    wanted += rng.sample(others, condition.opened - len(wanted))
    for block in (*blocks, *wanted):
        if block * BLOCK_SIZE < length:
            expand_at(layout, block * BLOCK_SIZE, 0)
    return layout


def read_as(stream: Stream, layout: list[Entry], base: Llama, gist_input: str) -> tuple[Tensor, Tensor]:
    """Embeddings `[N, d]` and positions `[N]` of what the base is sent."""
    parts, positions = [], []
    for entry in layout:
        if entry.lod == 0:
            parts.append(base.embed(stream.tokens[entry.start : entry.end]))
            positions += range(entry.start, entry.end)
        elif gist_input != "none":
            keyword = base.embed(stream.tokens[entry.start : entry.end].max())
            parts.append((stream.gist(entry) if gist_input == "vector" else keyword)[None])
            positions.append(entry.start + (entry.end - entry.start) / 2)
    return torch.cat(parts), torch.tensor(positions, dtype=torch.float64)


@torch.no_grad()
def says(base: Llama, context: tuple[Tensor, Tensor], length: int, prompt: list[int], answer: list[int]) -> bool:
    """Whether the base answers so, greedily and word for word, behind a history of `length` tokens and the prompt."""
    said = torch.tensor(prompt + answer[:-1])
    embeds = torch.cat([context[0], base.embed(said)])
    positions = torch.cat([context[1], length + torch.arange(len(said)).double()])
    hidden, _ = base.hidden_states(embeds[None], positions[None])
    return base.logits(hidden[0, -len(answer) :]).argmax(-1).tolist() == answer


def reading(base: Llama, sampler: Sampler, wanted: int, rng: random.Random) -> list[dict]:
    """A cell a condition, the same questions in all of them."""
    found: dict[Condition, list[bool]] = defaultdict(list)
    encode = sampler.encode
    for _ in range(wanted):
        facts: list[Placed] = []
        while not facts:
            stream, told = sampler.history(PAGES)
            facts = [fact for fact in told.facts if fact.end <= stream.length - 2 * RECENT_TOKENS]
        fact = rng.choice(facts)
        asked = ask_single(fact.statement, rng)
        prompt, answer = encode(QUESTION_PREFIX + asked.text + ANSWER_PREFIX), encode(asked.answer + "\n")
        seed = rng.random()
        for condition in CONDITIONS:
            layout = layout_of(stream, told, fact, condition, random.Random(seed))
            context = read_as(stream, layout, base, condition.gist_input)
            found[condition].append(says(base, context, stream.length, prompt, answer))
    return [{**vars(condition), **cell(hits)} for condition, hits in found.items()]


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    parser.add_argument("--n", type=int, default=150, help="questions a language")
    parser.add_argument("--pool", type=int, default=100_000, help="tokens of documents a language")
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=["core"])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    begin(options.seed)
    base, tokenizer, results = load_base(options.base), load_tokenizer(), []
    gistnet = load_gistnet(base.config, options.gistnet)
    for language in options.languages:
        rng = random.Random(f"{options.seed}/{language}")
        prose = sentences_of(load_prose()) if language != "core" else ()
        sampler = Sampler(base, gistnet, Teller(tokenizer, "eval", language, prose), rng, 64)
        sampler.fill(options.pool)
        for result in reading(base, sampler, options.n, rng):
            results.append({"language": language, **result})
            print(json.dumps(results[-1]), flush=True)
    if options.json:
        write_json(options.json, {"seed": options.seed, "pages": PAGES, "cells": results})


if __name__ == "__main__":
    main()
