"""LensNet: what all variants share, and the default, `dual-cross-attention` (docs/models.md).

Owns the features of a slot, the way slots and tail come in and scores go out, and the default network;
the others are in `lens_variants.py`. No variant is causal: every slot sees the query at the tail. It
does no training, allocates nothing and reads no files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.constants import LENS_VARIANTS
from training.models.features import FEATURES, LEXICAL
from training.models.llama import RMSNorm, SwiGLU


@dataclass
class LensConfig:
    """The manifest's `lensNet` section."""

    hidden_size: int
    width: int = 128
    heads: int = 4
    tail_queries: int = 8
    tail_tokens: int = 64
    eps: float = 1e-5
    variant: str = "dual-cross-attention"
    tail_gists: bool = True
    """False: the mean tail embedding asks instead of learned tail gists (an ablation of the default)."""
    layers: int = 2
    """Of variant `transformer`."""
    window: int = 256
    """Of variant `transformer`: slots see their own window of so many slots, and the tail."""
    iterations: int = 3
    """Of variant `perceiver`: rounds of slot attention."""
    lexical_features: int = 0
    """Columns that say which words an entry shares with the tail: all of them, or 0 for a net made without."""

    word_match: str = "stems"
    """How those words are compared (`WORD_MATCHES` in training/data/words.py)."""

    def __post_init__(self) -> None:
        if self.lexical_features not in (0, LEXICAL):
            raise ValueError(f"a LensNet reads {LEXICAL} lexical features or none, not {self.lexical_features}")
        if self.variant not in LENS_VARIANTS:
            raise ValueError(f"unknown LensNet variant {self.variant!r}; known: {', '.join(LENS_VARIANTS)}")
        if not self.tail_gists and self.variant != "dual-cross-attention":
            raise ValueError("tail_gists=False is an ablation of dual-cross-attention only")

    @property
    def features(self) -> int:
        """Columns of a slot beside its vectors."""
        return FEATURES + self.lexical_features

    def to_manifest(self) -> dict:
        common = {
            "variant": self.variant,
            "width": self.width,
            "heads": self.heads,
            "tailQueries": self.tail_queries,
            "tailTokens": self.tail_tokens,
        }
        if self.lexical_features:
            common["lexicalFeatures"] = self.lexical_features
        if self.word_match != "stems":
            common["wordMatch"] = self.word_match
        own = {
            "dual-cross-attention": {} if self.tail_gists else {"tailGists": False},
            "transformer": {"layers": self.layers, "window": self.window},
            "perceiver": {"iterations": self.iterations},
        }
        return common | own[self.variant]

    @classmethod
    def from_manifest(cls, entry: dict, hidden_size: int, eps: float) -> LensConfig:
        """The configuration that a manifest's `lensNet` section describes."""
        names = {
            "tailQueries": "tail_queries",
            "tailTokens": "tail_tokens",
            "tailGists": "tail_gists",
            "lexicalFeatures": "lexical_features",
            "wordMatch": "word_match",
        }
        known = {field.name for field in fields(cls)}
        own = {names.get(key, key): value for key, value in entry.items()}
        return cls(hidden_size=hidden_size, eps=eps, **{key: own[key] for key in own if key in known})


