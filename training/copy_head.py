"""Initialisation of a copying head: what it attends to, it says.

Attention supervision alone teaches a head where to look within 200 steps, but with a vocabulary of
thousands of words the way from "looks there" to "says that" takes a thousand more. With tied
embeddings that way is known beforehand: value and output weights that are each other's transpose
write a projection of the attended token's embedding, which the tied head reads as that token.
"""

from __future__ import annotations

import torch

from llama import Llama


@torch.no_grad()
def init_copy_head(model: Llama, layer: int, head: int, gain: float = 0.6, quiet: float = 0.3) -> None:
    """Set V = R and O = gain·Rᵀ with R `[head_dim, d]` orthonormal for one head.

    The outputs of earlier layers are scaled by `quiet`, so that the attended token's own embedding is
    a good part of what the head reads. Needs as many key-value heads as heads.
    """
    config = model.config
    if config.num_key_value_heads != config.num_attention_heads:
        raise ValueError("a copying head needs its own key-value head")
    for earlier in model.model.layers[:layer]:
        earlier.self_attn.o_proj.weight.mul_(quiet)
        earlier.mlp.down_proj.weight.mul_(quiet)
    span = slice(head * config.head_dim, (head + 1) * config.head_dim)
    projection = torch.nn.init.orthogonal_(torch.empty(config.head_dim, config.hidden_size))
    attention = model.model.layers[layer].self_attn
    attention.v_proj.weight[span] = projection
    attention.o_proj.weight[:, span] = gain * projection.T
