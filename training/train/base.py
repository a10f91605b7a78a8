"""Train the tiny base: retrieval first on short dense documents, then length, prose and far positions.

    python -m training.train.base --minutes 40 --seed 0 --out training/.cache/runs/base

The recipe that leads a model of this size past the plateau "answers with some value of its context":
positional heads at initialisation, and a supervised retrieval head (layer 1, head 0) early on.
Resume an interrupted run with the same command and `--resume`.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data.context_rows import ContextRows
from training.data.document_writer import Teller
from training.data.positions import random_positions
from training.data.tokenizer import load_tokenizer
from training.models.initialisation import init_copy_head, init_positional_heads
from training.models.llama import Llama, LlamaConfig
from training.options import add_language, add_length, add_networks, add_run, parser_of
from training.paths import CACHE
from training.train.base_curriculum import TOKENS_PER_STEP, Corpus, Stage, chosen_stages
from training.train.base_loss import BINDING_LAYER, RETRIEVAL_HEAD, RETRIEVAL_LAYER, Batch, training_loss
from training.train.checkpoints import begin, load_gistnet, read_back, save_atomically
from training.train.loop import Meter, Progress, Timer, descend, peak_groups, set_learning_rate, warm_cosine
from training.world.lexicon import ALIASES

REPORT_STEPS = 50


def widened(state: dict[str, Tensor], tokenizer: Tokenizer) -> dict[str, Tensor]:
    """Weights for a vocabulary that grew: an alias starts as its word, any other new token as the mean."""
    table = state["model.embed_tokens.weight"]
    known, size = len(table), tokenizer.get_vocab_size()
    if known < size:
        grown = torch.cat([table, table.mean(0).expand(size - known, -1).clone()])
        for word, alias in ALIASES.items():
            index = tokenizer.encode(f" {alias}").ids[0]
            if index >= known:
                grown[index] = 0.7 * table[tokenizer.encode(f" {word}").ids[0]]
        state["model.embed_tokens.weight"] = grown
    return state


class Trainer:
    """One run: model, corpus, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.rng, self.stages = random.Random(options.seed + 1), chosen_stages(options.lengths)
        tokenizer = load_tokenizer()
        pattern = [int(flag) for flag in options.no_rope_layers.split(",")] if options.no_rope_layers else None
        self.config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), no_rope_layers=pattern)
        self.model = Llama(self.config)
        init_positional_heads(self.model)
        init_copy_head(self.model, RETRIEVAL_LAYER, RETRIEVAL_HEAD)
        if options.freeze_embeddings:
            self.model.model.embed_tokens.requires_grad_(False)
        learned = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        groups = peak_groups((learned, options.lr))
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.05)
        teller = Teller.for_training(tokenizer, options.language, options.core_share)
        self.corpus, self.meter = (
            Corpus(teller, self.rng, options.special_share),
            Meter(),
        )
        self.contexts = None
        if options.context_share:
            net = load_gistnet(self.config, options.gistnet)
            self.contexts = ContextRows(self.model, net, teller, self.rng)
        self.checkpoint, self.tokens = options.out / "checkpoint.pt", 0
        self.progress = Progress(options.minutes, options.steps)
        if options.start:
            saved = torch.load(options.start, weights_only=False)
            self.model.load_state_dict(widened(saved["state_dict"], tokenizer))
        if options.begin_binding:
            init_copy_head(self.model, BINDING_LAYER, 0, quiet=1.0)
        if found := read_back(options, self.checkpoint, self.model, self.optimizer, self.rng):
            saved, self.progress = found
            if self.contexts:
                self.contexts.pool = saved["pool"]
            self.tokens = saved["tokens"]

    def run(self) -> None:
        timer = Timer(self.options.save_seconds)
        if self.contexts and not self.contexts.pool:
            self.contexts.fill(self.options.pool)
        while (share := self.progress.share()) < 1:
            self.step(next(stage for stage in self.stages if share < stage.until), share)
            if self.progress.step % REPORT_STEPS == 0:
                self.report()
            if timer.due():
                self.save()
        self.save()
        self.publish(self.options.out / "final.pt")
        if self.options.publish:
            self.publish(self.options.publish)
        hours = self.progress.seconds / 3600
        print(f"done: {self.progress.step} steps, {self.tokens} tokens, {hours:.2f} h", flush=True)

    def step(self, stage: Stage, share: float) -> None:
        set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 150, 0.05))
        if self.contexts and self.rng.random() < self.options.context_share:
            batch = self.working_contexts(self.contexts, share)
        else:
            batch = self.documents(stage)
        aux_weight = 0.5 * max(0.3, 1 - 2 * share)
        descend(training_loss(self.model, batch, stage.other_weight, aux_weight, self.meter), self.optimizer)
        self.tokens += batch.positions.numel()
        self.length = batch.positions.shape[1]
        self.progress.advance()

    def documents(self, stage: Stage) -> Batch:
        documents = self.corpus.batch(stage)
        spans = [document.clause_spans() for document in documents]
        return Batch(documents, random_positions(len(documents), stage.length, self.rng, stage.jumps, spans))

    def working_contexts(self, contexts: ContextRows, share: float) -> Batch:
        """Rows as the allocator makes them, of half a budget at first, of a whole one more often later."""
        contexts.refresh()
        slots = 1024 if self.rng.random() < share * 0.7 else 512
        return Batch.of_contexts([contexts.row(slots) for _ in range(TOKENS_PER_STEP // slots)])

    def report(self) -> None:
        means = self.meter.read()
        place = {"step": self.progress.step, "seconds": round(self.progress.seconds), "length": self.length}
        line = json.dumps({**place, "tokens": self.tokens, **means})
        print(line, flush=True)
        with (self.options.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        if self.options.publish and means.get("recall3", 0) >= 0.9:
            self.publish(self.options.publish)

    def publish(self, path: Path) -> None:
        """What the next stage of training reads."""
        save_atomically(path, {"config": self.config.to_dict(), "state_dict": self.model.state_dict()})

    def save(self) -> None:
        state = {"config": self.config.to_dict(), "state_dict": self.model.state_dict(), "rng": self.rng.getstate()}
        if self.contexts:
            state["pool"] = self.contexts.pool
        optimizer = self.optimizer.state_dict()
        save_atomically(
            self.checkpoint, {**state, **self.progress.state(), "tokens": self.tokens, "optimizer": optimizer}
        )


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_run(parser, CACHE / "runs" / "base", 3e-3)
    add_language(parser)
    add_length(parser, 40)
    parser.add_argument("--no-rope-layers", help='"1,0,1,0": layers 1 and 3 without RoPE')
    parser.add_argument("--publish", type=Path, help="also write {config, state_dict} here once recall3 ≥ 0.9")
    parser.add_argument("--start", type=Path, help="begin from this checkpoint's weights, with a new optimizer")
    parser.add_argument("--lengths", help='"256:0.4,512:0.9,1024:1": stages by length and end, a share of the budget')
    parser.add_argument(
        "--freeze-embeddings", action="store_true", help="keep the token table: GistNet and LensNet stay valid"
    )
    parser.add_argument(
        "--begin-binding", action="store_true", help="make head 0 of the binding layer a copying head, once"
    )
    parser.add_argument("--context-share", type=float, default=0.0, help="steps on working contexts with gists in them")
    parser.add_argument("--pool", type=int, default=150_000, help="tokens of documents that working contexts show")
    add_networks(parser, "gistnet")
    parser.add_argument("--special-share", type=float, default=0.35, help="documents with chains, repeats, rewordings")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    Trainer(options).run()


if __name__ == "__main__":
    main()
