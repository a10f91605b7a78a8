"""Gists as keys and values of every layer, against gists in the input: an experiment, nothing that the page serves.

    python -m training.train.evaluate_kv_gists --n 150

The same documents and the same gap as LOD1 has in `train.evaluate_gistnet`: 256 tokens, then 64 that are predicted.
Each block of 32 becomes a few slots, whose keys and values are pooled in every layer from those that its tokens have in
full context; keys are pooled before they are turned, and turned at the centre of what they stand for. No weight is
trained for it, where GistNet's vectors were.
"""

from __future__ import annotations

import argparse
import json
import random

import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import make_document
from training.data.tokenizer import load_tokenizer
from training.models.gistnet import compress_sequence
from training.models.llama import Llama, LlamaLayer, apply_rope, causal_mask, rope_cos_sin
from training.options import add_networks, parser_of
from training.train.checkpoints import begin, load_base, load_gistnet
from training.train.evaluate_gistnet import HORIZON, LOD1_SPAN, gap_recovered, nll_after
from training.train.intervals import bootstrap

SLOTS_A_BLOCK = (1, 2, 4, 8)

KeysValues = tuple[Tensor, Tensor]
"""Of one layer: keys before they are turned and values, `[1, h, T, head_dim]`."""


def projected(layer: LlamaLayer, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values `[1, h, T, head_dim]`, none of them turned."""
    attention, normed = layer.self_attn, layer.input_layernorm(x)
    parts = (attention.q_proj(normed), attention.k_proj(normed), attention.v_proj(normed))
    return tuple(part.view(1, x.shape[1], -1, attention.head_dim).transpose(1, 2) for part in parts)


def read(
    base: Llama, embeds: Tensor, positions: Tensor, before: list[KeysValues] | None, at: Tensor | None
) -> tuple[Tensor, list[KeysValues]]:
    """Hidden states behind slots that are there already, and every layer's own keys and values.

    Args:
        embeds: `[1, T, d]` at `positions` `[T]`.
        before: what every layer finds before them, at `at` `[M]`; None = nothing.
    """
    config, x, own = base.config, embeds, []
    rope, length = rope_cos_sin(positions[None], config.head_dim, config.rope_theta), embeds.shape[1]
    rope_before = None if at is None else rope_cos_sin(at[None], config.head_dim, config.rope_theta)
    known = 0 if at is None else len(at)
    mask = torch.cat([torch.ones(length, known, dtype=torch.bool), causal_mask(length)], dim=1)
    for index, layer in enumerate(base.model.layers):
        q, k, v = projected(layer, x)
        own.append((k, v))
        if config.layer_has_rope(index):
            q, k = apply_rope(q, rope), apply_rope(k, rope)
        if before is not None:
            old_k, old_v = before[index]
            turned = apply_rope(old_k, rope_before) if config.layer_has_rope(index) else old_k
            k, v = torch.cat([turned, k], dim=2), torch.cat([old_v, v], dim=2)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + layer.self_attn.o_proj(mixed.transpose(1, 2).reshape(1, length, -1))
        x = x + layer.mlp(layer.post_attention_layernorm(x))
    return base.model.norm(x), own


def pooled(own: list[KeysValues], tokens: int) -> list[KeysValues]:
    """Means of every `tokens` slots, layer by layer."""
    return [tuple(part.unflatten(2, (-1, tokens)).mean(3) for part in layer) for layer in own]


@torch.no_grad()
def nll_behind(base: Llama, embeds: Tensor, tokens: Tensor, slots: int, offset: int) -> float:
    """NLL of what follows the span behind `slots` slots for each of its blocks."""
    span, size = LOD1_SPAN, BLOCK_SIZE // slots
    places = torch.arange(span + HORIZON).double() + offset
    _, own = read(base, embeds[None, :span], places[:span], None, None)
    centres = torch.arange(span // size).double() * size + size / 2 + offset
    hidden, _ = read(base, embeds[None, span : span + HORIZON], places[span:], pooled(own, size), centres)
    return F.cross_entropy(base.logits(hidden[0]), tokens[span + 1 : span + HORIZON + 1]).item()


def main() -> None:
    options = parse_options()
    begin(options.seed)
    base, tokenizer = load_base(options.base), load_tokenizer()
    net, rng = load_gistnet(base.config, options.gistnet), random.Random(options.seed)
    rows: dict[str, list[list[float]]] = {}
    for _ in range(options.n):
        shape = {"fact_rate": 0.25, "question_rate": 0.2, "split": "eval", "tokenizer": tokenizer}
        document = make_document(rng, LOD1_SPAN + HORIZON + 1, **shape)
        tokens = torch.from_numpy(document.tokens).long()
        embeds, offset, tail = base.embed(tokens), rng.randrange(16_000), (LOD1_SPAN, LOD1_SPAN + HORIZON, None)
        vectors = compress_sequence(net.lod1, embeds[:LOD1_SPAN])
        gists = [(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE, gist[None]) for i, gist in enumerate(vectors)]
        layouts = ([tail], [*gists, tail], [(0, LOD1_SPAN, None), tail])
        with torch.no_grad():
            deleted, gist, full = (
                nll_after(base, embeds[None], tokens, list(pieces), LOD1_SPAN, offset) for pieces in layouts
            )
        rows.setdefault("vectors, 1 a block", []).append([deleted, gist, full])
        for slots in SLOTS_A_BLOCK:
            kept = nll_behind(base, embeds, tokens, slots, offset)
            rows.setdefault(f"keys and values, {slots} a block", []).append([deleted, kept, full])
    for name, found in rows.items():
        table = torch.tensor(found).numpy()
        share, interval = bootstrap(table, gap_recovered)
        means = [round(float(value), 4) for value in table.mean(0)]
        line = {"gists": name, "nll": means, "gapRecovered": round(share, 3), "ci95": [round(x, 3) for x in interval]}
        print(json.dumps(line), flush=True)


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base", "gistnet")
    parser.add_argument("--n", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
