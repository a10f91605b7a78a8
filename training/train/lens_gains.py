"""Measured counterfactual gains: what each move would do to the base's reading of what comes next.

f(S) is the mean NLL, nats a token, of the answer given working context S. The gain of an expansion is
f(S) − f(S with it); the worth of a raw block is f(S with it collapsed) − f(S). One level finer than LOD1 is
still a gist and hardly helps by itself, so a page's gain is that of opening it down to one raw block: the one
that holds what is asked for, or else any.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import BLOCK_SIZE, SCORE_PRICES, SCORE_SLOPE
from training.data.layouts import Entry, expand_at
from training.data.lens_samples import Sample
from training.data.slots import context_embeds
from training.models.llama import Llama


@dataclass
class Gains:
    """Measured moves of one sample."""

    entry: Tensor
    """`[M]` index of the entry that moves."""
    gain: Tensor
    """`[M]` nats a token."""
    target: Tensor
    """`[M]` the score that the entry should get."""


def moved(sample: Sample, index: int, rng: random.Random) -> list[Entry]:
    """The layout after the entry's move: opened down to raw tokens, or collapsed."""
    entry, layout = sample.layout[index], list(sample.layout)
    if entry.lod == 0:
        layout[index] = Entry(1, entry.start, entry.end)
        return layout
    inside = [fact for fact in sample.wanted if entry.start <= fact.start < entry.end]
    if entry.lod == 1 or not inside:
        place = entry.start if entry.lod == 1 else rng.randrange(entry.start, entry.end, BLOCK_SIZE)
        expand_at(layout, place, 0)
        return layout
    for place in {fact.start // BLOCK_SIZE for fact in inside} | {(fact.end - 1) // BLOCK_SIZE for fact in inside}:
        expand_at(layout, min(max(place * BLOCK_SIZE, entry.start), entry.end - 1), 0)
    return layout


def choose_moves(sample: Sample, scores: Tensor, count: int, rng: random.Random) -> list[int]:
    """What is asked for, hard negatives (the best-scored others), and some at random."""
    open_to_move = [
        index
        for index, entry in enumerate(sample.layout)
        if sample.candidate[index] and (entry.lod or entry.end - entry.start == BLOCK_SIZE)
    ]
    gold = [index for index in open_to_move if sample.gold[index]]
    rest = sorted((index for index in open_to_move if not sample.gold[index]), key=lambda index: -float(scores[index]))
    hard = rest[: max(1, (count - len(gold)) // 2)]
    others = rest[len(hard) :]
    return (gold + hard + rng.sample(others, min(len(others), max(0, count - len(gold) - len(hard)))))[:count]


@torch.no_grad()
def answer_nll(base: Llama, sample: Sample, layouts: list[list[Entry]], limit: int = 24) -> Tensor:
    """`[n]` mean NLL of the answer's first tokens behind each layout; one padded batch."""
    answer = torch.tensor(sample.answer[:limit])
    after = base.embed(answer[:-1])
    places = torch.arange(len(after)).double() + sample.stream.length
    rows = []
    for layout in layouts:
        embeds, positions = context_embeds(sample.stream, layout, base)
        rows.append((torch.cat([embeds, after]), torch.cat([positions, places])))
    longest = max(len(embeds) for embeds, _ in rows)
    batch = torch.stack([F.pad(embeds, (0, 0, 0, longest - len(embeds))) for embeds, _ in rows])
    positions = torch.stack([F.pad(p, (0, longest - len(p))) for _, p in rows])
    hidden, _ = base.hidden_states(batch, positions)
    ends = torch.tensor([len(embeds) for embeds, _ in rows])[:, None] - len(answer) + torch.arange(len(answer))
    logits = base.logits(hidden[torch.arange(len(rows))[:, None], ends])
    return F.cross_entropy(logits.transpose(1, 2), answer.expand(len(rows), -1), reduction="none").mean(1)


def measure_gains(base: Llama, sample: Sample, scores: Tensor, count: int, rng: random.Random) -> Gains | None:
    """Measure some moves of a sample whose answer is known; None if it has none.

    Args:
        scores: `[E]` LensNet's, which pick the hard negatives.
    """
    if len(sample.answer) < 2:
        return None
    indices = choose_moves(sample, scores, count, rng)
    if not indices:
        return None
    nll = answer_nll(base, sample, [sample.layout, *(moved(sample, index, rng) for index in indices)])
    raw = torch.tensor([sample.layout[index].lod == 0 for index in indices])
    change = nll[0] - nll[1:]
    gain = torch.where(raw, -change, change)
    price = torch.tensor([SCORE_PRICES["raw" if is_raw else "gist"] for is_raw in raw.tolist()])
    return Gains(torch.tensor(indices), gain, (SCORE_SLOPE * gain - price).tanh())
