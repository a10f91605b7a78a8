"""Imports go one way: world and models know nothing of data, data nothing of train."""

from __future__ import annotations

import ast

import pytest

from training.paths import TRAINING

MAY_IMPORT = {
    "world": {"world"},
    "models": {"models"},
    "data": {"world", "models", "data"},
    "train": {"world", "models", "data", "train"},
}
TOP = {"constants", "files", "options", "paths"}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_stands_below_it(folder: str) -> None:
    for path in (TRAINING / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("training."):
                assert node.module.split(".")[1] in MAY_IMPORT[folder] | TOP, f"{path.name} imports {node.module}"
