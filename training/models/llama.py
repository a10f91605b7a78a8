"""The base language model: Llama's architecture in PyTorch, as docs/models.md defines it.

Owns the transformer layer that GistNet shares, rotary positions in float64, and the
initialisation that lets a tiny base learn retrieval. `state_dict()` keys are Hugging Face's,
so that export is a plain copy. It does no training and reads no files.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Rope = tuple[Tensor, Tensor]


@dataclass
class LlamaConfig:
    """The fields of Hugging Face's `config.json` that the architecture needs."""

    vocab_size: int
    hidden_size: int = 128
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    head_dim: int = 32
    intermediate_size: int = 384
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    attention_bias: bool = True
    tie_word_embeddings: bool = True
    no_rope_layers: Sequence[int] | None = None
    """One number a layer, as SmolLM3 has it: 1 = RoPE, 0 = none; None = RoPE everywhere."""

    def layer_has_rope(self, layer: int) -> bool:
        return self.no_rope_layers is None or bool(self.no_rope_layers[layer])

    def to_dict(self) -> dict:
        """The Hugging Face layout, without what is absent."""
        entries = {key: value for key, value in asdict(self).items() if value is not None}
        return {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu", **entries}

    @classmethod
    def from_dict(cls, entries: dict) -> LlamaConfig:
        """Read a `config.json`; fields that the architecture does not need are ignored."""
        known = {field.name for field in fields(cls)}
        config = {key: value for key, value in entries.items() if key in known}
        config.setdefault("head_dim", entries["hidden_size"] // entries["num_attention_heads"])
        config.setdefault("num_key_value_heads", entries["num_attention_heads"])
        return cls(**config)


def rope_frequencies(head_dim: int, theta: float) -> Tensor:
    """`[head_dim / 2]` float64 radians per position, highest first."""
    return theta ** -(torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim)


def rope_cos_sin(position_ids: Tensor, head_dim: int, theta: float) -> Rope:
    """Float32 cos and sin `[B, 1, T, head_dim]` of float64 angles, halves repeated.

    Float64 keeps positions up to 1,000,000 exact to the last bit of the float32 result.
    """
    angles = position_ids.double()[..., None] * rope_frequencies(head_dim, theta).to(position_ids.device)
    angles = torch.cat([angles, angles], dim=-1)[:, None]
    return angles.cos().float(), angles.sin().float()


def apply_rope(x: Tensor, rope: Rope) -> Tensor:
    """Rotate `[B, h, T, head_dim]`: dimension i is paired with i + head_dim / 2."""
    cos, sin = rope
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], dim=-1) * sin


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


class Attention(nn.Module):
    """Grouped-query self-attention."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        self.head_dim = config.head_dim
        size, bias = config.hidden_size, config.attention_bias
        self.q_proj = nn.Linear(size, self.heads * self.head_dim, bias=bias)
        self.k_proj = nn.Linear(size, self.kv_heads * self.head_dim, bias=bias)
        self.v_proj = nn.Linear(size, self.kv_heads * self.head_dim, bias=bias)
        self.o_proj = nn.Linear(self.heads * self.head_dim, size, bias=False)

    def forward(
        self, x: Tensor, rope: Rope | None, mask: Tensor | None, causal: bool, want_probs: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """`x` `[B, T, d]` → (`[B, T, d]`, probabilities `[B, h, T, T]` if wanted).

        `mask` is boolean, broadcastable to `[B, h, T, T]`, true where attention is allowed;
        it already contains causality when both are given.
        """
        batch, length, _ = x.shape
        q, k, v = self.heads_of(x, x, rope)
        probs = None
        if want_probs:
            scores = q @ k.transpose(-1, -2) / math.sqrt(self.head_dim)
            allowed = mask if mask is not None else causal_mask(length, x.device) if causal else None
            if allowed is not None:
                scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
            probs = scores.softmax(-1)
            mixed = probs @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal and mask is None)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1)), probs

    def last_rows(self, x: Tensor, rope: Rope | None, mask: Tensor | None, causal: bool, count: int) -> Tensor:
        """`[B, T, d]` → what `forward` makes of the last `count` rows; causality is in `mask` where there is one."""
        if mask is None and causal:
            mask = causal_mask(x.shape[1], x.device)[None, None]
        q, k, v = self.heads_of(x[:, -count:], x, rope)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=None if mask is None else mask[:, :, -count:])
        return self.o_proj(mixed.transpose(1, 2).flatten(2))

    def heads_of(self, asking: Tensor, x: Tensor, rope: Rope | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of the last rows `[B, n, d]`, keys and values of all `[B, T, d]`: `[B, h, n or T, head_dim]`."""
        q = self.q_proj(asking).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k = self.k_proj(x).unflatten(-1, (self.kv_heads, -1)).transpose(1, 2)
        v = self.v_proj(x).unflatten(-1, (self.kv_heads, -1)).transpose(1, 2)
        if rope is not None:
            cos, sin = rope
            count = asking.shape[1]
            q, k = apply_rope(q, (cos[..., -count:, :], sin[..., -count:, :])), apply_rope(k, rope)
        if self.kv_heads != self.heads:
            groups = self.heads // self.kv_heads
            k, v = k.repeat_interleave(groups, dim=1), v.repeat_interleave(groups, dim=1)
        return q, k, v


