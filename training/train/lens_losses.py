"""Losses of LensNet, and what the allocator would do with its scores."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import TAU_EXPAND
from training.data.lens_samples import Sample
from training.data.slots import entry_means
from training.models.lens_variants import Lens
from training.models.lensnet import LensParts
from training.train.probes import Probes

SHARPNESS = 8.0


def forward(net: Lens, samples: list[Sample], parts: LensParts) -> list[tuple[Tensor, Tensor]]:
    """Per sample, the entries' mean logits and mean scores; one padded batch."""
    slots = max(len(sample.slots.own) for sample in samples)
    tails = max(len(sample.tail) for sample in samples)

    def padded(name: str) -> Tensor:
        return torch.stack([F.pad(t := getattr(s.slots, name), (0, 0, 0, slots - len(t))) for s in samples])

    slot_mask = torch.stack([torch.arange(slots) < len(sample.slots.own) for sample in samples])
    tail = torch.stack([F.pad(sample.tail, (0, 0, tails - len(sample.tail), 0)) for sample in samples])
    tail_mask = torch.stack([torch.arange(tails) >= tails - len(sample.tail) for sample in samples])
    feats = padded("feats")
    if net.config.lexical_features:
        words = [F.pad(w := s.lexical[s.slots.entry], (0, 0, 0, slots - len(w))) for s in samples]
        feats = torch.cat([feats, torch.stack(words)], dim=-1)
    logits = net(padded("own"), padded("block"), feats, tail, slot_mask, tail_mask, parts)
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
    result = {"false": float((scores[rest] > TAU_EXPAND).sum())}
    if gold.any() and sample.weight == 1.0:
        lod = max(entry.lod for entry, is_gold in zip(sample.layout, gold.tolist(), strict=True) if is_gold)
        best = logits[rest].max() if rest.any() else logits.new_tensor(-9.0)
        result |= {
            f"top1.lod{lod}": float((logits[gold] > best).all()),
            f"hit.lod{lod}": float((scores[gold] > TAU_EXPAND).all()),
        }
    old_raw = torch.tensor([entry.lod == 0 for entry in sample.layout]) & rest
    if old_raw.any():
        result["collapse"] = float((scores[old_raw] < -TAU_EXPAND).float().mean())
    return result


def rank_correlation(x: Tensor, y: Tensor) -> float:
    """Spearman's ρ without care for ties."""
    ranks = torch.stack([x.argsort().argsort().double(), y.argsort().argsort().double()])
    return float(torch.corrcoef(ranks)[0, 1]) if len(x) > 2 else 0.0
