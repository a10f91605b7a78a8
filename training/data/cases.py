"""Case files for `npm run eval -- --cases FILE`: questions about one history each group, told in a language's forms.

    python -m training.data.cases --language held-out --tokens 16384 --json cases.jsonl

The histories state held-out combinations only (`split="eval"`); they ask nothing themselves. `gold` is the span
of the keys and the value, in characters.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from training.data.document_writer import Teller
from training.data.documents import Fact
from training.data.layouts import RECENT_TOKENS
from training.data.prose import load_prose, sentences_of
from training.data.tokenizer import load_tokenizer
from training.options import parser_of
from training.world.forms import LANGUAGES


def cases(teller: Teller, rng: random.Random, tokens: int, fact_rate: float, questions: int) -> Iterator[dict]:
    """Questions about facts of one history that are older than what is always raw."""
    shape = {"fact_rate": fact_rate, "question_rate": 0.0, "cast_size": 32, "relation_count": 5}
    document = teller.document(rng, tokens, **shape)
    ids = document.tokens.tolist()
    text = teller.tokenizer.decode(ids)

    def character(token: int) -> int:
        return len(teller.tokenizer.decode(ids[:token]))

    def case(fact: Fact) -> dict:
        said = fact.statement
        gold = [[character(fact.told_start), character(fact.told_end)]]
        asked = {"question": said.question(rng), "answer": said.answer(), "values": [said.value]}
        return {"history": text, **asked, "gold": gold}

    old = [fact for fact in document.facts if fact.told_end <= tokens - 2 * RECENT_TOKENS]
    for fact in rng.sample(old, min(questions, len(old))):
        yield case(fact)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--language", choices=LANGUAGES, default="held-out")
    parser.add_argument("--tokens", type=int, default=16384, help="of each history")
    parser.add_argument("--histories", type=int, default=4)
    parser.add_argument("--questions", type=int, default=25, help="about each history")
    parser.add_argument("--fact-rate", type=float, default=0.15, help="share of sentences that state a fact")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    prose = sentences_of(load_prose()) if options.language != "core" else ()
    teller = Teller(load_tokenizer(), "eval", options.language, prose)
    rng = random.Random(f"{options.seed}/{options.language}/{options.tokens}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    with options.json.open("w", encoding="utf-8") as file:
        for _ in range(options.histories):
            for case in cases(teller, rng, options.tokens, options.fact_rate, options.questions):
                file.write(json.dumps(case) + "\n")


if __name__ == "__main__":
    main()
