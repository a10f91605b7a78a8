"""Fit the probes that GistNet's checkpoint lacks, so that LensNet's helps are there for restored weights.

    python -m training.train.restore
    python -m training.train.fit_probes --language trained --minutes 4
    python -m training.train.lensnet --from training/.cache/lensnet.pt --language trained …

The networks stay as they are. Fresh probes read gists in a space of their own; an orthogonal map turns it
into LensNet's matching space (Procrustes), since the help that pulls the two together would else undo what
LensNet knows. On the shipped weights it brought their distance from 1.99 to 0.54.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import Teller
from training.data.lens_samples import Sampler
from training.data.tokenizer import load_tokenizer
from training.models.gistnet import GistNet, compress_sequence
from training.models.lens_variants import Lens
from training.models.lensnet import LensParts
from training.models.llama import Llama
from training.options import add_language, add_length, add_networks, parser_of
from training.train.checkpoints import begin, load_base, load_gistnet, load_lensnet, load_probes, save_atomically
from training.train.gist_pool import write_document
from training.train.lens_losses import forward
from training.train.loop import Meter, Progress, descend, peak_groups, set_learning_rate, warm_cosine
from training.train.probes import Probes

REPORT_STEPS = 25
BLOCKS, DOCUMENTS = 16, 12
"""Blocks a document, and documents a step."""
BAG_WEIGHT = 0.1
QUERY_WEIGHT = 0.5
"""Of the queries' agreement against the keys' in the alignment."""


def fit(probes: Probes, base: Llama, net: GistNet, teller: Teller, rng: random.Random, progress: Progress) -> None:
    """Train the probes on LOD1 gists of new documents until `progress` is over."""
    optimizer = torch.optim.AdamW(peak_groups((probes.parameters(), 3e-3)), betas=(0.9, 0.95), weight_decay=0.01)
    probes.requires_grad_(True)
    meter, blocks = Meter(), list(range(BLOCKS))
    while (share := progress.share()) < 1:
        set_learning_rate(optimizer, warm_cosine(progress.step, share, 50, 0.05))
        documents = [write_document(rng, BLOCKS * BLOCK_SIZE, teller, 0.35) for _ in range(DOCUMENTS)]
        tokens = torch.from_numpy(np.stack([document.tokens for document in documents])).long()
        with torch.no_grad():
            gists = torch.stack([compress_sequence(net.lod1, base.embed(row)) for row in tokens])
        bag, route, routed = probes.lod1(documents, tokens, gists, blocks)
        descend(route + BAG_WEIGHT * bag, optimizer)
        progress.advance()
        meter.add(bag=bag, route=route, top1=routed)
        if progress.step % REPORT_STEPS == 0:
            print(json.dumps({"step": progress.step, "seconds": round(progress.seconds), **meter.read()}), flush=True)
    probes.requires_grad_(False)


def nearest_rotation(pairs: Tensor) -> Tensor:
    """Orthogonal `[d, d]` W for which x W comes nearest to y, from Σ xᵀ y."""
    left, _, right = torch.linalg.svd(pairs)
    return left @ right


@torch.no_grad()
def align(probes: Probes, net: Lens, sampler: Sampler, samples: int = 48) -> tuple[float, float]:
    """Turn the probes' space into LensNet's; the mean cosine of slots' keys before and after."""
    drawn = [sampler.sample(4, 512, 1.0) for _ in range(samples)]
    parts = LensParts()
    forward(net, drawn, parts)
    wanted = F.normalize(torch.cat([parts.match_k[row, : len(x.slots.block)] for row, x in enumerate(drawn)]), dim=-1)
    blocks = torch.cat([sample.slots.block for sample in drawn])
    keys = F.normalize(probes.key(blocks), dim=-1)
    asked = [row for row, sample in enumerate(drawn) if sample.keys]
    queries = F.normalize(probes.queries([drawn[row].statement.key for row in asked]), dim=-1)
    tails = F.normalize(parts.match_q[asked], dim=-1)
    keys_agree = keys.t() @ wanted / len(keys)
    turn = nearest_rotation(keys_agree)
    for _ in range(3):  # which of the tail's queries is meant shows once the space is nearly right
        best = torch.einsum("bqw,bw->bq", tails, queries @ turn).argmax(-1)
        meant = tails[torch.arange(len(asked)), best]
        turn = nearest_rotation(keys_agree + QUERY_WEIGHT * queries.t() @ meant / len(asked))
    for linear in (probes.key, probes.query[-1]):
        linear.weight.copy_(turn.t() @ linear.weight)
        linear.bias.copy_(linear.bias @ turn)
    turned = F.cosine_similarity(probes.key(blocks), wanted, dim=-1)
    return float((keys * wanted).sum(-1).mean()), float(turned.mean())


def main() -> None:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet", "lensnet")
    add_language(parser)
    add_length(parser, 4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="instead of adding the probes to GistNet's checkpoint")
    options = parser.parse_args()
    begin(options.seed)
    base, tokenizer, rng = load_base(options.base), load_tokenizer(), random.Random(options.seed)
    gistnet, lensnet = load_gistnet(base.config, options.gistnet), load_lensnet(options.lensnet)
    probes = load_probes(base, tokenizer, options.gistnet)
    fit(
        probes,
        base,
        gistnet,
        Teller.for_training(tokenizer, options.language, options.core_share),
        rng,
        Progress(options.minutes, options.steps),
    )
    sampler = Sampler(base, gistnet, Teller.for_training(tokenizer, "core"), rng, lensnet.config.tail_tokens)
    sampler.fill(40_000)
    before, after = align(probes, lensnet, sampler)
    print(json.dumps({"cosineBefore": round(before, 3), "cosineAfter": round(after, 3)}), flush=True)
    saved = torch.load(options.gistnet, weights_only=False)
    save_atomically(options.out or options.gistnet, {**saved, "probes": probes.state_dict()})


if __name__ == "__main__":
    main()
