"""Train adapters and prompts of H heads on one LensNet, so that together they hold what a question asks for.

    python -m training.train.head_adapters --heads 4 --minutes 10 --seed 0

Base, GistNet and LensNet are frozen. Every head scores the same working contexts. Loss: some head has every entry that
is asked for above the threshold of expansion (`coverage`: what no other head has is worth the most); heads do not want
the same entries where several are asked for (`overlap`); each holds about as many as the next (`balance`); and what is
not asked for keeps the scores that LensNet is trained to. A head has room for `--room` entries, so that heads that all
want the same leave the rest to nobody. The j-th fact of a question is shown to head j, the
cue that heads start from, at first strongly. Checkpoints; `--resume` goes on.
"""

from __future__ import annotations

import argparse
import random

import torch
from torch import Tensor

from training.constants import TAU_EXPAND
from training.data.document_writer import Teller
from training.data.lens_samples import Sample, Sampler
from training.data.tokenizer import load_tokenizer
from training.models.focus_heads import AdaptedLens, HeadAdapters
from training.models.lensnet import LensParts
from training.options import add_language, add_length, add_networks, add_run, parser_of
from training.paths import HEAD_ADAPTERS
from training.train.checkpoints import begin, load_base, load_gistnet, load_lensnet, read_back, save_atomically
from training.train.lens_losses import forward, sample_loss
from training.train.loop import Meter, Progress, descend, peak_groups, set_learning_rate, steps_of, warm_cosine

REPORT_STEPS = 10
SOFTNESS = 0.08
"""Of the threshold: a score so far above it is opened with a probability of 0.73."""


RANK_SOFTNESS = 0.3
"""Of the room: an entry half a place within it is opened with a probability of 0.84."""


def opened(scores: Tensor, candidate: Tensor, room: int = 0) -> Tensor:
    """`[H, E]` probability that an entry with this score is opened.

    That is, above the threshold, and with a `room` above 0 one of the best so many candidates that are.
    """
    above = ((scores - TAU_EXPAND) / SOFTNESS).sigmoid()
    if not room:
        return above
    rivals = above * candidate
    better = ((scores[:, None, :] - scores[:, :, None]) / SOFTNESS).sigmoid() * rivals[:, None, :]
    rank = better.sum(-1) - 0.5 * rivals
    return above * ((room - 0.5 - rank) / RANK_SOFTNESS).sigmoid()


def asked_entries(sample: Sample) -> list[Tensor]:
    """Per fact that is asked for, in the question's order, the unprotected entries that hold it."""
    starts, ends = (torch.tensor([entry[i] for entry in sample.layout]) for i in (1, 2))
    found = [(starts < fact.end) & (fact.start < ends) & sample.candidate for fact in sample.wanted]
    return [entries.nonzero().flatten() for entries in found if entries.any()]


def heads_loss(sample: Sample, scores: Tensor, own_share: float, room: int = 0) -> dict[str, Tensor]:
    """The parts of the loss that several heads have.

    `scores` `[H, E]`; `own_share` of the j-th fact to head j; `room` as `opened` has it.
    """
    wanted = opened(scores, sample.candidate, room)
    facts = asked_entries(sample)
    zero = scores.new_zeros(())
    if not facts:
        return {"coverage": zero, "overlap": zero, "balance": zero, "own": zero}
    # Of a fact that lies in two entries, the worse counts.
    held = torch.stack([wanted[:, entries].amin(1) for entries in facts], dim=1)
    missed = (1 - held).clamp(min=1e-4).prod(0)
    coverage = -(1 - missed).clamp(min=1e-4).log().mean()
    heads, several = len(scores), (len(facts) - 1) / len(facts)
    both = wanted.sum(0).square() - wanted.square().sum(0)
    overlap = several * both[sample.candidate].sum() / ((heads - 1) * wanted[:, sample.candidate].sum() + 1)
    usage = held.sum(1) / (held.sum() + 1e-4)
    balance = several * (heads * usage.square().sum() - 1)
    shown = torch.arange(len(facts)) % heads
    own = -held[shown, torch.arange(len(facts))].clamp(min=1e-4).log().mean() if own_share else zero
    return {"coverage": coverage, "overlap": overlap, "balance": balance, "own": own_share * own}


