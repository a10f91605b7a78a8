"""Write the harbour world for the evaluation, which generates its own documents from it.

    python -m training.world.export            # → src/runtime/evaluation/world-data.json

`heldOut` holds lead-ins, tails and filler that training never shows.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from training.files import write_pretty_json
from training.options import parser_of
from training.paths import WORLD_DATA
from training.world.asides import LEADS, TAILS
from training.world.filler import TOPICS
from training.world.held_out import EVAL_SHARE, HELD_OUT_LEADS, HELD_OUT_TAILS, HELD_OUT_TOPICS
from training.world.lexicon import ALIASES, LEXICON
from training.world.relations import (
    ALL_RELATIONS,
    CHAIN_HOPS,
    CHAIN_QUESTIONS,
    COUNT_CLAUSE,
    COUNT_QUESTIONS,
    COUNTS,
    HOLDS,
    KIN,
    PARAPHRASES,
    SEEN,
)


def world() -> dict:
    relations = []
    for relation in ALL_RELATIONS:
        entries = asdict(relation)
        relations.append(
            {
                "name": entries["name"],
                "kinds": entries["kinds"],
                "valueKind": entries["value_kind"],
                "clause": entries["clause"],
                "questions": entries["questions"],
                "after": entries["after"],
            }
        )
    return {
        "evalShare": EVAL_SHARE,
        "lexicon": LEXICON,
        "aliases": ALIASES,
        "relations": relations,
        "restated": {"last": SEEN.name, "values": HOLDS.name},
        "paraphrases": PARAPHRASES,
        "count": {"questions": COUNT_QUESTIONS, "clause": COUNT_CLAUSE, "numbers": COUNTS},
        "chain": {"relation": KIN.name, "hops": CHAIN_HOPS, "questions": CHAIN_QUESTIONS},
        "leads": LEADS,
        "tails": TAILS,
        "topics": TOPICS,
        "heldOut": {"leads": HELD_OUT_LEADS, "tails": HELD_OUT_TAILS, "topics": HELD_OUT_TOPICS},
    }


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, default=WORLD_DATA)
    out = parser.parse_args().out
    write_pretty_json(out, world())


if __name__ == "__main__":
    main()
