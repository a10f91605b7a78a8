"""GistNet: 32 children and what stands before them in, one gist out (docs/models.md).

Owns the network and its initialisation from the base. Contextualise first, pool second, as in
LCLM (2606.09659); the mean of the children plus a residual, or for a base whose embeddings share a large
common vector an affine map of their weighted mean. It does no training and reads no files.
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
    residual: str = "mean"
    """What the MLP's output is added to: the children's mean, or (`affine`) a map of their weighted mean."""
    mlp_width: int = 0
    """Hidden units of the MLP; 0 = four times the base's width."""
    lod2_blocks: int | None = None
    """Of the set `lod2`, where it has another number than `blocks`."""

    def __post_init__(self) -> None:
        if self.residual not in ("mean", "affine"):
            raise ValueError(f"unknown residual {self.residual!r}")
        if self.attention not in ("bidirectional", "causal"):
            raise ValueError(f"unknown attention {self.attention!r}")
        if self.pooling not in ("mean", "queries"):
            raise ValueError(f"unknown pooling {self.pooling!r}")

    @classmethod
    def from_manifest(cls, entry: dict) -> GistConfig:
        """The configuration that a manifest's `gistNet` section describes."""
        names = ("blocks", "contextChildren", "attention", "pooling", "queries")
        residual, width = entry.get("residual", "mean"), entry.get("mlpWidth", 0)
        return cls(*(entry[name] for name in names), residual, width, entry.get("lod2Blocks"))

    def to_manifest(self) -> dict:
        common = {
            "blocks": self.blocks,
            "contextChildren": self.context_children,
            "attention": self.attention,
            "pooling": self.pooling,
            "queries": self.queries,
        }
        if self.residual != "mean":
            common["residual"] = self.residual
        if self.mlp_width:
            common["mlpWidth"] = self.mlp_width
        if self.lod2_blocks is not None:
            common["lod2Blocks"] = self.lod2_blocks
        return common


class GistMlp(nn.Module):
    def __init__(self, pooled: int, width: int, size: int) -> None:
        super().__init__()
        self.up = nn.Linear(pooled, width)
        self.down = nn.Linear(width, size)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(F.silu(self.up(x)))


LEAST_WEIGHT = 0.01
"""Of a child in the weighted mean: no block may weigh nothing."""


