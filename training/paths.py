"""Where this package reads and writes files of the repository."""

from __future__ import annotations

from pathlib import Path

TRAINING = Path(__file__).resolve().parent
REPOSITORY = TRAINING.parent
CACHE = TRAINING / ".cache"
"""Downloads, checkpoints, logs and figures; not under version control."""
FIGURES = CACHE / "figures"
MODEL_FOLDER = REPOSITORY / "models" / "tiny"
FIXTURES = REPOSITORY / "tests" / "fixtures"
EXAMPLES = REPOSITORY / "public" / "examples"
WORLD_FOLDER = REPOSITORY / "src" / "runtime" / "evaluation" / "world"
WORLD_DATA = WORLD_FOLDER / "world-data.json"
WORLD_FORMS = WORLD_FOLDER / "world-forms.json"
BASE, GISTNET, LENSNET = (CACHE / f"{name}.pt" for name in ("base", "gistnet", "lensnet"))
"""Checkpoints that one stage of training leaves for the next."""
STAGING_LENSNET = CACHE / "staging-lensnet.pt"
"""LensNet-G."""
HEAD_ADAPTERS, HEAD_ROUTER, HEAD_MERGER = (CACHE / f"head-{name}.pt" for name in ("adapters", "router", "merger"))
HEAD_ROWS = CACHE / "head-rows.jsonl"
"""What `npm run heads:rows` collects for router and merger."""
