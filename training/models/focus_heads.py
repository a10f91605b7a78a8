"""What Multi-Head Focus learns beside one LensNet: adapters and prompts of H heads, a router and a merger.

Owns their shapes, their tensors' names (docs/models.md) and how they start: each of them begins as what the page does
without it. It does no training and reads no files.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from training.constants import ADAPTED_MAPS, CONFIDENCE_SCALE, ENTROPY_SCALE_NATS, HEAD_STATISTICS
from training.models.lensnet import LensNet, LensParts

STATISTICS = len(HEAD_STATISTICS)


class HeadAdapters(nn.Module):
    """Per head a low-rank change of some of LensNet's maps, and a prompt that is added to its tail queries.

    The changes start at nothing (`b` is zero), so that every head begins as the LensNet itself.
    """

    def __init__(self, net: LensNet, heads: int, rank: int) -> None:
        super().__init__()
        maps = [net.get_submodule(name) for name in ADAPTED_MAPS]
        self.heads, self.rank = heads, rank
        self.a = nn.ParameterList(
            torch.randn(heads, rank, linear.in_features) / linear.in_features**0.5 for linear in maps
        )
        self.b = nn.ParameterList(torch.zeros(heads, linear.out_features, rank) for linear in maps)
        self.prompt = nn.Parameter(torch.zeros(heads, *net.tail_queries.shape))

    def weights_of(self, net: LensNet, head: int) -> dict[str, Tensor]:
        """What a head has in place of the LensNet's own tensors."""
        changed = {
            f"{name}.weight": net.get_submodule(name).weight + b[head] @ a[head]
            for name, a, b in zip(ADAPTED_MAPS, self.a, self.b, strict=True)
        }
        return changed | {"tail_queries": net.tail_queries + self.prompt[head]}

    def tensors(self) -> dict[str, Tensor]:
        """By their names in a file: a `[H, rank, in]`, b `[H, out, rank]`, prompt `[H, Q, w]`."""
        named = {"adapters.prompt": self.prompt.detach()}
        for name, a, b in zip(ADAPTED_MAPS, self.a, self.b, strict=True):
            named |= {f"adapters.{name}.a": a.detach(), f"adapters.{name}.b": b.detach()}
        return named


class AdaptedLens:
    """LensNet as one head has it; called as the LensNet itself."""

    def __init__(self, net: LensNet, adapters: HeadAdapters, head: int) -> None:
        self.config, self.net = net.config, net
        self.weights = adapters.weights_of(net, head)

    def __call__(self, *inputs: Tensor | LensParts | None, **named: Tensor | LensParts | None) -> Tensor:
        return functional_call(self.net, self.weights, inputs, named)


class MixingNet(nn.Module):
    """A hidden layer whose outputs are added to what stands without it; the last map starts at zero."""

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        self.width = width
        self.input, self.output = nn.Linear(inputs, width), nn.Linear(width, outputs)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def added(self, x: Tensor) -> Tensor:
        return self.output(F.silu(self.input(x)))

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """By their names in a file."""
        return {f"{prefix}.{name}": tensor for name, tensor in self.state_dict().items()}


class HeadRouter(MixingNet):
    """Utilities of H heads from the query and from what each one's scores say of it."""

    def __init__(self, hidden_size: int, heads: int, width: int) -> None:
        super().__init__(hidden_size + STATISTICS * heads, width, heads)

    def forward(self, query: Tensor, statistics: Tensor) -> Tensor:
        """`query` `[B, d]` the tail's mean embedding, `statistics` `[B, H, 4]` → utilities `[B, H]`.

        On the scale of `wanted`, the first statistic, which is what they start as.
        """
        return statistics[..., 0] + self.added(torch.cat([query, statistics.flatten(1)], dim=-1))

    @staticmethod
    def shares(utilities: Tensor) -> Tensor:
        """`[B, H]` utilities as the confidence of a choice reads them."""
        return (utilities / CONFIDENCE_SCALE).softmax(-1)


class HeadMerger(MixingNet):
    """Gates of the heads that are read, each from its own final hidden state."""

    def __init__(self, hidden_size: int, width: int) -> None:
        super().__init__(hidden_size + 2, width, 1)

    def forward(self, hidden: Tensor, entropy: Tensor, utility: Tensor) -> Tensor:
        """`hidden` `[..., d]`, `entropy` (nats) and `utility` `[...]` → gates `[...]`, softmax to weights.

        They start as the merger `confident` has them. The root mean square of `hidden` is made 1 first.
        """
        unit = hidden / (hidden.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        read = torch.cat([unit, entropy[..., None], utility[..., None]], dim=-1)
        return -entropy / ENTROPY_SCALE_NATS + self.added(read)[..., 0]
