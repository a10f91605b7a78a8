"""Confidence intervals of the figures: Wilson for shares, bootstrap for means and ratios."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Z95 = 1.959964


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95% interval of a share."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = successes / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def cell(hits: list[bool]) -> dict:
    """n, share and its 95% interval, rounded for a report."""
    low, high = wilson(sum(hits), len(hits))
    accuracy = round(sum(hits) / len(hits), 4) if hits else None
    return {"n": len(hits), "accuracy": accuracy, "ci95": [round(low, 4), round(high, 4)]}


def bootstrap(rows: np.ndarray, statistic: Callable[[np.ndarray], float], seed: int = 0, rounds: int = 1000):
    """Statistic of `rows` `[n, ...]` and its 95% interval by resampling rows."""
    rng = np.random.default_rng(seed)
    samples = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(rounds)]
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(statistic(rows)), (float(low), float(high))


def figure(name: str, value: float, n: int, ci95: tuple[float, float], command: str) -> dict:
    """An entry of the manifest's `figures`."""
    return {"name": name, "value": round(value, 4), "n": n, "ci95": [round(x, 4) for x in ci95], "command": command}
