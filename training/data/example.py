"""Write the playground's embedded example: a harbour chronicle and questions about it.

    python -m training.data.example --seed 20      # writes what is shipped, byte for byte

The facts are combinations that training never saw; every key is stated once. The text asks a few
questions itself, so that focus is seen to move while it streams in; the listed questions are others.
"""

from __future__ import annotations

import random
from bisect import bisect_right

from tokenizers import Tokenizer

from training.data.document_writer import DocumentWriter
from training.data.documents import Fact
from training.data.encoder import encoder_for
from training.data.tokenizer import VOCABULARY, first_tokens, load_tokenizer
from training.files import write_json
from training.options import parser_of
from training.paths import EXAMPLES
from training.world.chronicler import Chronicler
from training.world.filler import TOPIC_NAMES
from training.world.questions import ask_single
from training.world.relations import RELATIONS

# Asked in the order of the page, the shipped weights answer these wrong (tests/real-base/suggested-questions.test.ts).
ANSWERED_WRONG = frozenset({"Who is the tenant of Tobin?"})

NAME, TITLE = "harbour-chronicle", "The Harbour Chronicle"
CHAPTERS = (
    "The Long Winter",
    "Boats and Bells",
    "What the Tide Left",
    "A Quiet Spring",
    "The Market",
    "Letters",
    "The Old Families",
    "Rain on the Roofs",
    "The Stranger",
    "A Wedding and a Storm",
    "The Lighthouse Steps",
    "Small Debts",
    "The Road Inland",
    "Summer on the Quay",
    "The Lost Page",
    "Talk at the Pump",
    "The Harvest",
    "Nets and Lines",
    "The First Frost",
    "A Song Up the Coast",
    "The Empty Boat",
    "The Clerk's Notes",
    "Lamps Lit Early",
    "The Last Page",
)


ORDINALS = [
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
    "Twenty",
    "Twenty-One",
    "Twenty-Two",
    "Twenty-Three",
    "Twenty-Four",
]


FACT_RATE = 0.14
ASK_EVERY = 600
QUESTION_PLACES = (0.04, 0.12, 0.20, 0.30, 0.38, 0.46, 0.51, 0.56, 0.61, 0.72, 0.84, 0.95)
"""Where the facts of the listed questions stand, as shares of the text; the middle five stand
8,000 to 14,000 tokens before its end."""


def write_chapters(writer: DocumentWriter, tokens: int) -> None:
    """Append all chapters, each about one topic at first, with a question now and then."""
    rng, per_chapter = writer.rng, tokens // len(CHAPTERS)
    asked_at = 0
    writer.tokens += writer.encode(TITLE) + writer.break_ids
    for index, heading in enumerate(CHAPTERS):
        if not writer.opens_paragraph:
            writer.break_paragraph()
        writer.tokens += writer.encode(f"Chapter {ORDINALS[index]}: {heading}") + writer.break_ids
        writer.opens_paragraph, writer.sentences_left = True, 5
        writer.chronicler.topic = TOPIC_NAMES[index % len(TOPIC_NAMES)]
        while len(writer.tokens) < per_chapter * (index + 1):
            if len(writer.tokens) - asked_at > ASK_EVERY and writer.opens_paragraph and len(writer.unasked) > 8:
                asked = rng.choice(writer.unasked[-24:-2])
                writer.write(ask_single(writer.facts[asked].statement, rng), [asked])
                asked_at = len(writer.tokens)
            elif rng.random() > FACT_RATE or not writer.fact(plain=False):
                writer.sentence(writer.chronicler.filler())


def pick_facts(writer: DocumentWriter) -> list[Fact]:
    """Facts that the text does not ask about, near the wanted places, as varied as can be."""
    unasked = [writer.facts[index] for index in writer.unasked]
    picked: list[Fact] = []
    for place in QUESTION_PLACES:
        at = place * len(writer.tokens)
        uses = {name: sum(fact.template == name for fact in picked) for name in {fact.template for fact in unasked}}
        fresh = [fact for fact in unasked if fact not in picked]
        picked.append(min(fresh, key=lambda fact: abs(fact.start - at) + 400 * uses[fact.template]))
    return sorted(picked, key=lambda fact: fact.start)


def describe(fact: Fact, text: str, tokenizer: Tokenizer, ids: list[int], rng: random.Random) -> dict:
    """A listed question; its spans are checked against the tokenised text."""
    clause = tokenizer.decode(ids[fact.start : fact.end])
    start = len(tokenizer.decode(ids[: fact.start])) + 1
    statement = fact.statement
    stated = f"{statement.clause()} {statement.value}"
    if text[start : start + len(stated)].lower() != stated.lower() or not clause.strip().lower().startswith(
        stated.lower()
    ):
        raise ValueError(f"the text does not say {stated!r} at character {start}")
    if text.lower().count(statement.clause().lower() + " ") != 1:
        raise ValueError(f"{statement.clause()!r} is not stated exactly once")
    return {
        "question": statement.question(rng),
        "answer": statement.answer(),
        "value": statement.value,
        "factStartToken": fact.start,
        "factEndToken": fact.end,
        "factStartChar": start,
    }


def token_offsets(questions: list[dict], text: str, tokenizer: Tokenizer) -> int:
    """Say where the listed facts stand in another tokenizer's tokens; the text's length in them."""
    starts = [start for start, _ in tokenizer.encode(text).offsets]
    for question in questions:
        length = question["factEndToken"] - question["factStartToken"]
        at = bisect_right(starts, question["factStartChar"]) - 1
        question |= {"factStartToken": at, "factEndToken": at + length}
    return len(starts)


def write_example(seed: int, tokens: int) -> tuple[str, dict]:
    """The text of about `tokens` tokens, and the listing of its title and questions."""
    rng, shipped = random.Random(seed), load_tokenizer()
    tokenizer = first_tokens(shipped, VOCABULARY)  # aliases came later, and would end the chapters elsewhere
    chronicler = Chronicler(rng, split="eval", cast_size=40, relation_count=len(RELATIONS))
    writer = DocumentWriter(chronicler, encoder_for(tokenizer), is_wide=False)
    write_chapters(writer, tokens)
    text = tokenizer.decode(writer.tokens).rstrip("\n") + "\n"
    ids = tokenizer.encode(text).ids
    if ids[:-1] != writer.tokens[: len(ids) - 1]:
        raise ValueError("the text does not tokenise to the tokens that were written")
    described = [describe(fact, text, tokenizer, ids, rng) for fact in pick_facts(writer)]
    questions = [listed for listed in described if listed["question"] not in ANSWERED_WRONG]
    return text, {"title": TITLE, "tokens": token_offsets(questions, text, shipped), "questions": questions}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--tokens", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    text, listing = write_example(options.seed, options.tokens)
    write_json(EXAMPLES / f"{NAME}.json", listing)
    (EXAMPLES / f"{NAME}.txt").write_text(text, encoding="utf-8")
    print(f"{listing['tokens']} tokens")


if __name__ == "__main__":
    main()
