"""The golden archive that the page's own tests write and read, read by numpy and written again."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from training.data.ctx_reader import open_ctx
from training.data.ctx_writer import write_ctx
from training.paths import FIXTURES

GOLDEN = FIXTURES / "session.ctx"


def test_the_golden_archive() -> None:
    archive = open_ctx(GOLDEN)
    tokens, gists = archive.levels
    assert archive.metadata["title"] == "Walk"
    assert tokens.tolist() == [index * 7919 % 1000 for index in range(70)]
    assert gists.shape == (2, 4)
    expected = np.array([0x3C00 + index for index in range(8)], "<u2").view("<f2").reshape(2, 4)
    assert np.array_equal(gists, expected)


def test_what_is_known_of_nodes() -> None:
    blocks, gists = open_ctx(GOLDEN).nodes
    assert blocks["flags"].tolist() == [8, 0, 0]
    assert gists["accessCount"].tolist() == [0, 1]
    assert gists["expansions"].tolist() == [0, 4]
    assert np.isnan(gists["sensitivity"][0]) and gists["sensitivity"][1] == -0.25
    assert np.isnan(blocks["gistVersion"]).all()


def test_written_again_it_is_the_same_bytes(tmp_path: Path) -> None:
    golden = open_ctx(GOLDEN)
    with zipfile.ZipFile(GOLDEN) as archive:
        behind = archive.namelist()[1 + len(golden.levels) :]
        documents = {name: archive.read(name) for name in behind}
    copy = tmp_path / "copy.ctx"
    write_ctx(copy, golden.metadata, golden.levels, documents)
    assert copy.read_bytes() == GOLDEN.read_bytes()


def test_levels_that_metadata_does_not_know(tmp_path: Path) -> None:
    golden = open_ctx(GOLDEN)
    with pytest.raises(ValueError, match="other entries"):
        write_ctx(tmp_path / "broken.ctx", golden.metadata, [golden.levels[0][:3], golden.levels[1]])


def test_what_is_no_level(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ctx"
    shutil.copy(GOLDEN, broken)
    content = bytearray(broken.read_bytes())
    at = content.index((0x4D434354).to_bytes(4, "little"))
    content[at] = 0
    broken.write_bytes(content)
    with pytest.raises(ValueError, match="no stored level"):
        open_ctx(broken)
