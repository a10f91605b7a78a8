"""Train LensNet on labelled working contexts over pooled documents, base and GistNet frozen.

    python training/train_lensnet.py --minutes 20 --seed 0 --lr 1.5e-3

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
import math
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import (
    BASE,
    GISTNET,
    LENSNET,
    entries_of,
    load_base,
    load_gistnet,
    load_probes,
    save_atomically,
)
from gist_losses import Probes
from lens_gains import measure_gains
from lens_samples import Sample, Sampler
from lens_variants import Lens, create_lensnet
from lensnet import FEATURES, VARIANTS, LensConfig, LensParts
from streams import entry_means
from tokenizer import load_tokenizer

SHARPNESS = 8.0
TAU = 0.2


def forward(net: Lens, samples: list[Sample], parts: LensParts) -> list[tuple[Tensor, Tensor]]:
    """Per sample, the entries' mean logits and mean scores; one padded batch."""
    slots = max(len(sample.slots.own) for sample in samples)
    tails = max(len(sample.tail) for sample in samples)

    def padded(name: str) -> Tensor:
        return torch.stack([F.pad(t := getattr(s.slots, name), (0, 0, 0, slots - len(t))) for s in samples])

    slot_mask = torch.stack([torch.arange(slots) < len(sample.slots.own) for sample in samples])
    tail = torch.stack([F.pad(sample.tail, (0, 0, tails - len(sample.tail), 0)) for sample in samples])
    tail_mask = torch.stack([torch.arange(tails) >= tails - len(sample.tail) for sample in samples])
    logits = net(padded("own"), padded("block"), padded("feats"), tail, slot_mask, tail_mask, parts)
    results = []
    for row, sample in zip(logits, samples, strict=True):
        values, count = row[: len(sample.slots.entry)], len(sample.layout)
        entry = sample.slots.entry
        results.append((entry_means(values, entry, count), entry_means(values.tanh(), entry, count)))
    return results


def key_attention(attention: Tensor | None, rows: list[int], first: Tensor, second: Tensor) -> Tensor:
    """−log attention `[B, Q, m]` of the first three tail queries on the keys; zero without tail gists."""
    if attention is None:
        return torch.zeros(())
    mass, index = (attention[rows] + 1e-6).log(), torch.arange(len(rows))
    both = 0.5 * (mass[index, 2, first] + mass[index, 2, second])
    return -(mass[index, 0, first] + mass[index, 1, second] + both).mean() / 3


def help_loss(samples: list[Sample], parts: LensParts, probes: Probes) -> tuple[Tensor, Tensor]:
    """(tail attention on the keys, distance to the routing probe) over samples whose keys were said.

    Query 0 is shown the first key, query 1 the second, query 2 both. Some tail gist's matching vector
    should point where the probe's fact query points, and a slot's where the probe puts its gist.
    """
    rows = [row for row, sample in enumerate(samples) if sample.keys]
    if not rows:
        return parts.match_q.new_zeros(()), parts.match_q.new_zeros(())
    longest = max(len(sample.tail) for sample in samples)
    shift = torch.tensor([longest - len(samples[row].tail) for row in rows])
    first, second = (torch.tensor([samples[row].keys[i] for row in rows]) + shift for i in (0, 1))
    attention = key_attention(parts.tail_attention, rows, first, second)
    statements = [samples[row].statement for row in rows]
    wanted = F.normalize(probes.queries([statement.key for statement in statements]), dim=-1)
    found = F.normalize(parts.match_q[rows], dim=-1)
    distance = 1 - torch.einsum("bqw,bw->bq", found, wanted).amax(-1).mean()
    own = torch.cat([parts.match_k[row, : len(sample.slots.block)] for row, sample in enumerate(samples)])
    place = probes.key(torch.cat([sample.slots.block for sample in samples]))
    return attention, distance + 1 - F.cosine_similarity(own, place).mean()


def transplant(net: Lens, probes: Probes) -> None:
    """Start the slots' side from the routing probe: a slot's matching vector is the probe's key."""
    size, width = net.config.hidden_size, net.config.width
    if width != size:
        raise ValueError("the probe's key fits a lens of the base's width only")
    with torch.no_grad():
        net.slot_in.weight.mul_(0.1)
        net.slot_in.weight[:, size : 2 * size] = probes.key.weight
        net.slot_in.bias.copy_(probes.key.bias)
        net.match_k.weight.copy_(torch.eye(width))
        for linear in net.slot_residuals():
            linear.weight.mul_(0.1)
        net.match_scale.fill_(1.5)
        net.head.weight.mul_(0.1)
        net.head.bias.fill_(-0.6)


