"""Writes JSON files: folders made on the way, text that the repository's formatter leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

PRINT_WIDTH = 110
"""As in `.prettierrc.json`."""


def write_json(path: Path, value: object, *, indent: int = 2) -> None:
    """Write a value as JSON, one entry a line; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def write_pretty_json(path: Path, value: object) -> None:
    """Write a value as `prettier` would, tables of numbers aside: objects open, arrays on one line where they fit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pretty(value) + "\n", encoding="utf-8")


def pretty(value: object, depth: int = 0, taken: int = 0) -> str:
    """A JSON value at an indentation of `depth` · 2, `taken` characters of its line being used already."""
    indent, close = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict) and value:
        entries = []
        for key, item in value.items():
            name = f"{json.dumps(key, ensure_ascii=False)}: "
            entries.append(indent + name + pretty(item, depth + 1, len(indent) + len(name)))
        return "{\n" + ",\n".join(entries) + "\n" + close + "}"
    if isinstance(value, list | tuple) and value:
        flat = json.dumps(value, ensure_ascii=False)
        if not any(isinstance(item, dict | list | tuple) for item in value) and taken + len(flat) + 1 <= PRINT_WIDTH:
            return flat
        items = (indent + pretty(item, depth + 1, len(indent)) for item in value)
        return "[\n" + ",\n".join(items) + "\n" + close + "]"
    return json.dumps(value, ensure_ascii=False)
