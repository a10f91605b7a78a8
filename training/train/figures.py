"""The manifest's figures, from what the evaluation scripts and `npm run eval` wrote."""

from __future__ import annotations

import json
from pathlib import Path


def figures(folder: Path) -> list[dict]:
    """The manifest's figures from what the evaluation scripts wrote; the base's cells are flattened."""
    found = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, list):
            found += content
        else:
            found += eval_figures(content, path) if "suites" in content else base_figures(content)
    return found


# Of what a report of `npm run eval` says; the name's ending tells them apart.
EXPORTED_FIGURES = (
    ("answered", ".answered"),
    ("accuracy", ""),
    ("extraNll", ".extraNll"),
    ("regret", ".regret"),
    ("spearmanWorthwhile", ".spearmanWorthwhile"),
)


def eval_figures(report: dict, path: Path) -> list[dict]:
    """What a report of `npm run eval` says; its command stands beside it, in `<name>.command`."""
    kept, found = path.with_suffix(".command"), []
    command = kept.read_text(encoding="utf-8").strip() if kept.exists() else f"npm run eval, report {path.name}"
    for suite in report["suites"]:
        for cell in suite["cells"]:
            size = f"{cell['budgetTokens']}x{cell['historyTokens']}"
            name = f"{suite['suite']}.{cell['task']}.{cell['policy']}.{size}.seed{report['seed']}.n{cell['n']}"
            for figure, ending in EXPORTED_FIGURES:
                if cell.get(figure) is None:
                    continue
                interval = [round(bound, 4) for bound in cell["intervals"][figure]]
                value = round(cell[figure], 4)
                entry = {"name": name + ending, "value": value, "n": cell["n"], "ci95": interval, "command": command}
                found.append(entry)
    return found


def base_figures(report: dict) -> list[dict]:
    command = f"python -m training.train.evaluate_base --seed {report['seed']} --json training/.cache/figures/base.json"
    found = []
    for cell in report["cells"]:
        value = cell.get("accuracy", cell.get("nll"))
        labels = [str(cell[key]) for key in ("task", "tokens", "offset", "gap", "cast", "candidates") if key in cell]
        if value is not None and cell["n"]:
            name = ".".join(["base", *labels])
            found.append({"name": name, "value": value, "n": cell["n"], "ci95": cell["ci95"], "command": command})
    return found