class Trainer:
    """One run: adapters, sampler, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.rng = options, random.Random(options.seed)
        base, self.lens = load_base(options.base), load_lensnet(options.lensnet)
        gistnet, tokenizer = load_gistnet(base.config, options.gistnet), load_tokenizer()
        self.net = HeadAdapters(self.lens, options.heads, options.rank)
        self.optimizer = torch.optim.AdamW(peak_groups((self.net.parameters(), options.lr)), weight_decay=0.01)
        teller = Teller.for_training(tokenizer, options.language, options.core_share)
        self.sampler = Sampler(base, gistnet, teller, self.rng, self.lens.config.tail_tokens)
        self.progress, self.meter = Progress(options.minutes, options.steps), Meter()
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        if found := read_back(options, self.checkpoint, self.net, self.optimizer, self.rng):
            saved, self.progress = found
            self.sampler.pool = saved["pool"]

    def run(self) -> None:
        options = self.options
        if not self.progress.step:
            self.sampler.fill(options.pool)
            self.progress = Progress(options.minutes, options.steps)
        for share in steps_of(self.progress, self.meter, REPORT_STEPS, options.save_seconds, self.save):
            set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 10, 0.03))
            if self.rng.random() < options.refresh:
                self.sampler.refresh()
            descend(self.loss(self.draw(), max(options.own, 1 - 2 * share)), self.optimizer)

    def draw(self) -> list[Sample]:
        """Half of the samples ask for several things, where the pool has such questions."""
        samples: list[Sample] = []
        while len(samples) < self.options.batch:
            sample = self.sampler.sample(self.rng.choice((2, 4, 4, 8)), self.rng.choice((384, 512)), 0.95)
            is_single = len(sample.wanted) < 2
            if is_single and len(samples) % 2 == 0 and self.rng.random() < 0.8:
                continue
            samples.append(sample)
        return samples

    def loss(self, samples: list[Sample], own_share: float) -> Tensor:
        by_head = [
            forward(AdaptedLens(self.lens, self.net, head), samples, LensParts()) for head in range(self.options.heads)
        ]
        total: Tensor | float = 0.0
        for index, sample in enumerate(samples):
            scores = torch.stack([results[index][1] for results in by_head])
            parts = heads_loss(sample, scores, own_share, self.options.room)
            # What is not asked for: as one LensNet learns it, with every gold entry left out.
            rest = [quiet_loss(sample, *results[index]) for results in by_head]
            regression = torch.stack(rest).mean()
            total = total + sample.weight * (
                parts["coverage"]
                + parts["own"]
                + self.options.diversity * parts["overlap"]
                + self.options.balance * parts["balance"]
            )
            total = total + regression
            if facts := asked_entries(sample):
                held = torch.stack([(scores[:, entries] > TAU_EXPAND).all(1) for entries in facts], 1)
                several = "several" if len(facts) > 1 else "single"
                self.meter.add(**{f"held.{several}": held.any(0).float(), f"heads.{several}": held.float().sum(0)})
            self.meter.add(regression=regression, **{name: value for name, value in parts.items() if facts})
        return total / len(samples)

    def save(self) -> None:
        entries = {"heads": self.net.heads, "rank": self.net.rank, "state_dict": self.net.state_dict()}
        save_atomically(self.options.out, entries)
        state = {"optimizer": self.optimizer.state_dict(), "rng": self.rng.getstate(), **self.progress.state()}
        save_atomically(self.checkpoint, {**entries, **state, "pool": self.sampler.pool})


def quiet_loss(sample: Sample, logits: Tensor, scores: Tensor) -> Tensor:
    """LensNet's regression over what is not asked for: a head owes nothing for facts that others may have."""
    kept = ~sample.gold
    target = torch.where(kept, sample.target, scores.detach())
    _, regression = sample_loss(sample_with(sample, target), logits, scores)
    return regression


def sample_with(sample: Sample, target: Tensor) -> Sample:
    return Sample(**{**vars(sample), "target": target})


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet", "lensnet")
    add_run(parser, HEAD_ADAPTERS, 3e-3)
    add_language(parser)
    add_length(parser, 10)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--room", type=int, default=2, help="entries that a head opens at most; 0: any number")
    parser.add_argument("--pool", type=int, default=60_000, help="tokens of pooled documents")
    parser.add_argument("--refresh", type=float, default=0.25, help="new documents a step")
    parser.add_argument("--diversity", type=float, default=0.3, help="weight of overlap")
    parser.add_argument("--balance", type=float, default=0.5, help="weight of holding as many as the next head")
    parser.add_argument("--own", type=float, default=0.3, help="what the weight of the j-th fact to head j fades to")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    Trainer(options).run()


if __name__ == "__main__":
    main()
