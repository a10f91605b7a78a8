"""What is kept for evaluation: combinations by hash, and wording that training never shows."""

from __future__ import annotations

import zlib

EVAL_SHARE = 10
"""One combination in this many is kept for the eval split."""


def is_eval_combination(relation: str, a: str, b: str, value: str) -> bool:
    """Whether a combination is kept for evaluation; stable across runs and machines."""
    return zlib.crc32(f"{relation}|{a}|{b}|{value}".encode()) % EVAL_SHARE == 0


HELD_OUT_LEADS = (
    "A boy told the ferryman that",
    "On the last page it says that",
    "To be exact,",
    "The widow by the well knows that",
    "Under oath he said that",
    "No one will deny that",
    "Our neighbour writes that",
    "At the long table it was agreed that",
)


HELD_OUT_TAILS = (
    ", though it hardly matters",
    ", which was news to me",
    ", or the book is wrong",
    ", and everyone went home",
    "; nothing more is known",
    ", year in and year out",
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
