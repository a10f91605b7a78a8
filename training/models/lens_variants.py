"""LensNet's other variants, `transformer` and `perceiver` (docs/models.md), and the factory for all of them.

Same inputs, outputs and `LensParts` as `lensnet.LensNet`; none is causal. It does no training and reads
no files.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.models.lensnet import CrossBlock, LensBase, LensConfig, LensNet, LensParts, TailBlock
from training.models.llama import RMSNorm, SwiGLU

COMPETITION_EPSILON = 1e-8


def present(x: Tensor, mask: Tensor | None) -> Tensor:
    """The mask `[B, n]` of `x` `[B, n, w]`; everything where there is none."""
    return x.new_ones(x.shape[:2], dtype=torch.bool) if mask is None else mask


class TransformerLens(LensBase):
    """Slots and tail as one bidirectional sequence.

    A slot sees its window of `window` neighbours and the whole tail, the tail sees everything
    (Longformer's global tokens, Beltagy et al. 2020): O(N · (window + M)), and the full O((N + M)²)
    while the slots fit one window.
    """

    def __init__(self, config: LensConfig) -> None:
        super().__init__(config)
        self.add_inputs()
        self.layers = nn.ModuleList(TailBlock(config.width, config.heads, config.eps) for _ in range(config.layers))
        self.tail_norm = RMSNorm(config.width, config.eps)
        self.tail_queries = nn.Parameter(torch.randn(config.tail_queries, config.width))
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
        """As `LensNet.forward`."""
        e, t = self.project_slots(own, block, feats), self.project_tail(tail)
        slots, tails = present(e, slot_mask), present(t, tail_mask)
        for layer in self.layers:
            e, t = self.run_layer(layer, e, t, slots, tails)
        q, attention = self.pool_tail(self.tail_norm(t), tail_mask)
        return self.slot_logits(e, q, attention, parts)

    def run_layer(self, layer: TailBlock, e: Tensor, t: Tensor, slots: Tensor, tails: Tensor) -> tuple[Tensor, Tensor]:
        """`e` `[B, N, w]`, `t` `[B, m, w]` and their masks → both after one layer."""
        batch, count, width = e.shape
        window = min(self.config.window, count)
        missing = -count % window
        windows = (count + missing) // window
        normed_e, normed_t = layer.input_layernorm(e), layer.input_layernorm(t)
        queries = F.pad(normed_e, (0, 0, 0, missing)).reshape(batch * windows, window, width)
        near = F.pad(slots, (0, missing)).reshape(batch * windows, window)
        seen = torch.cat([queries, normed_t.repeat_interleave(windows, 0)], dim=1)
        mask = torch.cat([near, tails.repeat_interleave(windows, 0)], dim=1)
        mixed = layer.self_attn(queries, seen, mask).reshape(batch, count + missing, width)[:, :count]
        everything = torch.cat([normed_e, normed_t], dim=1)
        e = e + mixed
        t = t + layer.self_attn(normed_t, everything, torch.cat([slots, tails], dim=1))
        return tuple(x + layer.mlp(layer.post_attention_layernorm(x)) for x in (e, t))

    def slot_residuals(self) -> list[nn.Linear]:
        """As `LensNet.slot_residuals`."""
        return [linear for layer in self.layers for linear in (layer.self_attn.o_proj, layer.mlp.down_proj)]


class SlotAttention(nn.Module):
    """Latents compete for inputs (Locatello et al. 2020): the softmax runs over the latents.

    Two things differ from the paper: the latents start from what the caller gives instead of Gaussian
    draws, so that a score is a function of its input; and norms are RMSNorms, as everywhere here.
    """

    def __init__(self, width: int, iterations: int, eps: float) -> None:
        super().__init__()
        self.iterations = iterations
        self.norm_in = RMSNorm(width, eps)
        self.norm_latent = RMSNorm(width, eps)
        self.norm_mlp = RMSNorm(width, eps)
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)
        self.gru = nn.GRUCell(width, width)
        self.mlp = SwiGLU(width, 2 * width)

    def forward(self, z: Tensor, x: Tensor, mask: Tensor) -> Tensor:
        """Latents `[B, Q, w]` read inputs `[B, n, w]`; `mask` `[B, n]` is true where an input exists."""
        normed = self.norm_in(x)
        k, v = self.k_proj(normed), self.v_proj(normed)
        for _ in range(self.iterations):
            q = self.q_proj(self.norm_latent(z))
            shares = (q @ k.transpose(1, 2) / z.shape[-1] ** 0.5).softmax(dim=1)
            shares = shares * mask[:, None, :]
            weights = shares / (shares.sum(-1, keepdim=True) + COMPETITION_EPSILON)
            z = self.gru((weights @ v).flatten(0, 1), z.flatten(0, 1)).view_as(z)
            z = z + self.mlp(self.norm_mlp(z))
        return z


class PerceiverLens(LensBase):
    """Latents take the tail in, then compete for the slots and the tail; slots are scored against them."""

    def __init__(self, config: LensConfig) -> None:
        super().__init__(config)
        width, heads, eps = config.width, config.heads, config.eps
        self.add_inputs()
        self.tail_block = TailBlock(width, heads, eps)
        self.tail_queries = nn.Parameter(torch.randn(config.tail_queries, width))
        self.compete = SlotAttention(width, config.iterations, eps)
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
        """As `LensNet.forward`."""
        e = self.project_slots(own, block, feats)
        t = self.tail_block(self.project_tail(tail), tail_mask)
        z, attention = self.pool_tail(t, tail_mask)
        mask = torch.cat([present(e, slot_mask), present(t, tail_mask)], dim=1)
        z = self.compete(z, torch.cat([e, t], dim=1), mask)
        kv = torch.cat([self.null.expand(z.shape[0], 1, -1), z], dim=1)
        return self.slot_logits(self.score(e, kv), z, attention, parts)

    def slot_residuals(self) -> list[nn.Linear]:
        """As `LensNet.slot_residuals`."""
        return [self.score.attn.o_proj, self.score.mlp.down_proj, self.compete.mlp.down_proj]


Lens = LensNet | TransformerLens | PerceiverLens


def create_lensnet(config: LensConfig) -> Lens:
    """A network of the variant that the configuration names, with fresh weights."""
    kinds = {"dual-cross-attention": LensNet, "transformer": TransformerLens, "perceiver": PerceiverLens}
    return kinds[config.variant](config)
