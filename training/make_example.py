"""Write the playground's embedded example: a harbour chronicle and questions about it.

    python training/make_example.py --seed 20
    python training/make_example.py --annotate      # keep the text; count its tokens with the present tokenizer

The facts are combinations that training never saw; every key is stated once. The text asks a few
questions itself, so that focus is seen to move while it streams in; the listed questions are others.
"""

from __future__ import annotations

import argparse
import json
import random
from bisect import bisect_right
from pathlib import Path

from tokenizers import Tokenizer

from corpus import DocumentWriter, Fact, encoder_for
from filler import TOPIC_NAMES
from tokenizer import load_tokenizer
from world import RELATIONS, Chronicler

EXAMPLES = Path(__file__).resolve().parent.parent / "public" / "examples"
TITLE = "The Harbour Chronicle"
CHAPTERS = (
    "The Long Winter", "Boats and Bells", "What the Tide Left", "A Quiet Spring", "The Market", "Letters",
    "The Old Families", "Rain on the Roofs", "The Stranger", "A Wedding and a Storm", "The Lighthouse Steps",
    "Small Debts", "The Road Inland", "Summer on the Quay", "The Lost Page", "Talk at the Pump", "The Harvest",
    "Nets and Lines", "The First Frost", "A Song Up the Coast", "The Empty Boat", "The Clerk's Notes",
    "Lamps Lit Early", "The Last Page",
)
ORDINALS = ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve", "Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen", "Twenty", "Twenty-One", "Twenty-Two", "Twenty-Three", "Twenty-Four"]
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
                writer.ask(rng.choice(writer.unasked[-24:-2]))
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
    if text[start : start + len(stated)].lower() != stated.lower() or not clause.strip().lower().startswith(stated.lower()):
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


def annotate(tokenizer: Tokenizer) -> None:
    """Bring the token offsets of the listed questions up to date with the tokenizer."""
    path = EXAMPLES / "harbour-chronicle.json"
    text = (EXAMPLES / "harbour-chronicle.txt").read_text(encoding="utf-8")
    listing = json.loads(path.read_text(encoding="utf-8"))
    starts = [start for start, _ in tokenizer.encode(text).offsets]
    listing["tokens"] = len(starts)
    for question in listing["questions"]:
        length = question["factEndToken"] - question["factStartToken"]
        at = bisect_right(starts, question["factStartChar"]) - 1
        question |= {"factStartToken": at, "factEndToken": at + length}
    path.write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=24_000)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--annotate", action="store_true", help="only update the token offsets")
    options = parser.parse_args()
    rng, tokenizer = random.Random(options.seed), load_tokenizer()
    if options.annotate:
        annotate(tokenizer)
        return
    chronicler = Chronicler(rng, split="eval", cast_size=40, relation_count=len(RELATIONS))
    writer = DocumentWriter(chronicler, encoder_for(tokenizer))
    write_chapters(writer, options.tokens)
    text = tokenizer.decode(writer.tokens).rstrip("\n") + "\n"
    ids = tokenizer.encode(text).ids
    if ids[:-1] != writer.tokens[: len(ids) - 1]:
        raise ValueError("the text does not tokenise to the tokens that were written")
    questions = [describe(fact, text, tokenizer, ids, rng) for fact in pick_facts(writer)]
    EXAMPLES.mkdir(parents=True, exist_ok=True)
    (EXAMPLES / "harbour-chronicle.txt").write_text(text, encoding="utf-8")
    listing = {"title": TITLE, "tokens": len(ids), "questions": questions}
    (EXAMPLES / "harbour-chronicle.json").write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    print(f"{len(ids)} tokens, {len(writer.facts)} facts, {len(writer.questions)} questions in the text")


if __name__ == "__main__":
    main()
