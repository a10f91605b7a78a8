"""A base as its makers publish it: a GGUF file, or a folder in Hugging Face's layout, as our frozen Llama.

Reads and dequantises; trains nothing. The playground reads the same files (`src/nn/loader/published-base.ts`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from training.models.llama import Llama, LlamaConfig
from training.train.checkpoints import freeze


class BaseFileError(ValueError):
    """The file is no base that can be read here; says why."""


class OtherBaseError(ValueError):
    """What was trained was trained for another base; says on which."""


SAMPLED = 16
"""Tokens and columns of the embeddings that a base is known by."""
LARGEST_DIFFERENCE = 0.05
"""Of the sample, by its norm: quantisations of one base differ by less, two bases by more."""


@dataclass
class PublishedBase:
    name: str
    model: Llama
    """Frozen, float32."""
    tokenizer: Tokenizer
    trained_context_tokens: int
    opening_token: int
    """What a text opens with: the base's token for that, or its first."""

    def mark(self) -> dict:
        """What a checkpoint says of the base that it was trained for."""
        config, table = self.model.config, self.model.model.embed_tokens.weight
        shape = (config.num_hidden_layers, config.hidden_size, config.vocab_size)
        rows = torch.linspace(0, len(table) - 1, SAMPLED).long()
        return {"name": self.name, "shape": shape, "sample": table[rows, :SAMPLED].float().clone()}

    def check(self, saved: dict, path: Path, remedy: str) -> None:
        """Raises OtherBaseError where the checkpoint says that it is of another base than this one."""
        theirs = saved.get("base")
        if theirs is None:
            return
        own = self.mark()
        if theirs["shape"] == own["shape"]:
            difference = (theirs["sample"] - own["sample"]).norm() / own["sample"].norm()
            if difference < LARGEST_DIFFERENCE:
                return
        raise OtherBaseError(f"{path}: was trained for {theirs['name']}, not for {self.name}; {remedy}")


def load_published_base(path: Path) -> PublishedBase:
    """Raises BaseFileError where there is none, or none of a kind that is read."""
    if not path.exists():
        raise BaseFileError(f"{path}: there is no such file or folder; --base takes a GGUF file or a folder of files")
    loaded = _read_folder(path) if path.is_dir() else _read_gguf(path)
    freeze(loaded.model)
    return loaded


def _read_folder(folder: Path) -> PublishedBase:
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).exists():
            raise BaseFileError(f"{folder}: has no {name}; a folder in Hugging Face's layout does")
    entries = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if entries.get("model_type") != "llama":
        raise BaseFileError(f"{folder}: the architecture is {entries.get('model_type')!r}; llama is read")
    index = folder / "model.safetensors.index.json"
    files = ["model.safetensors"]
    if index.exists():
        files = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    weights: dict[str, Tensor] = {}
    for file in files:
        if not (folder / file).exists():
            raise BaseFileError(f"{folder}: has no {file}; only safetensors are read")
        weights |= load_file(str(folder / file))
    try:
        config = LlamaConfig.from_dict({"attention_bias": False, "tie_word_embeddings": False, **entries})
        context_tokens = int(entries["max_position_embeddings"])
    except (KeyError, TypeError, ValueError) as error:
        raise BaseFileError(f"{folder / 'config.json'}: a field is missing or is no number: {error}") from error
    model = Llama(config)
    _load(model, {name: tensor.float() for name, tensor in weights.items()}, folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    opening = entries.get("bos_token_id") or 0
    return PublishedBase(folder.resolve().name, model, tokenizer, context_tokens, opening)


def _read_gguf(path: Path) -> PublishedBase:
    try:
        from gguf import GGUFReader
        from gguf.quants import dequantize
    except ImportError as error:
        raise BaseFileError('GGUF files need the package gguf: pip install "gguf>=0.17"') from error
    try:
        reader = GGUFReader(path)
    except ValueError as error:
        raise BaseFileError(f"{path}: is no GGUF file ({error})") from error
    text, numbers = _fields(reader)
    if text.get("general.architecture") != "llama":
        raise BaseFileError(f"{path}: the architecture is {text.get('general.architecture')!r}; llama is read")
    raw = {
        tensor.name: torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy()) for tensor in reader.tensors
    }
    heads, kv_heads = int(numbers["llama.attention.head_count"]), int(numbers["llama.attention.head_count_kv"])
    vocabulary, size = raw["token_embd.weight"].shape
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=size,
        num_hidden_layers=int(numbers["llama.block_count"]),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_dim=int(numbers.get("llama.attention.key_length", size // heads)),
        intermediate_size=int(numbers["llama.feed_forward_length"]),
        rms_norm_eps=numbers["llama.attention.layer_norm_rms_epsilon"],
        rope_theta=numbers.get("llama.rope.freq_base", 10_000.0),
        attention_bias="blk.0.attn_q.bias" in raw,
        tie_word_embeddings="output.weight" not in raw,
    )
    model = Llama(config)
    _load(model, _hugging_face_names(raw, heads, kv_heads), path)
    tokenizer = _gguf_tokenizer(reader, text, path)
    return PublishedBase(
        text.get("general.name", path.stem),
        model,
        tokenizer,
        int(numbers["llama.context_length"]),
        int(numbers.get("tokenizer.ggml.bos_token_id", 0)),
    )


def _fields(reader) -> tuple[dict[str, str], dict[str, float]]:
    """The header's strings, and its numbers."""
    text, numbers = {}, {}
    for name, entry in reader.fields.items():
        if len(entry.types) == 1:
            value = entry.contents()
            (text if isinstance(value, str) else numbers)[name] = value
    return text, numbers


LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
OTHER_NAMES = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def _hugging_face_names(raw: dict[str, Tensor], heads: int, kv_heads: int) -> dict[str, Tensor]:
    """GGUF's tensors under Hugging Face's names; rows of q and k back from interleaved pairs to halves."""
    state = {}
    for name, tensor in raw.items():
        stem, kind = name.rsplit(".", 1)
        if stem.startswith("blk."):
            _, layer, part = stem.split(".")
            if part in ("attn_q", "attn_k"):
                count = heads if part == "attn_q" else kv_heads
                tensor = tensor.unflatten(0, (count, -1, 2)).transpose(1, 2).flatten(0, 2)
            state[f"model.layers.{layer}.{LAYER_NAMES[part]}.{kind}"] = tensor
        elif stem in OTHER_NAMES:
            state[f"{OTHER_NAMES[stem]}.{kind}"] = tensor
    return state


def _gguf_tokenizer(reader, text: dict[str, str], path: Path) -> Tokenizer:
    kind = text.get("tokenizer.ggml.pre")
    if kind != "smollm":
        raise BaseFileError(f"{path}: splits words as {kind!r}; give the folder with tokenizer.json instead")
    words, merges, types = (
        reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges", "token_type")
    )
    pairs = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Tokenizer(models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = 3
    tokenizer.add_special_tokens(
        [AddedToken(word, special=True) for word, type_ in zip(words, types, strict=True) if type_ == control]
    )
    return tokenizer


def _load(model: Llama, state: dict[str, Tensor], path: Path) -> None:
    state = {name: tensor for name, tensor in state.items() if not name.endswith("rotary_emb.inv_freq")}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise BaseFileError(f"{path}: the weights do not fit its description: {error}") from error
