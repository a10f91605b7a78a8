"""Write heads of a published base as a folder: for the playground, and ready to be published on the hub.

    python -m training.published.export --base FILE.gguf --base-name SmolLM2-135M-Instruct --id smollm2-135m \
        --base-model HuggingFaceTB/SmolLM2-135M-Instruct --folder models/smollm2-135m

`heads.json`, float16 weights, and a model card (`README.md`) with what the hub reads: base_model, licence, tags,
figures. Figures are what `--figures FOLDER` holds (as `train.export` reads them). Of a `heads.json` that is there
already, everything stays that no option changes; its figures stay while the weights do that they tell of.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from training.constants import BLOCK_SIZE, MAX_LOD, RECENT_TOKENS
from training.files import write_json
from training.models.llama import Llama
from training.options import parser_of
from training.published.base import BaseFileError, OtherBaseError, load_published_base
from training.published.gistnet import PUBLISHED_GISTNET
from training.published.lensnet import PUBLISHED_LENSNET, GistNetError, load_published_gistnet
from training.train.checkpoints import load_lensnet
from training.train.export import changed, export_network, files_of, merged_figures
from training.train.figures import figures

MANIFEST = "heads.json"
SAMPLED_TOKENS, SAMPLED_COLUMNS = 16, 16
DEFAULTS = {
    "budgetTokens": 1024,
    "recentTokens": RECENT_TOKENS,
    "strategy": "adaptive",
    "maxActions": 8,
    "openBlocks": 3,
    "questionParts": 1,
    "lookAheadPages": 64,
    "positions": "compact",
}
NEW_TRAINING = {"corpus": "", "tokens": 0, "hours": 0.0, "hardware": "", "seed": 0, "commands": []}


def sample_of(model: Llama) -> dict:
    """The first numbers of a few embeddings, spread over the vocabulary: what a base is known by."""
    table = model.model.embed_tokens.weight
    tokens = [len(table) * (2 * i + 1) // (2 * SAMPLED_TOKENS) for i in range(SAMPLED_TOKENS)]
    columns = min(SAMPLED_COLUMNS, table.shape[1])
    values = [round(value, 5) for value in table[tokens, :columns].flatten().tolist()]
    return {"tokens": tokens, "columns": columns, "values": values}


def export(options: argparse.Namespace) -> dict:
    """Write the folder; the manifest."""
    published = load_published_base(options.base)
    gistnet = load_published_gistnet(options.gistnet, published)
    folder, config = options.folder, published.model.config
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MANIFEST
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    name = options.base_name or before.get("madeFor", {}).get("name") or published.name
    manifest = {
        "formatVersion": 1,
        "kind": "heads",
        "id": options.id or before.get("id") or folder.resolve().name,
        "title": f"Heads for {name}",
        "licence": options.licence or before.get("licence", "Apache-2.0"),
        "blockSize": BLOCK_SIZE,
        "maxLod": MAX_LOD,
        "hiddenSize": config.hidden_size,
        "madeFor": {
            "name": name,
            "layers": config.num_hidden_layers,
            "vocabularySize": config.vocab_size,
            "sample": sample_of(published.model),
        },
        "defaults": changed(
            DEFAULTS | before.get("defaults", {}),
            budgetTokens=options.budget,
            policy=options.policy,
            gistInput=options.gist_input,
        ),
        "gistNet": export_network(gistnet, folder / "gistnet.safetensors", options.version),
    }
    if options.lensnet.exists():
        saved = torch.load(options.lensnet, weights_only=False)
        published.check(saved, options.lensnet, "train LensNet for this one first")
        if saved["config"]["hidden_size"] != config.hidden_size:
            raise OtherBaseError(
                f"{options.lensnet}: reads vectors of {saved['config']['hidden_size']} numbers, and {published.name} "
                f"has {config.hidden_size}: it was trained for another base"
            )
        manifest["lensNet"] = export_network(
            load_lensnet(options.lensnet), folder / "lensnet.safetensors", options.version
        )
    manifest["files"] = {file: entry for file, entry in files_of(folder).items() if file.endswith(".safetensors")}
    manifest["training"] = changed(
        before.get("training", NEW_TRAINING),
        corpus=options.corpus_text,
        tokens=options.tokens or torch.load(options.gistnet, weights_only=False).get("tokens"),
        hours=options.hours,
        hardware=options.hardware,
        seed=options.seed,
        commands=options.commands,
    )
    measured = figures(options.figures) if options.figures else []
    manifest["figures"] = merged_figures(before, manifest["files"], measured)
    write_json(path, manifest)
    (folder / "README.md").write_text(model_card(manifest, options.base_model or name), encoding="utf-8")
    return manifest


def model_card(manifest: dict, base_model: str) -> str:
    """What the hub shows and indexes."""
    made_for, training, defaults = manifest["madeFor"]["name"], manifest["training"], manifest["defaults"]
    networks = [name for name in ("GistNet", "LensNet") if name[0].lower() + name[1:] in manifest]
    corpus, hardware = training["corpus"] or "Corpus not stated.", training["hardware"] or "unstated hardware"
    tokens = f"{training['tokens']:,} tokens" if training["tokens"] else "tokens not counted"
    table = ["Measured with these weights; 95% intervals.", "", "| figure | value | 95% | n |", "|---|---|---|---|"]
    if not manifest["figures"]:
        table = ["Not measured yet."]
    lines = [
        "---",
        f"base_model: {base_model}",
        f"license: {manifest['licence'].lower()}",
        "library_name: megacontext",
        "tags:",
        "- megacontext",
        "- context-compression",
        "- long-context",
        "---",
        "",
        f"# {manifest['title']}",
        "",
        f"{' and '.join(networks)} of the MegaContext Playground for {made_for}, without the base itself. Choose these "
        "files together with those of the base in the page, or put them into its folder.",
        "",
        f"GistNet makes one vector of every {manifest['blockSize']} tokens and of every {manifest['blockSize']} gists; "
        "LensNet scores which of them to expand for what is asked.",
        "",
        "| default | value |",
        "|---|---|",
        *(f"| `{name}` | {value} |" for name, value in defaults.items()),
        "",
        "## Training",
        "",
        f"{corpus} {training['hours']} hours on {hardware}, {tokens}, seed {training['seed']}.",
        "",
        *(f"    {command}" for command in training["commands"]),
        "",
        "## Figures",
        "",
        *table,
        *(
            f"| {entry['name']} | {entry['value']} | {entry['ci95'][0]} to {entry['ci95'][1]} | {entry['n']} |"
            for entry in manifest["figures"]
        ),
        "",
    ]
    return "\n".join(lines)


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--gistnet", type=Path, default=PUBLISHED_GISTNET)
    parser.add_argument("--lensnet", type=Path, default=PUBLISHED_LENSNET, help="left out where there is none")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--id")
    parser.add_argument("--base-name", help="what people call the base")
    parser.add_argument("--base-model", help="its repository on the hub, for the model card")
    parser.add_argument("--licence")
    parser.add_argument("--budget", type=int)
    parser.add_argument("--policy", help="what measured best: lensnet, hybrid, bm25 …")
    parser.add_argument("--gist-input", choices=("vector", "keyword", "none"), help="what measured best on prose")
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--figures", type=Path, help="folder of measured figures")
    parser.add_argument("--corpus-text", help="what the corpus was, in words")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--hardware")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--command", dest="commands", action="append")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    try:
        manifest = export(options)
    except (BaseFileError, GistNetError, OtherBaseError) as error:
        sys.exit(str(error))
    total = sum(entry["bytes"] for entry in manifest["files"].values())
    print(f"{options.folder}: {len(manifest['files'])} files of weights, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
