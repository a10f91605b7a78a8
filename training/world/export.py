"""Write the harbour world for the evaluation, which generates its own documents from it.

    python -m training.world.export            # → src/runtime/evaluation/world/world-{data,forms}.json

In world-data.json, `heldOut` holds lead-ins, tails and filler that training never shows. In world-forms.json stand the
further forms of statements and questions, trained and held out, which the shipped weights have not seen.
"""

from __future__ import annotations

from dataclasses import asdict

from training.files import write_pretty_json
from training.options import parser_of
from training.paths import WORLD_DATA, WORLD_FORMS
from training.world.asides import LEADS, TAILS
from training.world.filler import TOPICS
from training.world.forms import ABSTENTION, RELATION_IN
from training.world.held_out import EVAL_SHARE, HELD_OUT_LEADS, HELD_OUT_TAILS, HELD_OUT_TOPICS
from training.world.lexicon import ALIASES, LEXICON
from training.world.questions import (
    HELD_OUT_CHAIN_QUESTIONS,
    HELD_OUT_COUNT_QUESTIONS,
    HELD_OUT_LIST_QUESTIONS,
    HELD_OUT_TRAIL_QUESTIONS,
    LIST_QUESTIONS,
    TRAIL_QUESTIONS,
)
from training.world.relations import (
    ALL_RELATIONS,
    CHAIN_HOPS,
    CHAIN_QUESTIONS,
    COUNT_CLAUSE,
    COUNT_QUESTIONS,
    COUNTS,
    HOLDS,
    KIN,
    RELATION,
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
        "paraphrases": {relation.name: relation.paraphrases for relation in ALL_RELATIONS if relation.paraphrases},
        "count": {"clause": COUNT_CLAUSE, "numbers": COUNTS},
        "chain": {"relation": KIN.name, "hops": CHAIN_HOPS},
        "leads": LEADS,
        "tails": TAILS,
        "topics": TOPICS,
        "heldOut": {"leads": HELD_OUT_LEADS, "tails": HELD_OUT_TAILS, "topics": HELD_OUT_TOPICS},
    }


def world_forms() -> dict:
    """The forms of `forms.py`: of each relation, those that training may show and those that it never does."""
    trained, held_out = RELATION_IN["trained"], RELATION_IN["held-out"]
    return {
        "abstention": ABSTENTION,
        "questions": {
            "count": {"trained": COUNT_QUESTIONS, "heldOut": HELD_OUT_COUNT_QUESTIONS},
            "chain": {"trained": CHAIN_QUESTIONS, "heldOut": HELD_OUT_CHAIN_QUESTIONS},
            "list": {"trained": LIST_QUESTIONS, "heldOut": HELD_OUT_LIST_QUESTIONS},
            "trail": {"trained": TRAIL_QUESTIONS, "heldOut": HELD_OUT_TRAIL_QUESTIONS},
        },
        "relations": {
            name: {
                "statements": {"trained": trained[name].statements, "heldOut": held_out[name].statements},
                "questions": {"trained": trained[name].questions, "heldOut": held_out[name].questions},
                "paraphrases": {"trained": trained[name].paraphrases, "heldOut": held_out[name].paraphrases},
            }
            for name in RELATION
        },
    }


def main() -> None:
    parser_of(__doc__).parse_args()
    write_pretty_json(WORLD_DATA, world())
    write_pretty_json(WORLD_FORMS, world_forms())


if __name__ == "__main__":
    main()
