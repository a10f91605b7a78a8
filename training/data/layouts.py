"""Working-context layouts over a history: entries, expansion, and the layout by recency."""

from __future__ import annotations

from typing import NamedTuple

from training.constants import BLOCK_SIZE, LOD1_WINDOW_TOKENS, MAX_LOD, RECENT_SHARE, RECENT_TOKENS


class Entry(NamedTuple):
    """One item of a working context: `[start, end)` at a level of detail."""

    lod: int
    start: int
    end: int

    @property
    def cost(self) -> int:
        return self.end - self.start if self.lod == 0 else 1


def span_of(lod: int) -> int:
    return BLOCK_SIZE**lod


def children_of(entry: Entry) -> list[Entry]:
    """What an expansion puts in a gist's place: one LOD0 block, or 32 gists one level below."""
    if entry.lod == 1:
        return [Entry(0, entry.start, entry.end)]
    step = span_of(entry.lod - 1)
    return [Entry(entry.lod - 1, start, start + step) for start in range(entry.start, entry.end, step)]


def protected_start(length: int, recent: int = RECENT_TOKENS, budget: int | None = None) -> int:
    """Where the protected recent window begins (`protectedStart` in src/core/context/moves.ts).

    A block's start with at least `recent` tokens behind it, fewer where they would take more than
    RECENT_SHARE of the budget.
    """
    cap = length if budget is None else max(BLOCK_SIZE, int(budget * RECENT_SHARE))
    start = max(0, length - min(recent, cap)) // BLOCK_SIZE * BLOCK_SIZE
    return start + BLOCK_SIZE if length - start > cap else start


def recency_layout(
    length: int, recent: int = RECENT_TOKENS, lod1_tokens: int = LOD1_WINDOW_TOKENS, budget: int | None = None
) -> list[Entry]:
    """Newest `recent` tokens at LOD0, the next `lod1_tokens` at LOD1, older as coarse as tiles exactly.

    As `assembleByRecency` (src/core/allocator/assembly.ts) makes it where the budget holds all of it.
    """
    raw_start = protected_start(length, recent, budget)
    lod1_start = max(0, raw_start - lod1_tokens) // BLOCK_SIZE * BLOCK_SIZE
    entries, at = [], 0
    while at < raw_start:
        lod = 1
        while lod < MAX_LOD and at % span_of(lod + 1) == 0 and at + span_of(lod + 1) <= lod1_start:
            lod += 1
        entries.append(Entry(lod, at, at + span_of(lod)))
        at += span_of(lod)
    while at < length:
        entries.append(Entry(0, at, min(at + BLOCK_SIZE, length)))
        at += BLOCK_SIZE
    return entries


def expand_at(layout: list[Entry], token: int, lod: int) -> None:
    """Expand whatever covers `token`, in place, until it stands at `lod` or below."""
    while True:
        index = next(i for i, entry in enumerate(layout) if entry.start <= token < entry.end)
        if layout[index].lod <= lod:
            return
        layout[index : index + 1] = children_of(layout[index])


def is_recent(entry: Entry, length: int, recent: int = RECENT_TOKENS) -> bool:
    """Whether an entry is raw and inside the protected window."""
    return entry.lod == 0 and entry.end > length - recent
