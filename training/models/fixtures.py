"""Write the golden parity fixtures that hold the TypeScript and PyTorch networks together.

    python -m training.models.fixtures            # small random networks
    python -m training.models.fixtures --tiny     # also the shipped model and its tokenizer

Each folder under tests/fixtures/ holds `fixture.json` (what it is), a config, float16 weights and
`io.safetensors` (inputs and expected outputs of those rounded weights). Unbatched Llama and LensNet,
batched GistNet. Linear weights are `[out, in]`, positions and masks int32.
"""

from __future__ import annotations

import json

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.constants import BLOCK_SIZE, ROLES
from training.files import write_json
from training.models.features import LEXICAL, slot_features
from training.models.focus_heads import AdaptedLens, HeadAdapters, HeadMerger, HeadRouter
from training.models.folder import ModelFolder
from training.models.gistnet import GistConfig, GistNet
from training.models.lens_variants import Lens, create_lensnet
from training.models.lensnet import LensConfig, LensNet
from training.models.llama import Llama, LlamaConfig
from training.options import parser_of
from training.paths import FIXTURES, MODEL_FOLDER

TOLERANCE = 1e-3
BIG_POSITIONS = (0, 1, 16, 48, 95, 512, 4_096, 16_000, 99_999, 100_000, 100_016, 999_998, 999_999)
TEXTS = (
    "The lantern of Mara is amber.",
    "\nQuestion: What colour is the lantern of Mara?\nAnswer: The lantern of Mara is",
    "  leading and   inner  spaces\t tabs\r\nand lines\n\n\n",
    "for (let i = 0; i < 1024; i += 32) { tree.push(x[i] ?? 'none'); } // it's 3.14e-5",
    "Ünïcödé: Straße, naïve, Ωmega, Привет мир, 你好，世界, مرحبا, हिन्दी",
    "emoji 🙂🏽‍🚀👩‍👩‍👧 and e\u0301 combining, zero\u200bwidth, nbsp\u00a0here",
    "I'll say we've, they're, he'd, it's: IT'S 12,345.67 £8 x_y__z",
    "",
    "\n",
    "a",
)


