"""Shared by all tests: one thread, the shipped tokenizer and folder, and a base small enough to train in a test."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from training.data.tokenizer import load_tokenizer
from training.models.folder import ModelFolder
from training.models.gistnet import GistConfig, GistNet
from training.models.llama import Llama, LlamaConfig
from training.train.checkpoints import entries_of, save_atomically

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return load_tokenizer()


@pytest.fixture(scope="session")
def shipped() -> ModelFolder:
    return ModelFolder()


@pytest.fixture(scope="session")
def small_base(tokenizer: Tokenizer) -> Llama:
    """Random weights, width 16, the shipped vocabulary."""
    torch.manual_seed(0)
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
    return Llama(LlamaConfig(tokenizer.get_vocab_size(), hidden_size=16, intermediate_size=24, **shape))


@pytest.fixture(scope="session")
def small_gistnet(small_base: Llama) -> GistNet:
    torch.manual_seed(1)
    net = GistNet(small_base.config, GistConfig(blocks=1, context_children=32, queries=2))
    net.init_from_base(small_base)
    return net


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory, small_base: Llama, small_gistnet: GistNet) -> Path:
    """A folder with checkpoints of the small base and GistNet."""
    folder = tmp_path_factory.mktemp("checkpoints")
    base = {"config": small_base.config.to_dict(), "state_dict": small_base.state_dict()}
    save_atomically(folder / "base.pt", base)
    save_atomically(folder / "gistnet.pt", entries_of(small_gistnet, probes={}))
    return folder
