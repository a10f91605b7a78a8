"""Leave the residual of a trained GistNet out: a gist is then the mapped, weighted mean of its block and nothing else.

    python -m training.published.plain --base FILE.gguf --gistnet gistnet.pt --out plain.pt

Copied layers cost a hundred times what the mean does. Where `training.published.evaluate_gistnet` finds them worth
less than that, the rest is a checkpoint of its own, for LensNet's training, measuring and export.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

from training.models.gistnet import GistConfig, GistNet
from training.models.llama import LlamaConfig
from training.options import parser_of
from training.published.base import BaseFileError, OtherBaseError, load_published_base
from training.published.gistnet import PUBLISHED_GISTNET
from training.published.lensnet import GistNetError, load_published_gistnet
from training.train.checkpoints import entries_of, save_atomically


@torch.no_grad()
def without_residual(net: GistNet, base: LlamaConfig) -> GistNet:
    """A GistNet without layers, its MLP as narrow as it can be and silent."""
    config = GistConfig(
        blocks=0, context_children=0, attention="causal", pooling="mean", queries=1, residual="affine", mlp_width=1
    )
    plain = GistNet(base, config)
    for own, other in ((plain.lod1, net.lod1), (plain.lod2, net.lod2)):
        for parameter in own.mlp.parameters():
            parameter.zero_()
        own.map.load_state_dict(other.map.state_dict())
    plain.lod1.token_weights.copy_(net.lod1.token_weights)
    return plain


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--gistnet", type=Path, default=PUBLISHED_GISTNET)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    try:
        published = load_published_base(options.base)
        net = load_published_gistnet(options.gistnet, published)
    except (BaseFileError, GistNetError, OtherBaseError) as error:
        sys.exit(str(error))
    save_atomically(options.out, entries_of(without_residual(net, published.model.config), base=published.mark()))


if __name__ == "__main__":
    main()
