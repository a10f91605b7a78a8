"""The networks: shapes, gradients, and what their initialisation promises."""

from __future__ import annotations

import pytest
import torch

from training.constants import BLOCK_SIZE, LENS_VARIANTS
from training.models.features import FEATURES
from training.models.gistnet import GistConfig, GistNet, block_windows, compress_sequence
from training.models.initialisation import init_copy_head, init_positional_heads
from training.models.lens_variants import create_lensnet
from training.models.lensnet import LensConfig, LensParts
from training.models.llama import Llama, LlamaConfig


def assert_all_learn(module: torch.nn.Module, loss: torch.Tensor) -> None:
    loss.backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def tiny_llama(**changes: object) -> Llama:
    torch.manual_seed(2)
    shape = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 32}
    return Llama(LlamaConfig(vocab_size=60, **{"hidden_size": 128, "intermediate_size": 64, **shape, **changes}))


def test_llama_is_causal_and_learns_everywhere() -> None:
    model = tiny_llama(num_key_value_heads=2, no_rope_layers=[1, 0])
    x, positions = torch.randn(2, 9, 128), torch.arange(9).expand(2, -1)
    logits = model(x, positions)
    assert logits.shape == (2, 9, 60)
    later = x.clone()
    later[:, 6:] += 1
    assert torch.allclose(model(later, positions)[:, :6], logits[:, :6], atol=1e-5)
    assert_all_learn(model, model(model.embed(torch.arange(18).view(2, 9)), positions).square().mean())


def test_positional_heads_look_back_by_their_number() -> None:
    model = tiny_llama()
    init_positional_heads(model)
    tokens = torch.randint(0, 60, (1, 40))
    far = torch.arange(40)[None] + 100_000
    _, probs = model(model.embed(tokens), far, return_attention_of=[0])
    for head in range(4):
        assert probs[0][0, head, 20:].diagonal(offset=20 - head - 1).mean() > 0.8


def test_a_copying_head_says_what_it_attends_to() -> None:
    model = tiny_llama()
    init_copy_head(model, layer=1, head=0)
    attention = model.model.layers[1].self_attn
    span = slice(0, 32)
    written = attention.o_proj.weight[:, span] @ attention.v_proj.weight[span]
    token = model.model.embed_tokens.weight
    assert ((token @ written.T) @ token.T).argmax(-1).eq(torch.arange(60)).float().mean() > 0.95


@pytest.mark.parametrize("pooling", ["queries", "mean"])
@pytest.mark.parametrize("attention", ["bidirectional", "causal"])
def test_gistnet_learns_everywhere(pooling: str, attention: str) -> None:
    base = tiny_llama()
    net = GistNet(base.config, GistConfig(blocks=1, context_children=8, attention=attention, pooling=pooling))
    net.init_from_base(base)
    children, context = torch.randn(3, BLOCK_SIZE, 128), torch.randn(3, 8, 128)
    gists = net.lod1(children, context, torch.rand(3, 8) > 0.5)
    assert gists.shape == (3, 128)
    assert torch.allclose(gists, children.mean(1), atol=2.0)
    assert_all_learn(net, (gists + net.lod2(children)).square().mean())


def test_a_gist_depends_on_its_block_and_the_context_alone() -> None:
    base = tiny_llama()
    net = GistNet(base.config, GistConfig(blocks=1, context_children=BLOCK_SIZE))
    x = torch.randn(4 * BLOCK_SIZE + 5, 128)
    gists = compress_sequence(net.lod1, x)
    assert gists.shape == (4, 128)
    changed = x.clone()
    changed[:BLOCK_SIZE] += 1
    moved = (compress_sequence(net.lod1, changed) - gists).abs().amax(-1) > 1e-6
    assert moved.tolist() == [True, True, False, False]
    blocks, contexts, present = block_windows(x[None], BLOCK_SIZE)
    assert torch.equal(contexts[0, 1], blocks[0, 0])
    assert present.any(1).tolist() == [False, True, True, True]


@pytest.mark.parametrize("variant", LENS_VARIANTS)
def test_a_lens_scores_slots_whatever_the_padding(variant: str) -> None:
    torch.manual_seed(3)
    net = create_lensnet(LensConfig(16, width=16, tail_queries=3, tail_tokens=12, variant=variant, window=8))
    own, block, feats, tail = (torch.randn(1, n, d) for n, d in ((11, 16), (11, 16), (11, FEATURES), (6, 16)))
    parts = LensParts()
    logits = net(own, block, feats, tail, parts=parts)
    assert logits.shape == (1, 11)
    assert parts.match_k.shape[1] == 11
    padded = [torch.cat([t, torch.randn(1, 5, t.shape[2])], 1) for t in (own, block, feats)]
    wide_tail = torch.cat([torch.randn(1, 6, 16), tail], 1)
    masks = torch.arange(16)[None] < 11, torch.arange(12)[None] >= 6
    assert torch.allclose(net(*padded, wide_tail, *masks)[:, :11], logits, atol=1e-4)
    later = feats.clone()
    later[:, -1] += 3
    assert not torch.allclose(net(own, block, later, tail), logits)
    assert_all_learn(net, net(own, block, feats, tail).square().mean() + net(own, block, feats, tail).sum())
