"""GistNet: 32 children and what stands before them in, one gist out (docs/models.md).

Owns the network and its initialisation from the base. Contextualise first, pool second, as in
LCLM (2606.09659); mean embedding plus a residual. It does no training and reads no files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.constants import BLOCK_SIZE
from training.models.llama import Llama, LlamaConfig, LlamaLayer, RMSNorm, causal_mask, rope_cos_sin


@dataclass
class GistConfig:
    """The manifest's `gistNet` section; layer sizes are the base's."""

    blocks: int = 2
    context_children: int = 32
    attention: str = "bidirectional"
    pooling: str = "queries"
    queries: int = 4

    def __post_init__(self) -> None:
        if self.attention not in ("bidirectional", "causal"):
            raise ValueError(f"unknown attention {self.attention!r}")
        if self.pooling not in ("mean", "queries"):
            raise ValueError(f"unknown pooling {self.pooling!r}")

    @classmethod
    def from_manifest(cls, entry: dict) -> GistConfig:
        """The configuration that a manifest's `gistNet` section describes."""
        names = ("blocks", "contextChildren", "attention", "pooling", "queries")
        return cls(*(entry[name] for name in names))

    def to_manifest(self) -> dict:
        return {
            "blocks": self.blocks,
            "contextChildren": self.context_children,
            "attention": self.attention,
            "pooling": self.pooling,
            "queries": self.queries,
        }


class GistMlp(nn.Module):
    def __init__(self, pooled: int, size: int) -> None:
        super().__init__()
        self.up = nn.Linear(pooled, 4 * size)
        self.down = nn.Linear(4 * size, size)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.up(x)))


class GistSet(nn.Module):
    """One weight set: the compressor of one level."""

    def __init__(self, base: LlamaConfig, config: GistConfig) -> None:
        super().__init__()
        size = base.hidden_size
        self.base, self.config = base, config
        self.blocks = nn.ModuleList(LlamaLayer(base) for _ in range(config.blocks))
        self.norm = RMSNorm(size, base.rms_norm_eps)
        pooled = size
        if config.pooling == "queries":
            self.queries = nn.Parameter(torch.randn(config.queries, size) / math.sqrt(size))
            pooled = config.queries * size
        self.mlp = GistMlp(pooled, size)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, children: Tensor, context: Tensor | None = None, context_mask: Tensor | None = None) -> Tensor:
        """Compress blocks.

        Args:
            children: `[B, K, d]` token embeddings or gists.
            context: `[B, C, d]` of what stands before, right aligned; None = all missing.
            context_mask: `[B, C]`, true where context exists; None = all present.

        Returns:
            Gists `[B, d]`.
        """
        batch, _, size = children.shape
        width = self.config.context_children
        if context is None:
            context = children.new_zeros(batch, width, size)
            context_mask = torch.zeros(batch, width, dtype=torch.bool)
        x = torch.cat([context, children], dim=1)
        hidden = self.contextualise(x, context_mask)[:, width:]
        mean = children.mean(1)
        return mean + self.scale * self.mlp(self.pool(hidden))

    def contextualise(self, x: Tensor, context_mask: Tensor | None) -> Tensor:
        """`[B, C + K, d]` → the same, through the blocks and the norm, at local positions."""
        batch, length, _ = x.shape
        mask, causal = None, self.config.attention == "causal"
        if context_mask is not None:
            present = torch.ones(batch, length, dtype=torch.bool)
            present[:, : context_mask.shape[1]] = context_mask
            mask = present[:, None, None, :].expand(batch, 1, length, length)
            if causal:
                mask = mask & causal_mask(length)
            mask = mask | torch.eye(length, dtype=torch.bool)  # no row may be empty
        positions = torch.arange(length)[None]
        rope = rope_cos_sin(positions, self.base.head_dim, self.base.rope_theta)
        for block in self.blocks:
            x, _ = block(x, rope, mask, causal=causal)
        return self.norm(x)

    def pool(self, hidden: Tensor) -> Tensor:
        """`[B, K, d]` → `[B, d]` (mean) or `[B, Q·d]` (learned queries)."""
        if self.config.pooling == "mean":
            return hidden.mean(1)
        scores = hidden @ self.queries.t() / math.sqrt(hidden.shape[-1])
        return (scores.transpose(1, 2).softmax(-1) @ hidden).flatten(1)


class GistNet(nn.Module):
    """Weight sets `lod1` (children are tokens) and `lod2` (children are gists, every level ≥ 2)."""

    def __init__(self, base: LlamaConfig, config: GistConfig) -> None:
        super().__init__()
        self.config = config
        self.lod1 = GistSet(base, config)
        self.lod2 = GistSet(base, config)

    @torch.no_grad()
    def init_from_base(self, base: Llama, mlp_scale: float = 0.1) -> None:
        """Copy the base's first layers into both sets; start near the mean embedding."""
        for gist_set in (self.lod1, self.lod2):
            for block, layer in zip(gist_set.blocks, base.model.layers, strict=False):
                block.load_state_dict(layer.state_dict())
            gist_set.norm.weight.copy_(base.model.norm.weight.clamp(0.2, 3.0))
            gist_set.mlp.down.weight.mul_(mlp_scale)
            nn.init.zeros_(gist_set.mlp.down.bias)

    def set_for(self, lod: int) -> GistSet:
        return self.lod1 if lod == 1 else self.lod2


def block_windows(children: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Cut `[B, T, d]` into its complete blocks and what stands before each.

    Returns:
        blocks `[B, n, K, d]`, contexts `[B, n, width, d]`, present `[n, width]` (true = exists).
    """
    count = children.shape[1] // BLOCK_SIZE
    padded = F.pad(children[:, : count * BLOCK_SIZE], (0, 0, width, 0))
    windows = padded.unfold(1, width + BLOCK_SIZE, BLOCK_SIZE).transpose(2, 3)
    starts = torch.arange(count)[:, None] * BLOCK_SIZE
    present = starts - width + torch.arange(width) >= 0
    return windows[:, :, width:], windows[:, :, :width], present


@torch.no_grad()
def compress_sequence(gist_set: GistSet, children: Tensor, chunk: int = 256) -> Tensor:
    """Gists of every complete block of one sequence: `[T, d]` → `[T div 32, d]`, without gradients."""
    if len(children) < BLOCK_SIZE:
        return children.new_zeros(0, children.shape[1])
    blocks, contexts, present = block_windows(children[None], gist_set.config.context_children)
    parts = zip(blocks[0].split(chunk), contexts[0].split(chunk), present.split(chunk), strict=True)
    return torch.cat([gist_set(block, context, mask) for block, context, mask in parts])