def randomise(module: nn.Module, generator: torch.Generator) -> None:
    """Make every parameter matter, then round to float16 as the shipped weights are."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight") or "norm_" in name or "layernorm" in name:
                parameter.copy_(1 + 0.2 * noise)
            elif name.endswith(("bias", "bias_ih", "bias_hh", "scale")):
                parameter.copy_(0.5 * noise)
            elif parameter.dim() == 2:
                parameter.copy_(noise * 1.2 / parameter.shape[1] ** 0.5)
            parameter.copy_(parameter.half().float())


def write_fixture(
    name: str, description: str, kind: str, config: dict, weights: nn.Module | dict[str, Tensor] | None, io: dict
) -> None:
    folder = FIXTURES / name
    folder.mkdir(parents=True, exist_ok=True)
    head = {"name": name, "kind": kind, "description": description, "tolerance": TOLERANCE, "config": config}
    if weights is not None:
        head["weights"] = "weights.safetensors"
        tensors = weights if isinstance(weights, dict) else weights.state_dict()
        state = {key: value.half().contiguous() for key, value in tensors.items()}
        save_file(state, str(folder / "weights.safetensors"))
    tensors = {key: value.detach().contiguous() for key, value in io.items()}
    head["io"] = {key: list(value.shape) for key, value in tensors.items()}
    write_json(folder / "fixture.json", head)
    save_file(tensors, str(folder / "io.safetensors"))


def llama_io(model: Llama, inputs_embeds: Tensor, position_ids: Tensor) -> dict[str, Tensor]:
    """`inputs_embeds` `[T, d]`, `position_ids` `[T]` → with `hidden` `[T, d]` and `logits` `[T, V]`."""
    hidden, _ = model.hidden_states(inputs_embeds[None], position_ids[None])
    return {
        "inputs_embeds": inputs_embeds,
        "position_ids": position_ids.int(),
        "hidden": hidden[0],
        "logits": model.logits(hidden)[0],
    }


def llama_fixtures() -> None:
    cases = {
        "llama-gqa-bias": ("grouped queries, biases, tied head", {}),
        "llama-untied": (
            "no biases, untied head, theta 100,000",
            {"attention_bias": False, "tie_word_embeddings": False, "rope_theta": 100_000.0, "num_key_value_heads": 4},
        ),
        "llama-no-rope": (
            "layer 1 of 3 without RoPE; head_dim is not d / heads",
            {"num_hidden_layers": 3, "no_rope_layers": [1, 0, 1], "head_dim": 6, "hidden_size": 32},
        ),
    }
    for seed, (name, (description, changes)) in enumerate(cases.items()):
        generator = torch.Generator().manual_seed(seed)
        shape = {
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 4,
            "intermediate_size": 24,
            "rms_norm_eps": 1e-5,
        }
        config = LlamaConfig(vocab_size=40, **{**shape, **changes})
        model = Llama(config)
        randomise(model, generator)
        positions = torch.tensor(BIG_POSITIONS)
        x = torch.randn(len(positions), config.hidden_size, generator=generator)
        write_fixture(name, description, "llama", config.to_dict(), model, llama_io(model, x, positions))


def gist_io(net: GistNet, base: LlamaConfig, config: GistConfig, generator: torch.Generator) -> dict[str, Tensor]:
    """Four blocks per level: full context, none, partial, one child of context."""
    batch, width = 4, config.context_children
    io: dict[str, Tensor] = {}
    for level in ("lod1", "lod2"):
        children = torch.randn(batch, BLOCK_SIZE, base.hidden_size, generator=generator)
        context = torch.randn(batch, width, base.hidden_size, generator=generator)
        missing = torch.tensor([0, width, width // 2, width - 1])
        mask = torch.arange(width)[None] >= missing[:, None]
        context = context * mask[..., None]
        gist_set, tokens = getattr(net, level), None
        if gist_set.token_weights is not None:
            tokens = torch.randint(0, base.vocab_size, (batch, BLOCK_SIZE), generator=generator)
            io[f"{level}.tokens"] = tokens.int()
        gists = gist_set(children, context, mask, tokens)
        io |= {
            f"{level}.children": children,
            f"{level}.context": context,
            f"{level}.context_mask": mask.int(),
            f"{level}.gists": gists,
        }
    return io


def gist_fixtures() -> None:
    for seed, (attention, pooling) in enumerate(
        (a, p) for a in ("bidirectional", "causal") for p in ("queries", "mean")
    ):
        generator = torch.Generator().manual_seed(100 + seed)
        base = LlamaConfig(
            vocab_size=8,
            hidden_size=16,
            num_attention_heads=4,
            num_key_value_heads=2 + 2 * (seed % 2),
            head_dim=4,
            intermediate_size=24,
            attention_bias=seed < 2,
        )
        config = GistConfig(blocks=2 - seed // 3, context_children=8, attention=attention, pooling=pooling, queries=3)
        net = GistNet(base, config)
        randomise(net, generator)
        entries = {"base": base.to_dict(), "gistNet": config.to_manifest()}
        write_fixture(
            f"gistnet-{attention}-{pooling}",
            f"{attention} attention, {pooling} pooling",
            "gistnet",
            entries,
            net,
            gist_io(net, base, config, generator),
        )


def affine_gist_fixture() -> None:
    """A GistNet as published bases have it: mapped weighted mean, narrow MLP, no blocks at LOD2."""
    generator = torch.Generator().manual_seed(112)
    base = LlamaConfig(
        vocab_size=40,
        hidden_size=16,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=4,
        intermediate_size=24,
        attention_bias=False,
        rope_theta=100_000.0,
    )
    config = GistConfig(2, 12, "causal", "queries", 3, "affine", mlp_width=20, lod2_blocks=0)
    net = GistNet(base, config)
    randomise(net, generator)
    with torch.no_grad():
        net.lod1.scale.fill_(2)
        # Some weigh less than nothing: they count as the least.
        net.lod1.token_weights.copy_((1 + torch.randn(40, generator=generator)).half().float())
    entries = {"base": base.to_dict(), "gistNet": config.to_manifest()}
    description = "affine map of the mean by token weights, narrow MLP, LOD2 without blocks"
    write_fixture("gistnet-affine", description, "gistnet", entries, net, gist_io(net, base, config, generator))


def lens_io(net: Lens, slots: int, tail: int, generator: torch.Generator) -> dict[str, Tensor]:
    size = net.config.hidden_size
    lod = torch.randint(0, 5, (slots,), generator=generator)
    columns = {
        "lod": lod,
        "span": torch.tensor(32) ** lod.clamp(min=1),
        "distance": (10 ** (torch.rand(slots, generator=generator) * 6)).long() - 1,
        "residency": torch.randint(0, 40, (slots,), generator=generator),
        "role": torch.randint(0, len(ROLES), (slots,), generator=generator),
    }
    io = {
        "own": torch.randn(slots, size, generator=generator),
        "block": torch.randn(slots, size, generator=generator),
        "feats": slot_features(**columns),
        "tail": torch.randn(tail, size, generator=generator),
    }
    feats = io["feats"]
    if net.config.lexical_features:
        io["lexical"] = torch.rand(slots, LEXICAL, generator=generator)
        feats = torch.cat([feats, io["lexical"]], dim=-1)
    logits = net(io["own"][None], io["block"][None], feats[None], io["tail"][None])[0]
    return io | {key: value.int() for key, value in columns.items()} | {"logits": logits, "scores": logits.tanh()}


def lens_fixtures() -> None:
    for seed, (slots, tail) in enumerate(((1, 1), (7, 5), (70, 12))):
        generator = torch.Generator().manual_seed(200 + seed)
        config = LensConfig(hidden_size=16, width=16, heads=4, tail_queries=3, tail_tokens=12)
        net = LensNet(config)
        randomise(net, generator)
        entries = {"hiddenSize": 16, "epsilon": config.eps, "lensNet": config.to_manifest()}
        write_fixture(
            f"lensnet-n{slots}-m{tail}",
            f"{slots} slots, tail of {tail} of at most 12 tokens",
            "lensnet",
            entries,
            net,
            lens_io(net, slots, tail, generator),
        )


def lens_variant_fixtures() -> None:
    variants = {
        "mean-tail": ("mean tail embedding instead of tail gists", {"tail_gists": False}),
        "transformer": ("windows of 32 slots", {"variant": "transformer", "window": 32}),
        "perceiver": ("3 rounds of slot attention", {"variant": "perceiver"}),
        "words": ("lexical features", {"lexical_features": LEXICAL}),
        "transformer-words": (
            "windows of 32 slots, lexical features",
            {"variant": "transformer", "window": 32, "lexical_features": LEXICAL},
        ),
        "perceiver-words": (
            "3 rounds of slot attention, lexical features",
            {"variant": "perceiver", "lexical_features": LEXICAL},
        ),
    }
    for seed, (name, (description, changes)) in enumerate(variants.items()):
        for slots, tail in ((70, 12),) if "words" in name else ((1, 1), (70, 12)):
            generator = torch.Generator().manual_seed(300 + 10 * seed + slots)
            config = LensConfig(hidden_size=16, width=16, heads=4, tail_queries=3, tail_tokens=12, **changes)
            net = create_lensnet(config)
            randomise(net, generator)
            entries = {"hiddenSize": 16, "epsilon": config.eps, "lensNet": config.to_manifest()}
            write_fixture(
                f"lensnet-{name}-n{slots}-m{tail}",
                f"{description}; {slots} slots, tail of {tail}",
                "lensnet",
                entries,
                net,
                lens_io(net, slots, tail, generator),
            )


def focus_heads_fixture() -> None:
    """LensNet as each of three heads has it, router and merger: all their tensors in one file."""
    generator = torch.Generator().manual_seed(400)
    config = LensConfig(hidden_size=16, width=16, heads=4, tail_queries=3, tail_tokens=12)
    net = LensNet(config)
    adapters, router, merger = HeadAdapters(net, 3, 2), HeadRouter(16, 3, 8), HeadMerger(16, 8)
    for module in (net, adapters, router, merger):
        randomise(module, generator)
    with torch.no_grad():
        # A prompt is no matrix, and would stay at nothing; a change of the maps as large as they are would saturate.
        adapters.prompt.copy_((0.3 * torch.randn(adapters.prompt.shape, generator=generator)).half().float())
        for change in (*adapters.a, *adapters.b):
            change.copy_((0.3 * torch.randn(change.shape, generator=generator)).half().float())
    io = lens_io(net, 20, 7, generator)
    inputs = [io[name][None] for name in ("own", "block", "feats", "tail")]
    io["headLogits"] = torch.cat([AdaptedLens(net, adapters, head)(*inputs) for head in range(3)])
    query, hidden = torch.randn(16, generator=generator), torch.randn(3, 16, generator=generator)
    statistics, told = torch.rand(3, 4, generator=generator), torch.rand(2, 3, generator=generator)
    io |= {"query": query, "statistics": statistics, "utilities": router(query[None], statistics[None])[0]}
    io |= {"hidden": hidden, "entropy": told[0], "utility": told[1], "gates": merger(hidden, told[0], told[1])}
    entries = {
        "hiddenSize": 16,
        "epsilon": config.eps,
        "lensNet": config.to_manifest(),
        "focusHeads": {"heads": 3, "adapters": {"rank": 2}, "router": {"width": 8}, "merger": {"width": 8}},
    }
    weights = net.state_dict() | adapters.tensors() | router.tensors("router") | merger.tensors("merger")
    write_fixture("focus-heads-h3", "three heads, rank 2, hidden layers of 8", "focusHeads", entries, weights, io)


def tiny_fixtures() -> None:
    """The shipped weights (from models/tiny) on a short sequence of tokens and gists."""
    tokenizer = Tokenizer.from_file(str(MODEL_FOLDER / "tokenizer.json"))
    cases = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in TEXTS]
    folder = FIXTURES / "tokenizer"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.json").write_text(json.dumps(cases, ensure_ascii=True, indent=1) + "\n", encoding="utf-8")

    shipped = ModelFolder()
    base, net = shipped.base(), shipped.gistnet()
    text = TEXTS[0] + " Everyone knows that the bell of Tomas is grey. " * 3 + TEXTS[1]
    ids = torch.tensor(tokenizer.encode(text, add_special_tokens=False).ids)
    x = base.embed(ids)
    gists = net.lod1(x[None, :BLOCK_SIZE])
    io = {"ids": ids.int(), "gist": gists[0], "gist2": net.lod2(gists[:, None].expand(1, BLOCK_SIZE, -1))[0]}
    x = torch.cat([gists, x[BLOCK_SIZE:]])
    positions = torch.arange(len(ids)) + 100_000
    positions = torch.cat([positions[:1] + BLOCK_SIZE // 2, positions[BLOCK_SIZE:]])
    io |= llama_io(base, x, positions)
    io["logits"] = io["logits"][-8:]
    lod = torch.ones(1, dtype=torch.long)
    feats = slot_features(lod, lod * BLOCK_SIZE, lod * (len(ids) - BLOCK_SIZE), lod * 0, lod * 3)
    own, *others = shipped.lensnets()
    # Each net takes the last tokens that it reads of it.
    tail = base.embed(ids)[-max(net.config.tail_tokens for net in (own, *others)) :]
    lexical = torch.linspace(0, 1, LEXICAL)[None]
    io |= {"lens.feats": feats, "lens.lexical": lexical, "lens.tail": tail}
    for name, lens in [("lens", own), *((f"lens.{other.config.variant}", other) for other in others)]:
        own_tail = tail[-lens.config.tail_tokens :]
        read = torch.cat([feats, lexical[:, : lens.config.lexical_features]], dim=-1)
        io[f"{name}.logits"] = lens(gists[None], gists[None], read[None], own_tail[None])[0]
    description = "shipped weights of models/tiny: first block as its gist, then raw tokens from "
    description += "position 100,032; logits of the last 8 entries"
    write_fixture("tiny", description, "tiny", {"text": text}, None, io)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--tiny", action="store_true", help="also the shipped model and tokenizer")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.no_grad():
        llama_fixtures()
        gist_fixtures()
        affine_gist_fixture()
        lens_fixtures()
        lens_variant_fixtures()
        focus_heads_fixture()
        if options.tiny:
            tiny_fixtures()


if __name__ == "__main__":
    main()
