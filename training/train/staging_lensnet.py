"""Train LensNet-G: a LensNet for the staging context, which goes on from the model's own.

    python -m training.train.staging_lensnet --minutes 12 --seed 0

A staging context is wide and read part by part, each part beside the same tail, so that its cost grows linearly
(`src/core/heads/staging.ts`). The model's own LensNet learned on windows that are read whole and mostly hold what is
asked for; here most parts hold nothing, and the scores of all parts are compared. Samples are the labelled windows of
`lensnet.py`, four to sixteen times as wide, mostly of LOD1 gists, coarser where the history is long; the loss is the
same over the whole of them: a coarse entry's target is the best of what lies below it. Base and GistNet are frozen.
Checkpoints; `--resume` goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from training.constants import STAGING_PART_SLOTS
from training.data.lens_samples import NEAR_PAGES, Sample
from training.data.slots import Slots
from training.models.lens_variants import Lens
from training.models.lensnet import LensParts
from training.options import add_language, add_length, add_networks, add_run, parser_of
from training.paths import LENSNET, STAGING_LENSNET
from training.train import lensnet
from training.train.checkpoints import begin, load_lensnet
from training.train.lens_losses import forward

BUDGETS = (2048, 3072, 4096)
FAR_PAGES = 96


def parts_of(sample: Sample, part_slots: int = STAGING_PART_SLOTS) -> list[Sample]:
    """The sample cut between entries into parts of at most so many slots, or of one entry, as staging is cut."""
    parts, first, slots = [], 0, 0
    for index, entry in enumerate(sample.layout):
        if index > first and slots + entry.cost > part_slots:
            parts.append(_cut(sample, first, index))
            first, slots = index, 0
        slots += entry.cost
    parts.append(_cut(sample, first, len(sample.layout)))
    return parts


def _cut(sample: Sample, first: int, end: int) -> Sample:
    chosen = (sample.slots.entry >= first) & (sample.slots.entry < end)
    own, block, feats = (getattr(sample.slots, name)[chosen] for name in ("own", "block", "feats"))
    return replace(
        sample,
        slots=Slots(own, block, feats, sample.slots.entry[chosen] - first),
        lexical=sample.lexical[first:end],
        layout=sample.layout[first:end],
        target=sample.target[first:end],
        gold=sample.gold[first:end],
        candidate=sample.candidate[first:end],
    )


def forward_in_parts(net: Lens, samples: list[Sample], parts: LensParts) -> list[tuple[Tensor, Tensor]]:
    """As `forward`, each part of a sample for itself."""
    cut = [parts_of(sample) for sample in samples]
    read = iter(forward(net, [part for of_sample in cut for part in of_sample], parts))
    joined = []
    for of_sample in cut:
        logits, scores = zip(*(next(read) for _ in of_sample), strict=True)
        joined.append((torch.cat(logits), torch.cat(scores)))
    return joined


class Trainer(lensnet.Trainer):
    """One run over staging contexts."""

    def draw(self, progress: float) -> Sample:
        """Histories of 4 to 96 pages; those beyond the near ones are of sparse documents."""
        del progress
        rng = self.rng
        is_far = self.sampler.far_pool and rng.random() < self.options.far_share
        pages = rng.randint(NEAR_PAGES + 1, FAR_PAGES) if is_far else int(2 ** rng.uniform(2, 4.6))
        return self.sampler.sample(pages, rng.choice(BUDGETS), 0.9)

    def read(self, samples: list[Sample], parts: LensParts) -> list[tuple[Tensor, Tensor]]:
        return forward_in_parts(self.net, samples, parts)

    def helps(self, samples: list[Sample], parts: LensParts, progress: float) -> float:
        """None: the weights that it goes on from have learned what they lead to."""
        del samples, parts, progress
        return 0.0


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    add_run(parser, STAGING_LENSNET, 4e-4)
    add_language(parser)
    add_length(parser, 12)
    parser.add_argument("--from", dest="start", type=Path, default=LENSNET, help="the LensNet to go on from")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--pool", type=int, default=160_000, help="tokens of pooled documents")
    parser.add_argument("--refresh", type=float, default=0.5, help="new documents a step")
    parser.add_argument("--far-share", type=float, default=0.3, help="samples of 33 to 96 pages with few facts")
    parser.add_argument("--routing", type=float, default=1.0, help="weight of the routing cross-entropy")
    options = parser.parse_args(arguments)
    config = load_lensnet(options.start).config
    shape = {
        "width": config.width,
        "heads": config.heads,
        "queries": config.tail_queries,
        "tail": config.tail_tokens,
        "variant": config.variant,
        "no_words": not config.lexical_features,
        "mean_tail": not config.tail_gists,
        "gains": 0.0,
    }
    return argparse.Namespace(**vars(options), **shape)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    Trainer(options).run()


if __name__ == "__main__":
    main()
