"""Train the byte-level BPE tokenizer on the harbour world, and load it.

    python -m training.data.tokenizer                # train anew: another vocabulary, which needs another base
    python -m training.data.tokenizer --extend       # add words to the shipped one; old tokens keep their ids

Every text tokenises and round-trips (the 256 byte symbols are in the vocabulary); digits are single
tokens; entity words are one token with their leading space.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from training.data.prose import load_prose
from training.files import write_json
from training.options import parser_of
from training.paths import MODEL_FOLDER
from training.world.asides import LEADS, TAILS
from training.world.chronicler import Chronicler
from training.world.lexicon import ALIASES, ENTITY_WORDS, LEXICON, QUESTION_WORDS
from training.world.relations import RELATIONS

END_OF_TEXT = "<|endoftext|>"
VOCABULARY = 2048


def new_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def training_texts(seed: int) -> Iterator[str]:
    """World sentences, entity words often enough to be merged whole, and a little prose."""
    rng = random.Random(seed)
    for _ in range(400):
        chronicler = Chronicler(rng, cast_size=32, relation_count=len(RELATIONS))
        yield " ".join(chronicler.filler() for _ in range(40))
    for relation in RELATIONS:
        fill = {"a": rng.choice(LEXICON[relation.kinds[0]]), "b": rng.choice(LEXICON[relation.kinds[1]])}
        for question in relation.questions:
            yield "\n".join([f"Question: {question.format(**fill)}\nAnswer: {relation.clause.format(**fill)}"] * 300)
    for text in LEADS + TAILS:
        yield " ".join([text] * 60)
    for word in ENTITY_WORDS:
        yield f" {word}" * 4000
    yield load_prose()[:200_000]


def train(vocabulary: int, seed: int) -> Tokenizer:
    tokenizer = new_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(training_texts(seed), trainer)
    return tokenizer


def extend(tokenizer: Tokenizer, words: tuple[str, ...]) -> Tokenizer:
    """The same tokenizer with every word one token (with its leading space).

    New merges come last, so that text without these words keeps its tokens.
    """
    for word in words:
        pieces = tokenizer.encode(f" {word}").tokens
        content = json.loads(tokenizer.to_str())
        vocabulary, merges = content["model"]["vocab"], content["model"]["merges"]
        while len(pieces) > 1:
            left, right, *rest = pieces
            vocabulary.setdefault(left + right, len(vocabulary))
            merges.append([left, right])
            pieces = [left + right, *rest]
        tokenizer = Tokenizer.from_str(json.dumps(content))
    return tokenizer


def first_tokens(tokenizer: Tokenizer, count: int) -> Tokenizer:
    """The tokenizer as it was when it had `count` tokens: what `extend` added is taken away again."""
    content = json.loads(tokenizer.to_str())
    model = content["model"]
    model["vocab"] = {token: index for token, index in model["vocab"].items() if index < count}
    model["merges"] = [pair for pair in model["merges"] if "".join(pair) in model["vocab"]]
    return Tokenizer.from_str(json.dumps(content))


def load_tokenizer(folder: Path = MODEL_FOLDER) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` as Hugging Face lays them out."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": END_OF_TEXT,
        "unk_token": None,
        "add_bos_token": False,
        "add_eos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1_000_000,
    }
    write_json(folder / "tokenizer_config.json", config)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER)
    parser.add_argument(
        "--extend", action="store_true", help="add aliases and question words to the tokenizer at --out"
    )
    options = parser.parse_args()
    if options.extend:
        tokenizer = extend(load_tokenizer(options.out), (*ALIASES.values(), *QUESTION_WORDS))
    else:
        tokenizer = train(options.vocabulary, options.seed)
    save(tokenizer, options.out)
    split = [
        word
        for word in (*ENTITY_WORDS, *ALIASES.values(), *QUESTION_WORDS)
        if len(tokenizer.encode(f" {word}").ids) > 1
    ]
    print(f"{tokenizer.get_vocab_size()} tokens; {len(ENTITY_WORDS)} entity words, {len(split)} of them split: {split}")


if __name__ == "__main__":
    main()