def sample_loss(sample: Sample, logits: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """(routing cross-entropy or zero, regression) of one sample."""
    routing = logits.new_zeros(())
    gold, rest = sample.gold, sample.candidate & ~sample.gold
    if gold.any():
        spread = (SHARPNESS * logits[sample.candidate]).log_softmax(-1)
        routing = -spread[gold[sample.candidate]].mean()
    error = F.smooth_l1_loss(scores, sample.target, reduction="none", beta=0.2)
    lod = torch.tensor([entry.lod for entry in sample.layout])
    raw, coarse = lod == 0, lod >= 2
    parts = (
        (gold & ~coarse, 1.5),
        (gold & coarse, 3.0),  # a page that is missed cannot be descended into, one too many costs 31
        (rest & raw, 0.7),
        (rest & ~raw, 1.0),
        (~sample.candidate, 0.1),
    )
    regression = sum(weight * error[chosen].mean() for chosen, weight in parts if chosen.any())
    excess = (scores - 0.15).relu().square()
    regression = regression + (0.3 * excess[rest & ~coarse].sum() + 0.08 * excess[rest & coarse].sum()).clamp(max=3)
    return routing, regression


def outcome(sample: Sample, logits: Tensor, scores: Tensor) -> dict[str, float]:
    """What the allocator would do with these scores."""
    gold, rest = sample.gold, sample.candidate & ~sample.gold
    result = {"false": float((scores[rest] > TAU).sum())}
    if gold.any() and sample.weight == 1.0:
        lod = max(entry.lod for entry, is_gold in zip(sample.layout, gold.tolist(), strict=True) if is_gold)
        best = logits[rest].max() if rest.any() else logits.new_tensor(-9.0)
        result |= {f"top1.lod{lod}": float((logits[gold] > best).all()), f"hit.lod{lod}": float((scores[gold] > TAU).all())}
    old_raw = torch.tensor([entry.lod == 0 for entry in sample.layout]) & rest
    if old_raw.any():
        result["collapse"] = float((scores[old_raw] < -TAU).float().mean())
    return result


def rank_correlation(x: Tensor, y: Tensor) -> float:
    """Spearman's ρ without care for ties."""
    ranks = torch.stack([x.argsort().argsort().double(), y.argsort().argsort().double()])
    return float(torch.corrcoef(ranks)[0, 1]) if len(x) > 2 else 0.0


class Trainer:
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
        )
        self.net = create_lensnet(config)
        self.probes = load_probes(base, tokenizer, options.gistnet)
        transplant(self.net, self.probes)
        if options.start:
            self.net.load_state_dict(torch.load(options.start, weights_only=False)["state_dict"])
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=options.lr, betas=(0.9, 0.98), weight_decay=0.01)
        self.sampler = Sampler(base, gistnet, tokenizer, self.rng, options.tail, "train")
        self.step, self.seconds = 0, 0.0
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        if options.resume and self.checkpoint.exists():
            saved = torch.load(self.checkpoint, weights_only=False)
            self.net.load_state_dict(saved["state_dict"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step, self.seconds = saved["step"], saved["seconds"]
        self.meter: dict[str, list[float]] = {}

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
        began = time.time()
        self.sampler.fill(options.pool)
        if options.far_share:
            self.sampler.fill_far(options.pool // 2)
        print(f"pool of {options.pool} tokens in {time.time() - began:.0f} s", flush=True)
        if not options.start and not self.step:
            self.learn_queries(options.query_steps)
        began, saved_at = time.time() - self.seconds, time.time()
        while (progress := self.progress(began)) < 1:
            cosine = 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * progress))
            for group in self.optimizer.param_groups:
                group["lr"] = options.lr * min(1, (self.step + 1) / 50) * cosine
            if self.rng.random() < options.refresh:
                self.sampler.refresh()
            samples = [self.draw(progress) for _ in range(options.batch)]
            loss = self.loss(samples, progress)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self.optimizer.step()
            self.step += 1
            self.seconds = time.time() - began
            if self.step % 50 == 0:
                means = {name: round(sum(values) / len(values), 3) for name, values in sorted(self.meter.items())}
                self.meter.clear()
                print(json.dumps({"step": self.step, "seconds": round(self.seconds), **means}), flush=True)
            if time.time() - saved_at > 60:
                saved_at = time.time()
                self.save()
        self.save()

    def progress(self, began: float) -> float:
        """Share of the run that is over: of its steps where they are given, else of its minutes."""
        if self.options.steps:
            return self.step / self.options.steps
        return (time.time() - began) / (self.options.minutes * 60)

    def learn_queries(self, steps: int, batch: int = 64) -> None:
        """Teach the tail's side alone, on cheap batches: questions must point where the probe's queries do."""
        optimizer = torch.optim.AdamW(self.net.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
        net, began = self.net, time.time()
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * min(1, (step + 1) / 50) * (1 - 0.9 * step / steps)
            tails, keys, statements, slots = self.sampler.questions(batch)
            parts = LensParts()
            net(slots, slots, torch.zeros(*slots.shape[:2], FEATURES), tails, parts=parts)
            index = torch.arange(batch)
            attention = key_attention(parts.tail_attention, list(range(batch)), keys[:, 0], keys[:, 1])
            wanted = F.normalize(self.probes.queries([statement.key for statement in statements]), dim=-1)
            cosines = torch.einsum("bqw,cw->bqc", F.normalize(parts.match_q, dim=-1), wanted).amax(1)
            loss = F.cross_entropy(12 * cosines, index) + 1 - cosines.diagonal().mean() + 0.3 * attention
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            if (step + 1) % 50 == 0:
                line = {"queries": step + 1, "seconds": round(time.time() - began), "attention": float(attention.detach())}
                cosine = cosines.diagonal().mean().item()
                top1 = (cosines.argmax(-1) == index).float().mean().item()
                print(json.dumps({**line, "cosine": round(cosine, 3), "top1": round(top1, 3)}), flush=True)

    def loss(self, samples: list[Sample], progress: float) -> Tensor:
        parts, total = LensParts(), 0.0
        for sample, (logits, scores) in zip(samples, forward(self.net, samples, parts), strict=True):
            routing, regression = sample_loss(sample, logits, scores)
            total = total + sample.weight * (self.options.routing * routing + regression)
            if self.options.gains and self.rng.random() < self.options.gains:
                total = total + self.gain_loss(sample, logits, scores)
            with torch.no_grad():
                for name, value in outcome(sample, logits, scores).items():
                    self.meter.setdefault(name, []).append(value)
                if sample.gold.any():
                    self.meter.setdefault("ce", []).append(float(routing))
                self.meter.setdefault("regression", []).append(float(regression))
        attention, distance = help_loss(samples, parts, self.probes)
        self.meter.setdefault("attention", []).append(float(attention.detach()))
        self.meter.setdefault("distance", []).append(float(distance.detach()))
        fade = self.options.help if self.options.start else max(self.options.help, 1 - 1.5 * progress)
        return total / len(samples) + fade * (0.3 * attention + distance)

    def gain_loss(self, sample: Sample, logits: Tensor, scores: Tensor) -> Tensor:
        """Regression to measured gains, and their ranking by pairs that differ clearly."""
        found = measure_gains(self.sampler.base, sample, scores.detach(), 10, self.rng)
        if found is None:
            return logits.new_zeros(())
        predicted, ranked = scores[found.entry], logits[found.entry]
        regression = F.smooth_l1_loss(predicted, found.target, beta=0.2)
        better = found.target[:, None] - found.target[None] > 0.1
        ranking = F.softplus(-4 * (ranked[:, None] - ranked[None]))[better]
        self.meter.setdefault("gainRegression", []).append(float(regression.detach()))
        self.meter.setdefault("gainSpearman", []).append(rank_correlation(predicted.detach(), found.target))
        return 2 * regression + (0.5 * ranking.mean() if better.any() else 0)

    def save(self) -> None:
        save_atomically(self.options.out, entries_of(self.net))
        state = {"optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds}
        save_atomically(self.checkpoint, entries_of(self.net, **state))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--gistnet", type=Path, default=GISTNET)
    parser.add_argument("--out", type=Path, default=LENSNET)
    parser.add_argument("--from", dest="start", type=Path, help="start from these weights, without the curriculum")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--steps", type=int, default=0, help="instead of minutes: the same work on any machine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pool", type=int, default=600_000, help="tokens of pooled documents")
    parser.add_argument("--refresh", type=float, default=0.25, help="new documents a step")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--tail", type=int, default=64)
    parser.add_argument("--variant", choices=VARIANTS, default=VARIANTS[0])
    parser.add_argument("--mean-tail", action="store_true", help="ablation: the mean tail asks, without tail gists")
    parser.add_argument("--far-share", type=float, default=0.12, help="samples of 40 to 128 pages with few facts")
    parser.add_argument("--help-weight", dest="help", type=float, default=0.5, help="what the two helps fade to")
    parser.add_argument("--gains", type=float, default=0.0, help="share of samples with measured counterfactual gains")
    parser.add_argument("--query-steps", type=int, default=500, help="steps on questions alone, before")
    parser.add_argument("--routing", type=float, default=0.5, help="weight of the routing cross-entropy")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    Trainer(options).run()


if __name__ == "__main__":
    main()
