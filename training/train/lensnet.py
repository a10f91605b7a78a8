"""Train LensNet on labelled working contexts over pooled documents, base and GistNet frozen.

    python -m training.train.lensnet --minutes 20 --seed 0 --lr 1.5e-3

Loss per sample: cross-entropy of the gold entries over all unprotected ones (logits, sharpened), which
finds the routing, and regression of the tanh scores, which puts them on the allocator's scale. Two
helps lead past the plateau that routing alone sits on for long: the tail queries' attention is shown
the question's keys, and the matching vectors are distilled from GistNet's routing probe. Both fade, but not
to nothing: without them LensNet learns its pool by heart and forgets what carries over.
Histories grow from 1 page of 1,024 tokens to 24 in the first half. Checkpoints; `--resume` goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import LENS_VARIANTS
from training.data.document_writer import Teller
from training.data.lens_samples import Sample, Sampler
from training.data.tokenizer import load_tokenizer
from training.models.features import LEXICAL
from training.models.lens_variants import create_lensnet
from training.models.lensnet import LensConfig, LensParts
from training.options import add_language, add_length, add_networks, add_run, parser_of
from training.paths import LENSNET
from training.train.checkpoints import (
    begin,
    entries_of,
    load_base,
    load_gistnet,
    load_probes,
    read_back,
    save_atomically,
    start_from,
)
from training.train.lens_gains import measure_gains
from training.train.lens_losses import (
    forward,
    help_loss,
    key_attention,
    outcome,
    rank_correlation,
    sample_loss,
    transplant,
)
from training.train.loop import Meter, Progress, descend, peak_groups, set_learning_rate, steps_of, warm_cosine

REPORT_STEPS = 50


class Trainer:
    """One run: network, sampler, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.rng = options, random.Random(options.seed)
        base = load_base(options.base)
        gistnet, tokenizer = load_gistnet(base.config, options.gistnet), load_tokenizer()
        config = LensConfig(
            base.config.hidden_size,
            options.width,
            options.heads,
            options.queries,
            options.tail,
            base.config.rms_norm_eps,
            variant=options.variant,
            tail_gists=not options.mean_tail,
            lexical_features=0 if options.no_words else LEXICAL,
        )
        self.net = create_lensnet(config)
        self.probes = load_probes(base, tokenizer, options.gistnet)
        transplant(self.net, self.probes)
        if options.start:
            start_from(self.net, options.start)
        groups = peak_groups((self.net.parameters(), options.lr))
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
        self.sampler = Sampler(
            base, gistnet, Teller.for_training(tokenizer, options.language, options.core_share), self.rng, options.tail
        )
        self.progress, self.meter = Progress(options.minutes, options.steps), Meter()
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        if found := read_back(options, self.checkpoint, self.net, self.optimizer, self.rng):
            saved, self.progress = found
            self.sampler.pool, self.sampler.far_pool = saved["pools"]

    def draw(self, progress: float) -> Sample:
        """A sample of the curriculum: longer histories and wider budgets as training proceeds."""
        rng = self.rng
        if self.options.start:
            progress = 1.0
        longest = 1 + round(23 * min(1.0, max(0.0, (progress - 0.15) / 0.35)))
        pages = min(longest, int(2 ** (rng.random() * 4.7)))
        if longest == 24 and self.sampler.far_pool and rng.random() < self.options.far_share:
            pages = rng.randint(40, 128)
        budget = 384 if longest < 3 else rng.choice((448, 512, 768, 1024))
        return self.sampler.sample(pages, budget, 0.95 if longest < 3 else 0.85)

    def run(self) -> None:
        options = self.options
        if not self.progress.step:
            self.prepare()
        for share in steps_of(self.progress, self.meter, REPORT_STEPS, options.save_seconds, self.save):
            set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 50, 0.03))
            if self.rng.random() < options.refresh:
                self.sampler.refresh()
            descend(self.loss([self.draw(share) for _ in range(options.batch)], share), self.optimizer)

    def prepare(self) -> None:
        """Fill the pools; without weights to start from, teach the queries first."""
        options, began = self.options, time.monotonic()
        self.sampler.fill(options.pool)
        if options.far_share:
            self.sampler.fill_far(options.pool // 2)
        print(f"pool of {options.pool} tokens in {time.monotonic() - began:.0f} s", flush=True)
        if not options.start:
            self.learn_queries(options.query_steps)
        self.progress = Progress(options.minutes, options.steps)

    def learn_queries(self, steps: int, batch: int = 64) -> None:
        """Teach the tail's side alone, on cheap batches: questions must point where the probe's queries do."""
        net, began, meter = self.net, time.monotonic(), Meter()
        groups = peak_groups((net.parameters(), 2e-3))
        optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
        for step in range(steps):
            set_learning_rate(optimizer, min(1, (step + 1) / 50) * (1 - 0.9 * step / steps))
            tails, keys, statements, slots = self.sampler.questions(batch)
            parts = LensParts()
            net(slots, slots, torch.zeros(*slots.shape[:2], net.config.features), tails, parts=parts)
            index = torch.arange(batch)
            attention = key_attention(parts.tail_attention, list(range(batch)), keys[:, 0], keys[:, 1])
            wanted = F.normalize(self.probes.queries([statement.key for statement in statements]), dim=-1)
            cosines = torch.einsum("bqw,cw->bqc", F.normalize(parts.match_q, dim=-1), wanted).amax(1)
            loss = F.cross_entropy(12 * cosines, index) + 1 - cosines.diagonal().mean() + 0.3 * attention
            descend(loss, optimizer)
            top1 = cosines.argmax(-1) == index
            meter.add(attention=attention, cosine=cosines.diagonal(), top1=top1)
            if (step + 1) % REPORT_STEPS == 0:
                place = {"queries": step + 1, "seconds": round(time.monotonic() - began)}
                print(json.dumps({**place, **meter.read()}), flush=True)

    def read(self, samples: list[Sample], parts: LensParts) -> list[tuple[Tensor, Tensor]]:
        """Per sample, its entries' logits and scores."""
        return forward(self.net, samples, parts)

    def loss(self, samples: list[Sample], progress: float) -> Tensor:
        parts, total = LensParts(), 0.0
        for sample, (logits, scores) in zip(samples, self.read(samples, parts), strict=True):
            routing, regression = sample_loss(sample, logits, scores)
            total = total + sample.weight * (self.options.routing * routing + regression)
            if self.options.gains and self.rng.random() < self.options.gains:
                total = total + self.gain_loss(sample, logits, scores)
            with torch.no_grad():
                self.meter.add(**outcome(sample, logits, scores), regression=regression)
                if sample.gold.any():
                    self.meter.add(ce=routing)
        return total / len(samples) + self.helps(samples, parts, progress)

    def helps(self, samples: list[Sample], parts: LensParts, progress: float) -> Tensor | float:
        """What leads past the plateau, weighted as it fades."""
        attention, distance = help_loss(samples, parts, self.probes)
        self.meter.add(attention=attention, distance=distance)
        fade = self.options.help if self.options.start else max(self.options.help, 1 - 1.5 * progress)
        return fade * (0.3 * attention + distance)

    def gain_loss(self, sample: Sample, logits: Tensor, scores: Tensor) -> Tensor:
        """Regression to measured gains, and their ranking by pairs that differ clearly."""
        found = measure_gains(self.sampler.base, sample, scores.detach(), 10, self.rng)
        if found is None:
            return logits.new_zeros(())
        predicted, ranked = scores[found.entry], logits[found.entry]
        regression = F.smooth_l1_loss(predicted, found.target, beta=0.2)
        better = found.target[:, None] - found.target[None] > 0.1
        ranking = F.softplus(-4 * (ranked[:, None] - ranked[None]))[better]
        spearman = rank_correlation(predicted.detach(), found.target)
        self.meter.add(gainRegression=regression, gainSpearman=spearman)
        return 2 * regression + (0.5 * ranking.mean() if better.any() else 0)

    def save(self) -> None:
        save_atomically(self.options.out, entries_of(self.net))
        state = {"optimizer": self.optimizer.state_dict(), "rng": self.rng.getstate(), **self.progress.state()}
        pools = (self.sampler.pool, self.sampler.far_pool)
        save_atomically(self.checkpoint, entries_of(self.net, **state, pools=pools))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    add_run(parser, LENSNET, 1.5e-3)
    add_language(parser)
    add_length(parser, 20)
    parser.add_argument("--from", dest="start", type=Path, help="start from these weights, without the curriculum")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pool", type=int, default=600_000, help="tokens of pooled documents")
    parser.add_argument("--refresh", type=float, default=0.25, help="new documents a step")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--tail", type=int, default=64)
    parser.add_argument("--variant", choices=LENS_VARIANTS, default=LENS_VARIANTS[0])
    parser.add_argument("--no-words", action="store_true", help="without the lexical features")
    parser.add_argument("--mean-tail", action="store_true", help="ablation: the mean tail asks, without tail gists")
    parser.add_argument("--far-share", type=float, default=0.12, help="samples of 40 to 128 pages with few facts")
    parser.add_argument("--help-weight", dest="help", type=float, default=0.5, help="what the two helps fade to")
    parser.add_argument("--gains", type=float, default=0.0, help="share of samples with measured counterfactual gains")
    parser.add_argument("--query-steps", type=int, default=500, help="steps on questions alone, before")
    parser.add_argument("--routing", type=float, default=0.5, help="weight of the routing cross-entropy")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    Trainer(options).run()


if __name__ == "__main__":
    main()