class GistSet(nn.Module):
    """One weight set: the compressor of one level."""

    def __init__(self, base: LlamaConfig, config: GistConfig, blocks: int, has_tokens: bool) -> None:
        super().__init__()
        size = base.hidden_size
        self.base, self.config = base, config
        self.blocks = nn.ModuleList(LlamaLayer(base) for _ in range(blocks))
        self.norm = RMSNorm(size, base.rms_norm_eps)
        pooled = size
        if config.pooling == "queries":
            self.queries = nn.Parameter(torch.randn(config.queries, size) / math.sqrt(size))
            pooled = config.queries * size
        self.mlp = GistMlp(pooled, config.mlp_width or 4 * size, size)
        self.scale = nn.Parameter(torch.ones(1))
        self.map = self.token_weights = None
        if config.residual == "affine":
            self.map = nn.Linear(size, size)
            if has_tokens:
                self.token_weights = nn.Parameter(torch.ones(base.vocab_size))

    def forward(
        self,
        children: Tensor,
        context: Tensor | None = None,
        context_mask: Tensor | None = None,
        tokens: Tensor | None = None,
    ) -> Tensor:
        """Compress blocks.

        Args:
            children: `[B, K, d]` token embeddings or gists.
            context: `[B, C, d]` of what stands before, right aligned; None = all missing.
            context_mask: `[B, C]`, true where context exists; None = all present.
            tokens: `[B, K]` ids of the children, which weigh them; only where the set has weights of tokens.

        Returns:
            Gists `[B, d]`.
        """
        batch, _, size = children.shape
        width = self.config.context_children
        if context is None:
            context = children.new_zeros(batch, width, size)
            context_mask = torch.zeros(batch, width, dtype=torch.bool, device=children.device)
        x = torch.cat([context, children], dim=1)
        hidden = self.contextualise(x, context_mask)
        return self.start(children, tokens) + self.scale * self.mlp(self.pool(hidden))

    def start(self, children: Tensor, tokens: Tensor | None) -> Tensor:
        """What the learned residual is added to: `[B, K, d]` and their ids `[B, K]` → `[B, d]`."""
        if self.token_weights is None:
            mean = children.mean(1)
        else:
            weights = self.token_weights[tokens].clamp(min=LEAST_WEIGHT)[..., None]
            mean = (children * weights).sum(1) / weights.sum(1)
        return mean if self.map is None else self.map(mean)

    def contextualise(self, x: Tensor, context_mask: Tensor | None) -> Tensor:
        """`[B, C + K, d]` → the children `[B, K, d]`, through the blocks and the norm, at local positions."""
        batch, length, _ = x.shape
        mask, causal = None, self.config.attention == "causal"
        if context_mask is not None:
            present = torch.ones(batch, length, dtype=torch.bool, device=x.device)
            present[:, : context_mask.shape[1]] = context_mask
            mask = present[:, None, None, :].expand(batch, 1, length, length)
            if causal:
                mask = mask & causal_mask(length, x.device)
            mask = mask | torch.eye(length, dtype=torch.bool, device=x.device)  # no row may be empty
        positions = torch.arange(length, device=x.device)[None]
        rope = rope_cos_sin(positions, self.base.head_dim, self.base.rope_theta)
        for block in self.blocks[:-1]:
            x, _ = block(x, rope, mask, causal=causal)
        for block in self.blocks[-1:]:
            x = block.last_rows(x, rope, mask, causal, BLOCK_SIZE)
        return self.norm(x[:, -BLOCK_SIZE:])

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
        lod2_blocks = config.blocks if config.lod2_blocks is None else config.lod2_blocks
        self.lod1 = GistSet(base, config, config.blocks, has_tokens=True)
        self.lod2 = GistSet(base, config, lod2_blocks, has_tokens=False)

    @torch.no_grad()
    def init_from_base(self, base: Llama, mlp_scale: float = 0.1) -> None:
        """Copy the base's first layers into both sets; start near the mean embedding."""
        for gist_set in (self.lod1, self.lod2):
            for block, layer in zip(gist_set.blocks, base.model.layers, strict=False):
                block.load_state_dict(layer.state_dict())
            gist_set.norm.weight.copy_(base.model.norm.weight.clamp(0.2, 3.0))
            gist_set.mlp.down.weight.mul_(mlp_scale)
            nn.init.zeros_(gist_set.mlp.down.bias)
            if gist_set.map is not None:
                nn.init.eye_(gist_set.map.weight)
                nn.init.zeros_(gist_set.map.bias)

    @torch.no_grad()
    def start_centred(self, base: Llama, token_weights: Tensor) -> None:
        """Begin as the weighted mean less the vocabulary's mean, which gists of gists have lost already.

        Args:
            token_weights: `[V]`, the rarer the heavier.
        """
        self.init_from_base(base, mlp_scale=0)
        self.lod1.map.bias.copy_(-base.model.embed_tokens.weight.float().mean(0))
        self.lod1.token_weights.copy_(token_weights)

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
    starts = torch.arange(count, device=children.device)[:, None] * BLOCK_SIZE
    present = starts - width + torch.arange(width, device=children.device) >= 0
    return windows[:, :, width:], windows[:, :, :width], present


@torch.no_grad()
def compress_sequence(gist_set: GistSet, children: Tensor, chunk: int = 256, tokens: Tensor | None = None) -> Tensor:
    """Gists of every complete block of one sequence: `[T, d]` (ids `[T]`) → `[T div 32, d]`, without gradients."""
    count = len(children) // BLOCK_SIZE
    if count == 0:
        return children.new_zeros(0, children.shape[1])
    blocks, contexts, present = block_windows(children[None], gist_set.config.context_children)
    ids = [None] * count if tokens is None else tokens[: count * BLOCK_SIZE].view(count, BLOCK_SIZE).split(chunk)
    parts = zip(blocks[0].split(chunk), contexts[0].split(chunk), present.split(chunk), ids, strict=False)
    return torch.cat([gist_set(block, context, mask, own) for block, context, mask, own in parts])
