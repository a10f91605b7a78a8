"""Write the harbour world for the evaluation, which generates its own documents from it.

    python training/export_world.py            # → src/runtime/evaluation/world/world-data.json

`heldOut` holds lead-ins, tails and filler that training never shows.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from filler import TOPICS
from lexicon import ALIASES, LEXICON
from world import (
    ALL_RELATIONS,
    CHAIN_HOPS,
    CHAIN_QUESTIONS,
    COUNT_CLAUSE,
    COUNT_QUESTIONS,
    COUNTS,
    EVAL_SHARE,
    HOLDS,
    KIN,
    LEADS,
    PARAPHRASES,
    SEEN,
    TAILS,
)

OUT = Path(__file__).resolve().parent.parent / "src" / "runtime" / "evaluation" / "world" / "world-data.json"

HELD_OUT_LEADS = (
    "A boy told the ferryman that", "On the last page it says that", "To be exact,", "The widow by the well knows that",
    "Under oath he said that", "No one will deny that", "Our neighbour writes that", "At the long table it was agreed that",
)
HELD_OUT_TAILS = (
    ", though it hardly matters", ", which was news to me", ", or the book is wrong", ", and everyone went home",
    "; nothing more is known", ", year in and year out",
)
HELD_OUT_TOPICS = {
    "workshop": (
        "In the workshop the [lamp|stove|old bench] [smoked|leaned|stood by the window], and the [floor|door|table] was [swept|open|covered with sand].",
        "{person} [wanted|looked for|asked for] a [good|small|second] nail and [found|got] [nothing|two|a bent one].",
        "The work was [slow|good|half done], and [nobody|everyone|the young man] [spoke|hummed|watched the rain].",
        "It took [a day|a week|all winter] to mend what the [storm|fire|children] had [broken|spoiled|carried away].",
    ),
    "travel": (
        "The coach from {place} was [late|full|early], and the [driver|horses|passengers] [wanted|needed] [water|rest|supper].",
        "{person} [set out|came back|turned round] [before light|in the fog|on foot], [tired|cheerful|wet to the skin].",
        "There were [three|few|too many] gates on the road, and [one|each|the last] was [shut|broken|left open].",
        "A [map|letter|song] of the road was [lost|sold|learned by heart], and so [they asked|nobody asked] the way.",
    ),
}


def world() -> dict:
    relations = []
    for relation in ALL_RELATIONS:
        entries = asdict(relation)
        relations.append({
            "name": entries["name"],
            "kinds": entries["kinds"],
            "valueKind": entries["value_kind"],
            "clause": entries["clause"],
            "questions": entries["questions"],
            "after": entries["after"],
        })
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    out = parser.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(world(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
