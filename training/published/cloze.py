"""Questions out of sentences (inverse cloze): what is left of a sentence must find the block that it came from."""

from __future__ import annotations

import random

ABOUT = (
    "What does the text say about {}?",
    "Where is {} mentioned?",
    "What is said of {}?",
    "Tell me about {}.",
    "Find the passage on {}.",
)
UNKNOWN = ("what", "who", "when", "where", "how many", "which", "why")
SHORT = 3
"""Words up to so many letters are mostly grammar."""


def cloze_question(sentence: str, rng: random.Random) -> str:
    """A question that a reader of the sentence could answer, in words that are mostly its own."""
    words = sentence.strip(" .!?\"'“”").split()
    style = rng.random()
    if style < 0.15:
        return " ".join(words[: max(6, int(len(words) * rng.uniform(0.5, 1)))])
    if style < 0.45:
        return keyword_question(words, rng)
    gap = gap_in(words, rng)
    kept = [word for i, word in enumerate(words) if i not in gap and (len(word) > SHORT or rng.random() < 0.7)]
    kept = [word for word in kept if rng.random() > 0.2] or kept
    if rng.random() < 0.3:
        turn = rng.randrange(len(kept))
        kept = kept[turn:] + kept[:turn]
    return f"{rng.choice(UNKNOWN).capitalize()} {' '.join(kept).rstrip(',;:')}?"


def keyword_question(words: list[str], rng: random.Random) -> str:
    long = [word.strip(",;:()\"'") for word in words if len(word) > SHORT + 1] or words
    chosen = rng.sample(long, min(len(long), rng.randint(2, 5)))
    listed = chosen[0] if len(chosen) == 1 else f"{', '.join(chosen[:-1])} and {chosen[-1]}"
    return rng.choice(ABOUT).format(listed)


def gap_in(words: list[str], rng: random.Random) -> range:
    """Which words the question asks for: one to four, a name or number among them where there is one."""
    names = [i for i, word in enumerate(words) if i and (word[0].isupper() or word[0].isdigit())]
    start = rng.choice(names) if names and rng.random() < 0.8 else rng.randrange(len(words))
    return range(start, min(len(words), start + rng.randint(1, 4)))
