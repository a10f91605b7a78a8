"""What adapted heads hold together of what a question asks for, beside one LensNet for all of them.

    python -m training.train.evaluate_heads --adapters training/.cache/head-adapters.pt --n 200 --json heads.json

One step of routing over LensNet's labelled windows, told of held-out combinations (`split="eval"`). Each head opens its
best blocks and gists of blocks above the threshold of expansion, as many as it has room for. Ways to share: `alike`
(all heads score as LensNet does), `diversity` (what earlier heads hold is worth less, as the parameter `diversityGain`
has it) and `adapted`, with and without that rule. Figures: the share of facts, by question, of which some head holds
every entry; how many heads hold a fact; how many blocks are opened that nobody asked for.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from torch import Tensor

from training.constants import TAU_EXPAND
from training.data.document_writer import Teller
from training.data.lens_samples import Sample, Sampler
from training.data.tokenizer import load_tokenizer
from training.files import write_json
from training.models.focus_heads import AdaptedLens, HeadAdapters
from training.models.lensnet import LensParts
from training.options import add_networks, parser_of
from training.paths import HEAD_ADAPTERS
from training.train.checkpoints import begin, load_base, load_gistnet, load_lensnet
from training.train.head_adapters import asked_entries
from training.train.intervals import cell
from training.train.lens_losses import forward

DIVERSITY_GAIN = 0.3
"""The parameter's default."""


def opened_by(sample: Sample, scores: Tensor, room: int, diversity: float) -> Tensor:
    """`[H, E]` which entries each head opens, one after the other. `scores` `[H, E]`."""
    fine = torch.tensor([entry.lod <= 1 for entry in sample.layout]) & sample.candidate
    held = torch.zeros_like(scores, dtype=torch.bool)
    for head in range(len(scores)):
        wanted = scores[head] - diversity * held[:head].any(0).float()
        wanted = torch.where(fine & (wanted > TAU_EXPAND), wanted, -2.0)
        best = wanted.topk(min(room, len(wanted)))
        held[head, best.indices[best.values > -2]] = True
    return held


@torch.no_grad()
def measure(ways: dict[str, tuple[list, float]], sampler: Sampler, wanted: int, room: int) -> list[dict]:
    """A row a way and number of facts that are asked for: 1, or more."""
    results: dict[tuple[str, str], list[tuple[list[bool], float, float]]] = {}
    while sum(len(found) for (way, _), found in results.items() if way == "alike") < wanted:
        sample = sampler.sample(4, 512, 1.0)
        lods = torch.tensor([entry.lod for entry in sample.layout])
        facts = [entries for entries in asked_entries(sample) if (lods[entries] <= 1).all()]
        if sample.weight < 1.0 or not facts:
            continue
        for way, (lenses, diversity) in ways.items():
            scores = torch.stack([forward(lens, [sample], LensParts())[0][1] for lens in lenses])
            held = opened_by(sample, scores, room, diversity)
            has = torch.stack([held[:, entries].all(1) for entries in facts], 1)
            found = results.setdefault((way, "one" if len(facts) == 1 else "several"), [])
            idle = (held.any(0) & ~sample.gold).sum()
            found.append((has.any(0).tolist(), float(has.float().sum(0).mean()), float(idle)))
    rows = []
    for (way, asked), found in results.items():
        whole = cell([all(facts) for facts, _, _ in found])
        facts = cell([fact for row, _, _ in found for fact in row])
        heads, idle = (round(sum(row[i] for row in found) / len(found), 3) for i in (1, 2))
        rows.append({"way": way, "asked": asked, "whole": whole, "facts": facts, "headsAFact": heads, "unasked": idle})
    return rows


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet", "lensnet")
    parser.add_argument("--adapters", type=Path, default=HEAD_ADAPTERS)
    parser.add_argument("--n", type=int, default=200, help="questions")
    parser.add_argument("--room", type=int, default=2, help="blocks that a head opens at most")
    parser.add_argument("--pool", type=int, default=60_000, help="tokens of documents")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    begin(options.seed)
    base, lens = load_base(options.base), load_lensnet(options.lensnet)
    saved = torch.load(options.adapters, weights_only=False)
    adapters = HeadAdapters(lens, saved["heads"], saved["rank"])
    adapters.load_state_dict(saved["state_dict"])
    own = [AdaptedLens(lens, adapters, head) for head in range(adapters.heads)]
    alike = [lens] * adapters.heads
    ways = {
        "alike": (alike, 0.0),
        "diversity": (alike, DIVERSITY_GAIN),
        "adapted": (own, 0.0),
        "adapted, diversity": (own, DIVERSITY_GAIN),
    }
    teller = Teller(load_tokenizer(), "eval")
    gistnet = load_gistnet(base.config, options.gistnet)
    sampler = Sampler(base, gistnet, teller, random.Random(options.seed), lens.config.tail_tokens)
    sampler.fill(options.pool)
    rows = measure(ways, sampler, options.n, options.room)
    for row in rows:
        print(json.dumps(row), flush=True)
    if options.json:
        write_json(options.json, {"seed": options.seed, "room": options.room, "heads": adapters.heads, "rows": rows})


if __name__ == "__main__":
    main()
