"""Write the golden fixture that holds training's working contexts to the playground's.

    python -m training.data.context_fixture      # → tests/fixtures/working-context/cases.json

Layouts by recency, and for some layouts everything that LensNet and the base are given: vectors, features,
positions, tail. `src/core/context/working-context-fixture.test.ts` checks `assembleByRecency` and `buildSlotView`
against it, `training/tests/test_working_context.py` this package. Embeddings and gists are the functions below, exact
in float16, so that no weights are needed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.constants import BLOCK_SIZE, MAX_LOD, ROLES
from training.data.layouts import Entry, expand_at, protected_start, recency_layout
from training.data.slots import context_embeds, slots_of, tail_embeds
from training.data.streams import Stream
from training.files import write_pretty_json
from training.models.llama import Llama, LlamaConfig
from training.options import parser_of
from training.paths import FIXTURES

CASES = FIXTURES / "working-context" / "cases.json"
VOCABULARY = 97
RECENCY = (
    # tokens, recentTokens, lod1WindowTokens, budgetTokens
    (0, 256, 2048, 1024),
    (31, 256, 2048, 1024),
    (300, 256, 2048, 1024),
    (1029, 96, 0, 1024),
    (5000, 256, 2048, 8192),
    (5000, 256, 1000, 8192),
    (34_900, 64, 256, 384),
    (2100, 384, 1024, 448),
    (2111, 384, 1024, 448),
)
"""The last ones: three quarters of the budget are less than the recent tokens asked for."""


def embedding(token: int) -> list[float]:
    return [token / 8, -(token % 5) / 4]


def gist(lod: int, index: int) -> list[float]:
    return [lod * 16 + index % 32 / 4, index % 7 / 2 - lod]


def stand_in_base() -> Llama:
    """A base of which only the embeddings matter."""
    shape = {"num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 2}
    base = Llama(LlamaConfig(vocab_size=VOCABULARY, hidden_size=2, intermediate_size=2, **shape))
    base.model.embed_tokens.weight.data = torch.tensor([embedding(token) for token in range(VOCABULARY)])
    return base


def stand_in_stream(length: int, runs: list[tuple[int, str]]) -> Stream:
    """`length` tokens, their gists, and roles by runs of (end, role)."""
    tokens = torch.arange(length) % VOCABULARY
    gists = {
        lod: torch.tensor([gist(lod, index) for index in range(length // BLOCK_SIZE**lod)]).reshape(-1, 2)
        for lod in range(1, MAX_LOD + 1)
    }
    roles, start = torch.empty(length, dtype=torch.int64), 0
    for end, role in runs:
        roles[start:end] = ROLES.index(role)
        start = end
    return Stream(tokens, gists, roles)


def rounded(values: Tensor) -> list:
    """Floats as JSON numbers of seven digits."""
    return [[float(f"{value:.7g}") for value in row] for row in values.tolist()]


def slots_case(
    name: str,
    runs: list[tuple[int, str]],
    recent: int,
    opened: tuple[tuple[int, int], ...],
    residency: tuple[int, ...],
    tail_tokens: int,
) -> dict:
    """One layout with what it looks like to the networks; `opened` are (token, LOD) expansions."""
    length = runs[-1][0]
    stream, base = stand_in_stream(length, runs), stand_in_base()
    layout = recency_layout(length, recent, 0)
    for token, lod in opened:
        expand_at(layout, token, lod)
    stayed = [residency[index % len(residency)] for index in range(len(layout))]
    return {
        "name": name,
        "runs": runs,
        "layout": layout,
        "residency": stayed,
        "tailTokens": tail_tokens,
        **seen(stream, layout, base, stayed, tail_tokens),
    }


def seen(stream: Stream, layout: list[Entry], base: Llama, residency: list[int], tail_tokens: int) -> dict:
    """What the networks are given of a layout; features by entry, as all slots of an entry share them."""
    slots = slots_of(stream, layout, base, residency)
    embeds, positions = context_embeds(stream, layout, base)
    first = [slots.entry.tolist().index(index) for index in range(len(layout))]
    return {
        "entryOfSlot": slots.entry.tolist(),
        "features": rounded(slots.feats[first]),
        "embeddings": rounded(embeds),
        "blockVectors": rounded(slots.block),
        "positions": positions.tolist(),
        "tail": rounded(tail_embeds(stream, base, tail_tokens)),
    }


def recency_case(tokens: int, recent: int, lod1_window: int, budget: int) -> dict:
    return {
        "tokens": tokens,
        "recentTokens": recent,
        "lod1WindowTokens": lod1_window,
        "budgetTokens": budget,
        "protectedStart": protected_start(tokens, recent, budget),
        "layout": recency_layout(tokens, recent, lod1_window, budget),
    }


@torch.no_grad()
def cases() -> dict:
    return {
        "recency": [recency_case(*case) for case in RECENCY],
        "slots": [
            slots_case("open tail only", [(19, "user")], 64, (), (0,), 8),
            slots_case(
                "raw blocks among gists of two levels, three roles",
                [(1056, "document"), (1090, "assistant"), (1113, "user")],
                32,
                ((1030, 0),),
                (7, 0, 1),
                20,
            ),
            slots_case("a page opened", [(2048, "system"), (2080, "document")], 32, ((40, 0),), (3, 63), 64),
            slots_case("three levels far back", [(33_800, "document"), (33_824, "user")], 24, (), (12, 5, 0), 5),
        ],
    }


def main() -> None:
    parser_of(__doc__).parse_args()
    write_pretty_json(CASES, cases())


if __name__ == "__main__":
    main()
