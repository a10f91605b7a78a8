"""Measure how much of a deleted span its gists give back, on held-out documents.

    python -m training.train.evaluate_gistnet --n 150 --seed 0

Gap recovered = (NLL(deleted) − NLL(gist)) / (NLL(deleted) − NLL(full)) over the 64 real tokens after
the span: 256 tokens as 8 LOD1 gists, and 1,024 tokens as one LOD2 gist. Positions stay absolute.
"""

from __future__ import annotations

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import make_document
from training.data.sequences import mix
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.gistnet import GistNet, compress_sequence
from training.models.llama import Llama
from training.options import add_networks, parser_of
from training.paths import FIGURES
from training.train.checkpoints import begin, load_base, load_gistnet
from training.train.intervals import bootstrap, figure

HORIZON = 64


LOD1_SPAN, LOD2_SPAN = 256, 1024


def nll_after(base: Llama, embeds: Tensor, tokens: Tensor, pieces: list, start: int, offset: int) -> float:
    """Mean NLL of `tokens[start : start + HORIZON]`, the first of them without a raw predecessor excluded."""
    mixed = mix(embeds, pieces)
    logits = base(mixed.embeds, (mixed.positions + offset)[None])[0]
    chosen = mixed.source >= start
    targets = tokens[mixed.source[chosen] + 1]
    return F.cross_entropy(logits[chosen], targets).item()


@torch.no_grad()
def measure(base: Llama, net: GistNet, lod: int, count: int, rng: random.Random, tokenizer) -> np.ndarray:
    """`[count, 3]` NLL with the span deleted, as gists, and in full."""
    span = LOD1_SPAN if lod == 1 else LOD2_SPAN
    rows = []
    for _ in range(count):
        document = make_document(
            rng, span + HORIZON + 1, fact_rate=0.25, question_rate=0.2, split="eval", tokenizer=tokenizer
        )
        tokens = torch.from_numpy(document.tokens).long()
        embeds = base.embed(tokens)
        gists = compress_sequence(net.lod1, embeds[:span])
        size = BLOCK_SIZE
        if lod == 2:
            gists, size = compress_sequence(net.lod2, gists), BLOCK_SIZE * BLOCK_SIZE
        compressed = [(i * size, (i + 1) * size, gist[None]) for i, gist in enumerate(gists)]
        tail = (span, span + HORIZON, None)
        offset = rng.randrange(16_000)
        layouts = ([tail], [*compressed, tail], [(0, span, None), tail])
        rows.append([nll_after(base, embeds[None], tokens, list(pieces), span, offset) for pieces in layouts])
    return np.array(rows)


def gap_recovered(rows: np.ndarray) -> float:
    deleted, gist, full = rows.mean(0)
    return float((deleted - gist) / (deleted - full))


@torch.no_grad()
def spread(base: Llama, net: GistNet, rng: random.Random, tokenizer) -> dict[str, float]:
    """Collapse checks: mean pairwise cosine and effective rank of LOD1 gists, and their mean norm."""
    document = make_document(rng, 16_384, fact_rate=0.2, question_rate=0.1, split="eval", tokenizer=tokenizer)
    gists = compress_sequence(net.lod1, base.embed(torch.from_numpy(document.tokens).long()))
    unit = F.normalize(gists, dim=-1)
    cosine = ((unit @ unit.t()).sum() - len(unit)) / (len(unit) * (len(unit) - 1))
    singular = torch.linalg.svdvals(gists - gists.mean(0))
    share = singular / singular.sum()
    rank = (-(share * share.log()).sum()).exp()
    return {"meanCosine": cosine.item(), "effectiveRank": rank.item(), "meanNorm": gists.norm(dim=-1).mean().item()}


def main() -> None:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    parser.add_argument("--n", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin(options.seed)
    base = load_base(options.base)
    net, tokenizer = load_gistnet(base.config, options.gistnet), load_tokenizer()
    command = f"python -m training.train.evaluate_gistnet --n {options.n} --seed {options.seed}"
    figures = []
    for lod in (1, 2):
        rows = measure(base, net, lod, options.n, random.Random(options.seed + lod), tokenizer)
        value, interval = bootstrap(rows, gap_recovered)
        figures.append(figure(f"gapRecoveredLod{lod}", value, options.n, interval, command))
        print(f"LOD{lod}: NLL deleted, gist, full {rows.mean(0).round(4)}; gap recovered {value:.3f} {interval}")
    print(spread(base, net, random.Random(options.seed), tokenizer))
    write_json(FIGURES / "gistnet.json", figures)


if __name__ == "__main__":
    main()
