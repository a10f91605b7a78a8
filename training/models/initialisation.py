"""Initialisation of a copying head: what it attends to, it says.

Attention supervision alone teaches a head where to look within 200 steps, but with a vocabulary of
thousands of words the way from "looks there" to "says that" takes a thousand more. With tied
embeddings that way is known beforehand: value and output weights that are each other's transpose
write a projection of the attended token's embedding, which the tied head reads as that token.
"""

from __future__ import annotations

import torch

from training.models.llama import Llama, rope_frequencies


@torch.no_grad()
def init_positional_heads(model: Llama, amplitude: float = 5.0, frequencies: int = 6) -> None:
    """Let head h of layer 0 attend to offset -(h + 1) from the first step on.

    For the highest RoPE frequencies w_i the key bias is (A, 0) and the query bias
    (A cos(-(h+1) w_i), A sin(-(h+1) w_i)); the query and key weights shrink to a tenth, so that
    content hardly disturbs it at first. Needs `attention_bias` and RoPE in layer 0.
    """
    config, attention = model.config, model.model.layers[0].self_attn
    if not config.attention_bias or not config.layer_has_rope(0):
        raise ValueError("positional heads need attention_bias and RoPE in layer 0")
    half = config.head_dim // 2
    omega = rope_frequencies(config.head_dim, config.rope_theta)[:frequencies]
    attention.q_proj.weight.mul_(0.1)
    attention.k_proj.weight.mul_(0.1)
    q_bias = attention.q_proj.bias.view(config.num_attention_heads, config.head_dim)
    k_bias = attention.k_proj.bias.view(config.num_key_value_heads, config.head_dim)
    q_bias.zero_()
    k_bias.zero_()
    k_bias[:, :frequencies] = amplitude
    for head in range(config.num_attention_heads):
        angle = -(head + 1) * omega
        q_bias[head, :frequencies] = (amplitude * angle.cos()).float()
        q_bias[head, half : half + frequencies] = (amplitude * angle.sin()).float()


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
