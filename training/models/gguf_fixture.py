"""Write the golden GGUF fixture: one tensor per number format, decoded by the `gguf` package.

    python -m training.models.gguf_fixture      # → tests/fixtures/gguf/; needs the extra `reference`

Rows are random; the tensors bear a Llama model's names, with query and key rows interleaved as such files have
them, so that `expected.safetensors` (Hugging Face's names and row order) holds the reader to both.
"""

from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

from training.paths import FIXTURES

HEADS, KV_HEADS = 2, 1
TENSORS = {
    "token_embd.weight": ("model.embed_tokens.weight", (12, 256), Type.Q8_0),
    "blk.0.attn_norm.weight": ("model.layers.0.input_layernorm.weight", (256,), Type.F32),
    "blk.0.attn_q.weight": ("model.layers.0.self_attn.q_proj.weight", (8, 256), Type.Q4_1),
    "blk.0.attn_k.weight": ("model.layers.0.self_attn.k_proj.weight", (4, 256), Type.Q6_K),
    "blk.0.attn_v.weight": ("model.layers.0.self_attn.v_proj.weight", (4, 256), Type.Q4_K),
    "blk.0.attn_output.weight": ("model.layers.0.self_attn.o_proj.weight", (8, 32), Type.Q4_0),
    "blk.0.ffn_norm.weight": ("model.layers.0.post_attention_layernorm.weight", (32,), Type.F16),
    "blk.0.ffn_gate.weight": ("model.layers.0.mlp.gate_proj.weight", (4, 256), Type.Q5_0),
    "blk.0.ffn_up.weight": ("model.layers.0.mlp.up_proj.weight", (4, 256), Type.Q5_1),
    "blk.0.ffn_down.weight": ("model.layers.0.mlp.down_proj.weight", (4, 32), Type.BF16),
    "output_norm.weight": ("model.norm.weight", (256,), Type.F32),
}
HALF_OFFSETS = {Type.Q4_K: (0, 2), Type.Q6_K: (208,)}


def quantised(values: np.ndarray, kind: Type, rng: np.random.Generator) -> np.ndarray:
    """Bytes of the rows; formats that the package cannot write get random bits and sane scales."""
    if kind not in HALF_OFFSETS:
        return quantize(values, kind)
    block = {Type.Q4_K: 144, Type.Q6_K: 210}[kind]
    data = rng.integers(0, 256, (values.shape[0], values.shape[1] // 256, block), dtype=np.uint8)
    for offset in HALF_OFFSETS[kind]:
        scales = rng.uniform(0.001, 0.05, data.shape[:2]).astype(np.float16)
        data[:, :, offset : offset + 2] = scales[..., None].view(np.uint8)
    return data.reshape(values.shape[0], -1)


def in_hugging_face_order(rows: np.ndarray, heads: int) -> np.ndarray:
    return rows.reshape(heads, rows.shape[0] // heads // 2, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def main(folder: Path) -> None:
    rng = np.random.default_rng(11)
    folder.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(folder / "blocks.gguf", "llama")
    writer.add_name("Golden blocks")
    writer.add_license("apache-2.0")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(256)
    writer.add_feed_forward_length(4)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(4)
    writer.add_rope_freq_base(100_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["<|end|>", "a", "b", "ab", "Ġ", "Ġab", "1", "2", "12", "Ċ", "c", "Ġabc"])
    writer.add_token_types([3] + [1] * 11)
    writer.add_token_merges(["a b", "Ġ ab", "Ġab c", "1 2"])
    writer.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}")
    expected = {}
    for name, (hugging_face, shape, kind) in TENSORS.items():
        values = rng.normal(0, 0.7, shape).astype(np.float32)
        if kind in (Type.F32, Type.F16):
            data = values if kind is Type.F32 else values.astype(np.float16)
            decoded = data.astype(np.float32)
        else:
            data = quantised(values, kind, rng)
            decoded = dequantize(data, kind).reshape(shape).astype(np.float32)
        writer.add_tensor(name, data, raw_dtype=kind)
        heads = {"blk.0.attn_q.weight": HEADS, "blk.0.attn_k.weight": KV_HEADS}.get(name)
        expected[hugging_face] = decoded if heads is None else in_hugging_face_order(decoded, heads)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file({name: np.ascontiguousarray(rows) for name, rows in expected.items()}, folder / "expected.safetensors")


if __name__ == "__main__":
    main(FIXTURES / "gguf")