class CrossAttention(nn.Module):
    """Multi-head attention of one set over another; self-attention when they are the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor | None = None) -> Tensor:
        """`x` `[B, n, w]` reads `other` `[B, m, w]`; `mask` `[B, m]` is true where visible."""
        q, k, v = (
            projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projected in (self.q_proj(x), self.k_proj(other), self.v_proj(other))
        )
        visible = None if mask is None else mask[:, None, None, :]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=visible)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


class TailBlock(nn.Module):
    """Pre-norm bidirectional layer without RoPE over the tail; the layers of `transformer` have its parts."""

    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(width, eps)
        self.self_attn = CrossAttention(width, heads)
        self.post_attention_layernorm = RMSNorm(width, eps)
        self.mlp = SwiGLU(width, 2 * width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        h = self.input_layernorm(x)
        x = x + self.self_attn(h, h, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class CrossBlock(nn.Module):
    """Pre-norm cross-attention and SwiGLU: `read` and `score`."""

    def __init__(self, width: int, heads: int, eps: float) -> None:
        super().__init__()
        self.norm_q = RMSNorm(width, eps)
        self.norm_kv = RMSNorm(width, eps)
        self.norm_mlp = RMSNorm(width, eps)
        self.attn = CrossAttention(width, heads)
        self.mlp = SwiGLU(width, 2 * width)

    def forward(self, x: Tensor, other: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.attn(self.norm_q(x), self.norm_kv(other), mask)
        return x + self.mlp(self.norm_mlp(x))


@dataclass
class LensParts:
    """Intermediate values of one forward pass, for supervision in training."""

    tail_attention: Tensor | None = None
    """`[B, Q, m]` of the tail queries; None without tail gists."""
    match_k: Tensor | None = None
    """`[B, N, w]`"""
    match_q: Tensor | None = None
    """`[B, Q, w]`; Q is 1 without tail gists."""


class LensBase(nn.Module):
    """Slots and tail in, logits of slots against query vectors out: the same in every variant."""

    def __init__(self, config: LensConfig) -> None:
        super().__init__()
        self.config = config

    def add_inputs(self) -> None:
        size, width = self.config.hidden_size, self.config.width
        self.slot_in = nn.Linear(2 * size + self.config.features, width)
        self.tail_in = nn.Linear(size, width)
        if self.config.tail_gists:
            self.tail_pos = nn.Parameter(torch.randn(self.config.tail_tokens, width) * 0.05)

    def add_head(self) -> None:
        width = self.config.width
        self.match_q = nn.Linear(width, width, bias=False)
        self.match_k = nn.Linear(width, width, bias=False)
        self.match_scale = nn.Parameter(torch.ones(1))
        self.head_norm = RMSNorm(width, self.config.eps)
        self.head = nn.Linear(width, 1)

    def project_slots(self, own: Tensor, block: Tensor, feats: Tensor) -> Tensor:
        """`[B, N, d]`, `[B, N, d]`, `[B, N, config.features]` → `[B, N, w]`."""
        return self.slot_in(torch.cat([own, block, feats], dim=-1))

    def project_tail(self, tail: Tensor) -> Tensor:
        """Tail embeddings `[B, m, d]` → `[B, m, w]` with their places, right aligned."""
        return self.tail_in(tail) + self.tail_pos[self.config.tail_tokens - tail.shape[1] :]

    def pool_tail(self, t: Tensor, tail_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Encoded tail `[B, m, w]` → tail gists `[B, Q, w]` and their attention `[B, Q, m]`."""
        scores = self.tail_queries @ t.transpose(1, 2) / math.sqrt(self.config.width)
        if tail_mask is not None:
            scores = scores.masked_fill(~tail_mask[:, None, :], torch.finfo(scores.dtype).min)
        attention = scores.softmax(-1)
        return attention @ t, attention

    def slot_logits(self, e: Tensor, q: Tensor, attention: Tensor | None, parts: LensParts | None) -> Tensor:
        """Slots `[B, N, w]` against query vectors `[B, Q, w]` → logits `[B, N]`."""
        match_k, match_q = self.match_k(e), self.match_q(q)
        match = cosine(match_k, match_q).amax(-1)
        if parts is not None:
            parts.tail_attention, parts.match_k, parts.match_q = attention, match_k, match_q
        return self.match_scale * match + self.head(self.head_norm(e)).squeeze(-1)


class LensNet(LensBase):
    """Scores slots of a working context against the query at its tail."""

    def __init__(self, config: LensConfig) -> None:
        super().__init__(config)
        width, heads, eps = config.width, config.heads, config.eps
        self.add_inputs()
        if config.tail_gists:
            self.tail_block = TailBlock(width, heads, eps)
            self.tail_queries = nn.Parameter(torch.randn(config.tail_queries, width))
        self.read = CrossBlock(width, heads, eps)
        self.score = CrossBlock(width, heads, eps)
        self.null = nn.Parameter(torch.randn(1, width) * 0.05)
        self.add_head()

    def forward(
        self,
        own: Tensor,
        block: Tensor,
        feats: Tensor,
        tail: Tensor,
        slot_mask: Tensor | None = None,
        tail_mask: Tensor | None = None,
        parts: LensParts | None = None,
    ) -> Tensor:
        """Logits `[B, N]` before the tanh.

        Args:
            own: `[B, N, d]` the slot's own vector: token embedding or gist.
            block: `[B, N, d]` the gist of its block (the open tail: its mean embedding).
            feats: `[B, N, config.features]`: `slot_features`, and the lexical ones where the net reads words.
            tail: `[B, m, d]` embeddings of the last m ≤ M tokens.
            slot_mask: `[B, N]` true where a slot exists (padding of a batch).
            tail_mask: `[B, m]` likewise, for tails shorter than m (right aligned).
            parts: filled with what supervision in training needs.
        """
        e = self.project_slots(own, block, feats)
        q, attention = self.encode_tail(tail, tail_mask)
        q = self.read(q, e, slot_mask)
        kv = torch.cat([self.null.expand(q.shape[0], 1, -1), q], dim=1)
        return self.slot_logits(self.score(e, kv), q, attention, parts)

    def encode_tail(self, tail: Tensor, tail_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Tail embeddings `[B, m, d]` → tail gists `[B, Q, w]` and their attention `[B, Q, m]`."""
        if not self.config.tail_gists:
            return self.tail_in(masked_mean(tail, tail_mask)), None
        return self.pool_tail(self.tail_block(self.project_tail(tail), tail_mask), tail_mask)

    def slot_residuals(self) -> list[nn.Linear]:
        """The maps that end a residual branch; training starts them small."""
        return [linear for block in (self.score, self.read) for linear in (block.attn.o_proj, block.mlp.down_proj)]


def masked_mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """`[B, m, d]` → the mean `[B, 1, d]` of the rows where `mask` `[B, m]` is true."""
    if mask is None:
        return x.mean(1, keepdim=True)
    weights = mask.to(x.dtype)[..., None]
    return (x * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True)


def cosine(x: Tensor, y: Tensor) -> Tensor:
    """All cosines `[B, n, m]` of `x` `[B, n, w]` and `y` `[B, m, w]`, with 1e-6 in the norms."""
    x = x / (x.square().sum(-1, keepdim=True) + 1e-6).sqrt()
    y = y / (y.square().sum(-1, keepdim=True) + 1e-6).sqrt()
    return x @ y.transpose(1, 2)
