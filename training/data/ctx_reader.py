"""Open a `.ctx` archive with numpy: each level is mapped where it stands in the zip, nothing is copied.

    from training.data.ctx_reader import open_ctx
    archive = open_ctx("walk.ctx")
    archive.metadata["title"], archive.levels[0][:10], archive.levels[1].shape
    archive.nodes[1]["accessCount"]  # of every LOD1 gist

The format is in docs/formats.md.
"""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HEADER = struct.Struct("<IHHHHHQ32s10s")
MAGIC = 0x4D434354
DTYPES = ("<u4", "<f2", "<u2", "<f4")
"""By the header's code: token ids, fp16, bf16 as its bits, fp32."""


@dataclass(frozen=True)
class Ctx:
    """`levels[0]` is `[tokens]` of uint32, every level above `[gists, d]`.

    `nodes[level]` has a column `[nodes]` for each thing that is known of them (docs/formats.md), blocks at level 0, NaN
    where a node has no value.
    """

    metadata: dict[str, Any]
    levels: list[np.ndarray]
    nodes: list[dict[str, np.ndarray]]


def open_ctx(path: str | Path) -> Ctx:
    """Map an archive's levels. Raises ValueError for what is no `.ctx` archive."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as file:
        metadata = json.loads(archive.read("metadata.json"))
        levels = [_level(path, file, archive.getinfo(entry["file"])) for entry in metadata["levels"]]
        return Ctx(metadata, levels, [_columns(nodes) for nodes in metadata.get("nodes", [])])


def _columns(nodes: dict[str, Any]) -> dict[str, np.ndarray]:
    """The columns of a level; each is written as `[value, count, value, count, ...]`."""
    runs = {name: column for name, column in nodes.items() if isinstance(column, list)}
    return {name: np.repeat(np.array(run[::2], np.float64), run[1::2]) for name, run in runs.items()}


def _level(path: str | Path, file: Any, entry: zipfile.ZipInfo) -> np.ndarray:
    file.seek(entry.header_offset + 26)
    names = struct.unpack("<HH", file.read(4))
    start = entry.header_offset + 30 + sum(names)
    file.seek(start)
    magic, _, _, _, width, dtype, count, _, _ = HEADER.unpack(file.read(HEADER.size))
    if magic != MAGIC or entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{path}: {entry.filename} is no stored level of a MegaContext")
    shape = (count,) if dtype == 0 else (count, width)
    offset = start + HEADER.size
    return np.memmap(path, DTYPES[dtype], "r", offset, shape) if count else np.zeros(shape, DTYPES[dtype])
