"""Write a `.ctx` archive that the page opens: each level stored as it lies in memory, the zip always the same bytes.

    from training.data.ctx_writer import write_ctx
    write_ctx("walk.ctx", archive.metadata, archive.levels)

The format is in docs/formats.md.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.data.ctx_reader import DTYPES, HEADER, MAGIC

VERSION = 1
MODE_READABLE = 0o100644 << 16


def write_ctx(
    path: str | Path,
    metadata: Mapping[str, Any],
    levels: Sequence[np.ndarray],
    documents: Mapping[str, bytes] | None = None,
) -> None:
    """Write token ids `[tokens]` uint32 and gists `[gists, d]` fp16 or fp32, level by level.

    `metadata` is `metadata.json` as docs/formats.md has it; `documents` are the entries behind the levels, in order.
    Raises ValueError where `metadata` and the levels differ.
    """
    entries = metadata["levels"]
    if [entry["entryCount"] for entry in entries] != [len(level) for level in levels]:
        raise ValueError("metadata['levels'] counts other entries than the levels have")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_entry("metadata.json"), _as_the_page_has_it(metadata).encode())
        for entry, level in zip(entries, levels, strict=True):
            header = HEADER.pack(
                MAGIC,
                VERSION,
                entry["level"],
                metadata["blockSize"],
                metadata["model"]["hiddenSize"],
                DTYPES.index(level.dtype.str),
                len(level),
                metadata["model"]["id"].encode(),
                b"",
            )
            archive.writestr(_entry(entry["file"]), header + level.tobytes())
        for name, content in (documents or {}).items():
            archive.writestr(_entry(name), content)


def _as_the_page_has_it(metadata: Mapping[str, Any]) -> str:
    """JSON with a line for each field, but one for all columns of a level, which come last."""
    fields = {name: value for name, value in metadata.items() if name != "nodes"}
    text = json.dumps(fields, ensure_ascii=False, indent=1).removesuffix("\n}")
    if "nodes" in metadata:
        columns = (json.dumps(level, separators=(",", ":")) for level in metadata["nodes"])
        text += ',\n "nodes": [\n  ' + ",\n  ".join(columns) + "\n ]"
    return text + "\n}\n"


def _entry(name: str) -> zipfile.ZipInfo:
    """Dated as every archive is, with what the page's own writer says of a file."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.create_version, info.extract_version = 3, 0, 10
    info.external_attr = MODE_READABLE
    return info
