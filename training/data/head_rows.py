"""What heads made of questions: the lines that `npm run heads:rows` writes, as tensors.

Owns their format. The rows of one history stand together, so that a split by place keeps histories apart.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


@dataclass
class HeadRow:
    """One question."""

    task: str
    query: Tensor
    """`[d]`"""
    statistics: Tensor
    """`[H, 4]`"""
    held: Tensor
    """`[facts, H]` 1 where a head has a fact that is asked for raw."""
    ids: Tensor
    """`[T]` the right answer."""
    is_value: Tensor
    """`[T]` boolean: must be right."""
    utilities: Tensor
    """`[T, H]`"""
    hidden: Tensor
    """`[T, H, d]`"""


def load_head_rows(path: Path) -> list[HeadRow]:
    """Raises ValueError for a line that is not whole, with its number."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found = json.loads(line)
            heads, tokens, query = found["heads"], len(found["ids"]), torch.tensor(found["query"])
            hidden = np.frombuffer(base64.b64decode(found["hidden"]), dtype="<f4").copy()
            rows.append(
                HeadRow(
                    found["task"],
                    query,
                    torch.tensor(found["statistics"], dtype=torch.float32),
                    torch.tensor(found["held"], dtype=torch.float32).reshape(-1, heads),
                    torch.tensor(found["ids"]),
                    torch.tensor(found["isValue"]).bool(),
                    torch.tensor(found["utilities"], dtype=torch.float32),
                    torch.from_numpy(hidden).reshape(tokens, heads, len(query)),
                )
            )
        except (KeyError, ValueError, RuntimeError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    if not rows:
        raise ValueError(f"{path} holds no rows")
    return rows


def split_rows(rows: list[HeadRow], held_out: float) -> tuple[list[HeadRow], list[HeadRow]]:
    """(for training, held out): the last part of the file."""
    cut = len(rows) - round(len(rows) * held_out)
    return rows[:cut], rows[cut:]
