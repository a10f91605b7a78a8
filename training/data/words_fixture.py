"""Write the golden fixture that holds training's lexical features to the playground's.

    python -m training.data.words_fixture      # → tests/fixtures/lexical/cases.json

Histories over a small vocabulary of pieces of words, characters cut between tokens among them; for each a layout,
what is asked, and the features of its entries. `src/core/lexical/history-words.test.ts` checks `HistoryWords`
against it, `training/tests/test_words.py` this package.
"""

from __future__ import annotations

import random

import torch

from training.constants import ROLES
from training.data.layouts import Entry, expand_at, recency_layout
from training.data.words import HistoryWords, Vocabulary, asked_at
from training.files import write_pretty_json
from training.options import parser_of
from training.paths import FIXTURES

CASES = FIXTURES / "lexical" / "cases.json"
COMMON = (" the", " of", " a", " and", " is", ".", ",", "\n", " in", " it", " was", "s", " tide")
RARE = (
    " lan",
    "tern",
    " Mara",
    " amber",
    " lad",
    "ies",
    " BOX",
    "es",
    " gl",
    "ass",
    "ly",
    "7",
    " 1",
    "-",
    "’s",
    " Ｋ９",
)
CUT = (" caf", "é", " 東", "京", " Ω", "ő")
TOKENS = [
    *(text.encode() for text in COMMON + RARE),
    *(part for text in CUT for part in (text.encode()[:-1], text.encode()[-1:])),
    b"\xff",
]
"""The bytes of every token; the last are cut within characters, or are none."""


def history(length: int, seed: int) -> list[int]:
    """Mostly common words; rare ones come in clusters, as facts do."""
    rng, ids = random.Random(seed), []
    while len(ids) < length:
        if rng.random() < 0.12:
            first = rng.randrange(len(COMMON), len(TOKENS))
            ids += [(first + step) % len(TOKENS) for step in range(rng.randint(1, 4))]
        else:
            ids.append(rng.randrange(len(COMMON)))
    return ids[:length]


def features(ids: list[int], runs: list[tuple[int, str]], layout: list[Entry], tail_tokens: int) -> dict:
    """What is asked at the history's end, and the entries' features as JSON numbers of seven digits."""
    roles = torch.cat([torch.full((end - start,), ROLES.index(role)) for start, (end, role) in with_starts(runs)])
    asked = asked_at(roles, len(ids), tail_tokens)
    named = {"stems": "features", "beginnings": "beginnings", "wide": "wide"}
    rows = {
        name: HistoryWords(Vocabulary(TOKENS), ids, match).features(layout, asked).tolist()
        for match, name in named.items()
    }
    return {
        "query": list(asked.query),
        "tail": list(asked.tail),
        **{name: [[float(f"{value:.7g}") for value in row] for row in found] for name, found in rows.items()},
    }


def with_starts(runs: list[tuple[int, str]]) -> list[tuple[int, tuple[int, str]]]:
    return list(zip([0, *(end for end, _ in runs)], runs, strict=False))


def case(name: str, runs: list[tuple[int, str]], opened: tuple[int, ...], tail_tokens: int, seed: int) -> dict:
    length = runs[-1][0]
    ids, layout = history(length, seed), recency_layout(length, 64, 256)
    for token in opened:
        expand_at(layout, token, 0)
    return {
        "name": name,
        "ids": ids,
        "runs": runs,
        "layout": layout,
        "tailTokens": tail_tokens,
        **features(ids, runs, layout, tail_tokens),
    }


def cases() -> dict:
    return {
        "tokens": [token.hex() for token in TOKENS],
        "cases": [
            case("a question at the end", [(2270, "document"), (2296, "user"), (2299, "assistant")], (1200, 40), 64, 1),
            case("nobody asks", [(1301, "document")], (96,), 64, 2),
            case("the question is far", [(400, "document"), (420, "user"), (700, "assistant")], (), 48, 3),
            case("a long question", [(500, "document"), (900, "user")], (64,), 64, 4),
            case("hardly anything yet", [(20, "user")], (), 64, 5),
        ],
    }


def main() -> None:
    parser_of(__doc__).parse_args()
    write_pretty_json(CASES, cases())


if __name__ == "__main__":
    main()
