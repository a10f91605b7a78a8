"""The greedy focus allocator, as the runtime has it, for measuring scores end to end."""

from __future__ import annotations

from dataclasses import dataclass, field

from gistnet import BLOCK_SIZE
from streams import Entry, children_of, is_recent, span_of

TAU = 0.2
MAX_ACTIONS = 4
COOLDOWN = 2


@dataclass
class WorkingContext:
    """Entries in order, how long each has stood, and which spans may not flip yet."""

    entries: list[Entry]
    length: int
    budget: int
    residency: dict[Entry, int] = field(default_factory=dict)
    cooling: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)
    """(start, end) of the parent span → (last direction, steps left)."""

    @property
    def cost(self) -> int:
        return sum(entry.cost for entry in self.entries)

    def ages(self) -> list[int]:
        return [self.residency.get(entry, 0) for entry in self.entries]

    def replace(self, old: list[Entry], new: list[Entry]) -> None:
        at = self.entries.index(old[0])
        self.entries[at : at + len(old)] = new


def collapse_groups(context: WorkingContext) -> dict[Entry, list[Entry]]:
    """Parent → children that stand side by side and may collapse into it."""
    groups: dict[Entry, list[Entry]] = {}
    for entry in context.entries:
        if entry.lod == 0:
            if entry.end - entry.start == BLOCK_SIZE and not is_recent(entry, context.length):
                groups[Entry(1, entry.start, entry.end)] = [entry]
        elif entry.lod < 4:
            size = span_of(entry.lod + 1)
            start = entry.start // size * size
            groups.setdefault(Entry(entry.lod + 1, start, start + size), []).append(entry)
    return {
        parent: group
        for parent, group in groups.items()
        if parent.end <= context.length and len(group) == (1 if parent.lod == 1 else BLOCK_SIZE)
    }


def refocus(context: WorkingContext, scores: dict[Entry, float], max_actions: int = MAX_ACTIONS) -> int:
    """Apply one step of expansions and collapses; returns the number of actions."""
    groups = collapse_groups(context)
    group_scores = {parent: sum(scores[e] for e in group) / len(group) for parent, group in groups.items()}

    def may(start: int, end: int, direction: str) -> bool:
        last = context.cooling.get((start, end))
        return last is None or last[0] == direction

    expand = sorted(
        (e for e in context.entries if e.lod and scores[e] > TAU and may(e.start, e.end, "expand")),
        key=lambda e: (-scores[e], -e.end),
    )
    collapse = sorted(
        (p for p in groups if group_scores[p] < -TAU and may(p.start, p.end, "collapse")),
        key=lambda p: (group_scores[p], p.start),
    )
    actions, done, waiting = 0, {}, list(expand)
    while actions < max_actions:
        fitting = next((e for e in waiting if context.cost + (BLOCK_SIZE - 1) <= context.budget), None)
        if fitting is not None:
            waiting.remove(fitting)
            context.replace([fitting], children_of(fitting))
            done[(fitting.start, fitting.end)] = ("expand", COOLDOWN + 1)
            actions += 1
        if collapse and actions < max_actions:
            parent = collapse.pop(0)
            context.replace(groups[parent], [parent])
            done[(parent.start, parent.end)] = ("collapse", COOLDOWN + 1)
            actions += 1
        elif fitting is None:
            break
    context.cooling = {
        span: (way, left - 1) for span, (way, left) in {**context.cooling, **done}.items() if left > 1
    }
    context.residency = {entry: context.residency.get(entry, -1) + 1 for entry in context.entries}
    return actions