class SwiGLU(nn.Module):
    def __init__(self, size: int, intermediate: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(size, intermediate, bias=False)
        self.up_proj = nn.Linear(size, intermediate, bias=False)
        self.down_proj = nn.Linear(intermediate, size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(nn.Module):
    """One pre-norm layer; GistNet's blocks are the same class."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGLU(config.hidden_size, config.intermediate_size)

    def forward(
        self,
        x: Tensor,
        rope: Rope | None,
        mask: Tensor | None = None,
        causal: bool = True,
        want_probs: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """`[B, T, d]` → (`[B, T, d]`, attention probabilities or None)."""
        attended, probs = self.self_attn(self.input_layernorm(x), rope, mask, causal, want_probs)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), probs

    def last_rows(self, x: Tensor, rope: Rope | None, mask: Tensor | None, causal: bool, count: int) -> Tensor:
        """`[B, T, d]` → what `forward` makes of the last `count` rows, without the work for the others."""
        attended = self.self_attn.last_rows(self.input_layernorm(x), rope, mask, causal, count)
        x = x[:, -count:] + attended
        return x + self.mlp(self.post_attention_layernorm(x))


def causal_mask(length: int, device: torch.device | None = None) -> Tensor:
    """`[T, T]` boolean, true at and below the diagonal."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def attention_mask_for(length: int, mask: Tensor | None, causal: bool) -> Tensor | None:
    """Combine a key mask `[B, T]` or pair mask `[B, T, T]` (true = visible) with causality.

    Returns None where plain causal or full attention needs no mask at all, which is faster.
    """
    if mask is None:
        return None
    mask = mask.bool()
    mask = mask[:, None, None, :] if mask.dim() == 2 else mask[:, None]
    return mask & causal_mask(length, mask.device) if causal else mask


class LlamaModel(nn.Module):
    """Embeddings, layers and final norm: the part named `model.` in a checkpoint."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(LlamaLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)


class Llama(nn.Module):
    """The base LM over embeddings, so that tokens and gists mix in one sequence."""

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.model = LlamaModel(config)
        self.lm_head = None
        if not config.tie_word_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal weights of std 1/√d, residual outputs divided by √(2L), biases zero."""
        std = 1 / math.sqrt(self.config.hidden_size)
        residual = std / math.sqrt(2 * self.config.num_hidden_layers)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.normal_(parameter, 0, residual)
            elif parameter.dim() == 2:
                nn.init.normal_(parameter, 0, std)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids `[...]` → embeddings `[..., d]`."""
        return F.embedding(ids, self.model.embed_tokens.weight)

    def hidden_states(
        self,
        inputs_embeds: Tensor,
        position_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_attention_of: Collection[int] = (),
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Final normed hidden states `[B, T, d]`, and the attention of the layers asked for."""
        config, x, probs = self.config, inputs_embeds, {}
        mask = attention_mask_for(x.shape[1], attention_mask, causal=True)
        cos, sin = rope_cos_sin(position_ids, config.head_dim, config.rope_theta)
        rope = (cos.to(x.dtype), sin.to(x.dtype))
        for index, layer in enumerate(self.model.layers):
            wanted = index in return_attention_of
            layer_rope = rope if config.layer_has_rope(index) else None
            x, layer_probs = layer(x, layer_rope, mask, want_probs=wanted)
            if wanted:
                probs[index] = layer_probs
        return self.model.norm(x), probs

    def logits(self, hidden: Tensor) -> Tensor:
        """Normed hidden states `[..., d]` → logits `[..., V]`."""
        head = self.model.embed_tokens if self.lm_head is None else self.lm_head
        return F.linear(hidden, head.weight)

    def forward(
        self,
        inputs_embeds: Tensor,
        position_ids: Tensor,
        attention_mask: Tensor | None = None,
        return_attention_of: Collection[int] = (),
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        """Logits `[B, T, V]` from embeddings `[B, T, d]` at absolute positions `[B, T]`.

        Args:
            position_ids: int64 or float64 (a gist sits at its span's centre).
            attention_mask: keys `[B, T]` or pairs `[B, T, T]` that may be seen; causality is added.
            return_attention_of: layers whose probabilities `[B, h, T, T]` are returned as well.
        """
        hidden, probs = self.hidden_states(inputs_embeds, position_ids, attention_mask, return_attention_of)
        logits = self.logits(hidden)
        return (logits, probs) if return_attention_of else logits
