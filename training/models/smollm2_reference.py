"""Write what an independent implementation makes of SmolLM2-135M-Instruct, to hold ours to.

    python -m training.models.smollm2_reference FILE.gguf   # → tests/fixtures/smollm2/; needs the extra `reference`

Hugging Face's transformers dequantises the GGUF file and runs it in float32. The strings are fuzzed here; their ids
are llama.cpp's: `node tools/llama-cpp-tokens.mjs FILE.gguf` adds them. The texts are this project's own: prose, code
and a chat.
"""

import gzip
import json
import random
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.paths import FIXTURES, REPOSITORY

POSITIONS_EACH = 700
FUZZED = 10_000
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "     \t\n\r",
    ".,;:!?'\"()[]{}<>/\\|@#$%^&*-_=+`~",
    "äöüßéèñçøåÆŒŁžš",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "你好世界漢字かなカナ한국어",
    "العربيةעבריתहिन्दीไทย",
    "🙂🚀👩\u200d💻🏽🇩🇪❤️\u200b\u00a0\u3000",
    "\u0000\u0001\u0007\u001b\u007f\u0085\ufeff\ufffd",
)
WORDS = (
    "the",
    "The",
    "harbour",
    "don't",
    "we've",
    "IT'S",
    "3.14",
    "x_y",
    "camelCase",
    "http://a.b/c?d=e",
    "\n\n",
    "  ",
)


def fuzzed(rng: random.Random) -> str:
    parts = []
    for _ in range(rng.randint(0, 8)):
        if rng.random() < 0.4:
            parts.append(rng.choice(WORDS))
        else:
            alphabet = rng.choice(ALPHABETS)
            parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 8))))
    return rng.choice(("", " ")).join(parts)


def main(path: Path, out: Path) -> None:
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    rng = random.Random(7)
    strings = [fuzzed(rng) for _ in range(FUZZED)]
    write(out / "tokens.json.gz", {"source": path.name, "strings": strings, "ids": []})
    model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32)
    chat = []
    for question, answer in (
        ("What is a working context?", "A fixed budget of raw tokens and gists that the model reads."),
        (
            "Why is a block expanded?",
            "Because its score is above the threshold and the budget has room, or something paid for it.",
        ),
        ("And who pays?", "The lowest-scored unit that may collapse."),
    ) * 8:
        chat += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    texts = {
        "prose": (REPOSITORY / "docs" / "guide.md").read_text(),
        "code": (REPOSITORY / "src" / "core" / "tree" / "gist-tree.ts").read_text(),
        "chat": tokenizer.apply_chat_template(chat, tokenize=False),
    }
    cases = []
    for name, text in texts.items():
        tokens = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids[:POSITIONS_EACH]
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0].float()
        top = logits.topk(2)
        cases.append(
            {
                "name": name,
                "ids": tokens,
                "top": top.indices[:, 0].tolist(),
                "logit": [round(v, 4) for v in top.values[:, 0].tolist()],
                "margin": [round(v, 4) for v in (top.values[:, 0] - top.values[:, 1]).tolist()],
            }
        )
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is the capital of France?"}], tokenize=False, add_generation_prompt=True
    )
    start = tokenizer.backend_tokenizer.encode(prompt, add_special_tokens=False).ids
    with torch.no_grad():
        greedy = model.generate(torch.tensor([start]), max_new_tokens=48, do_sample=False)[0, len(start) :].tolist()
    write(
        out / "logits.json.gz",
        {"source": path.name, "cases": cases, "prompt": prompt, "start": start, "greedy": greedy},
    )


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(data, 9, mtime=0))
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), FIXTURES / "smollm2")
