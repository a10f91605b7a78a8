"""Train GistNet for a frozen published base on plain text: LOD1 first, then LOD2 on its gists.

    python -m training.published.gistnet --base FILE.gguf --corpus training/.cache/corpus --lod1-minutes 45

Starts as the centred, rarity-weighted mean of a block's embeddings (a plain mean ruins such a base) with everything
learned at zero beside it: a linear map, a weight for every token, and a residual from layers copied of the base.
Objective: KL(base that reads the text || base that reads gists of it) on what follows, whole stack, base frozen; every
batch is read twice, as gists alone and as raw blocks among gists. Every sequence opens with the base's opening token;
positions are compact, as the page's are for such a base.

Runs on a CPU or a GPU (`--device cuda`), writes checkpoints every minute and goes on with `--resume`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.models.gistnet import GistConfig, GistNet, block_windows
from training.options import add_length, add_run, parser_of
from training.paths import CACHE
from training.published.base import BaseFileError, OtherBaseError, PublishedBase, load_published_base
from training.published.corpus import CorpusError, Windows, rarity, read_corpus
from training.train.checkpoints import begin, entries_of, save_atomically
from training.train.intervals import bootstrap
from training.train.loop import Meter, Progress, Timer, descend, set_learning_rate, warm_cosine

PUBLISHED_GISTNET = CACHE / "published" / "gistnet.pt"
BLOCKS = 8
"""Blocks that gists stand for in the LOD1 phase."""
PAGE = BLOCK_SIZE * BLOCK_SIZE
FOLLOWING = 128
"""Raw tokens behind the gists, all of them predicted."""
READ, MEASURED, MEASURED_WINDOWS = 128, 64, 24
"""Raw tokens behind the gists of held-out windows, tokens after those whose loss is measured, and windows."""
REPORT_STEPS = 10
ANOTHER_RUN = "leave out --resume to begin anew, or name other files to write (--out, --work)"


class FrozenBase:
    """The base as training runs it: on a device, in a precision, over compact positions."""

    def __init__(self, published: PublishedBase, device: str, dtype: torch.dtype) -> None:
        self.model = published.model.to(device=device, dtype=dtype)
        self.device, self.dtype = device, dtype
        self.opening = self.embed(torch.tensor([[published.opening_token]]))
        """`[1, 1, d]`: a base stores what it attends to for want of better in its first slot, whatever stands there."""

    def embed(self, ids: Tensor) -> Tensor:
        """Float32, as GistNet reads them."""
        return self.model.embed(ids.to(self.device)).float()

    def log_probabilities(self, embeds: Tensor, last: int) -> Tensor:
        """`[B, T, d]`, behind the opening token → `[B, last, V]` of the last rows."""
        rows, length, _ = embeds.shape
        positions = torch.arange(length + 1, device=self.device)[None].expand(rows, -1)
        read = torch.cat([self.opening.expand(rows, -1, -1), embeds], dim=1)
        hidden, _ = self.model.hidden_states(read.to(self.dtype), positions)
        return self.model.logits(hidden[:, -last:]).float().log_softmax(-1)


def lod1_gists(net: GistNet, embeds: Tensor, ids: Tensor) -> Tensor:
    """`[B, T, d]` and `[B, T]` → the gist of every block `[B, T div 32, d]`."""
    blocks, contexts, present = block_windows(embeds, net.config.context_children)
    rows, count = blocks.shape[:2]
    tokens = ids.to(embeds.device).reshape(rows * count, BLOCK_SIZE)
    gists = net.lod1(blocks.flatten(0, 1), contexts.flatten(0, 1), present.repeat(rows, 1), tokens)
    return gists.unflatten(0, (rows, count))


def lod2_gists(net: GistNet, gists: Tensor) -> Tensor:
    """LOD1 gists `[B, 32n, d]` → LOD2 gists `[B, n, d]`."""
    blocks, contexts, present = block_windows(gists, net.config.context_children)
    rows, count = blocks.shape[:2]
    pages = net.lod2(blocks.flatten(0, 1), contexts.flatten(0, 1), present.repeat(rows, 1))
    return pages.unflatten(0, (rows, count))


def mixed_embeds(embeds: Tensor, gists: Tensor, raw: list[bool]) -> Tensor:
    """The history's blocks, each raw or as its gist, then the rest of `embeds` as it is: `[B, n, d]`."""
    history = len(raw) * BLOCK_SIZE
    pieces = [
        embeds[:, i * BLOCK_SIZE : (i + 1) * BLOCK_SIZE] if is_raw else gists[:, i : i + 1]
        for i, is_raw in enumerate(raw)
    ]
    return torch.cat([*pieces, embeds[:, history:]], dim=1)


class Reading:
    """What held-out windows cost the base with their history as it is, as gists, as its newest tokens, or left out."""

    def __init__(self, base: FrozenBase, ids: Tensor, history: int, slots: int) -> None:
        self.base, self.ids, self.history = base, ids, history
        embeds = base.embed(ids)
        self.full = self.losses(embeds)
        self.deleted = self.losses(embeds[:, history:])
        self.newest = self.losses(embeds[:, history - slots :])

    @torch.no_grad()
    def losses(self, embeds: Tensor) -> Tensor:
        """`[n]` nats a token over each window's last tokens."""
        found = []
        for row, ids in zip(embeds.split(4), self.ids.split(4), strict=True):
            targets = ids[:, -MEASURED:].to(row.device)
            log_probabilities = self.base.log_probabilities(row[:, :-1], MEASURED)
            found.append(F.nll_loss(log_probabilities.transpose(1, 2), targets, reduction="none").mean(1))
        return torch.cat(found).cpu()

    def with_gists(self, gists: Tensor) -> dict[str, float]:
        """Nats against deletion, and the share of the gap recovered, of gists `[n, slots, d]`."""
        read = self.losses(torch.cat([gists, self.base.embed(self.ids[:, self.history :])], dim=1))
        gap = (self.deleted - self.full).mean()
        change = read - self.deleted
        _, (low, high) = bootstrap(change.numpy(), np.mean)
        pairs = torch.stack([change, self.deleted - self.full], dim=1).numpy()
        _, gap_interval = bootstrap(pairs, lambda rows: float(-rows[:, 0].mean() / rows[:, 1].mean()))
        return {
            "gists": round(change.mean().item(), 4),
            "ci95": [round(low, 4), round(high, 4)],
            "newest": round((self.newest - self.deleted).mean().item(), 4),
            "full": round(-gap.item(), 4),
            "gapRecovered": round((-change.mean() / gap).item(), 3),
            "gapCi95": [round(bound, 3) for bound in gap_interval],
            "n": len(change),
        }


class Trainer:
    """One run: networks, corpus, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace, published: PublishedBase) -> None:
        self.options, self.meter, self.lod = options, Meter(), 1
        self.rng = random.Random(options.seed)
        self.base, self.mark = FrozenBase(published, options.device, getattr(torch, options.dtype)), published.mark()
        history = PAGE if options.lod2_minutes or options.lod2_steps else BLOCKS * BLOCK_SIZE
        self.kinds = read_corpus(options.corpus, published.tokenizer, history + READ + MEASURED)
        print(json.dumps({kind.name: len(kind.train) for kind in self.kinds}), flush=True)
        config = GistConfig(
            blocks=options.blocks,
            context_children=options.context,
            attention="causal",
            queries=options.queries,
            residual="affine",
            mlp_width=published.model.config.hidden_size,
            lod2_blocks=0,
        )
        self.net = GistNet(published.model.config, config)
        self.net.start_centred(published.model, rarity(self.kinds, published.model.config.vocab_size))
        self.net.to(options.device)
        if options.start:
            self.net.load_state_dict(torch.load(options.start, weights_only=False)["state_dict"])
        self.tokens = 0
        """That the base has read to learn from, in both phases."""
        self.optimizer: torch.optim.Optimizer | None = None
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        self.saved: dict | None = None
        """The checkpoint to go on from, until its phase has begun."""
        if options.resume and self.checkpoint.exists():
            self.saved = torch.load(self.checkpoint, weights_only=False)
            published.check(self.saved, self.checkpoint, ANOTHER_RUN)
            self.net.load_state_dict(self.saved["state_dict"])
            self.lod, self.tokens = self.saved["lod"], self.saved.get("tokens", 0)

    def run(self) -> None:
        options = self.options
        if self.lod == 1:
            self.phase(Progress(options.lod1_minutes, options.lod1_steps), BLOCKS * BLOCK_SIZE, self.lod1_loss)
            self.lod = 2
        self.phase(Progress(options.lod2_minutes, options.lod2_steps), PAGE, self.lod2_loss)
        self.save()

    def phase(self, progress: Progress, history: int, loss_of) -> None:
        """Train the weights of the present LOD until `progress` is over; a saved phase goes on."""
        self.progress = progress
        if progress.share() >= 1:
            return
        options, network = self.options, self.net.set_for(self.lod)
        self.windows = Windows(self.kinds, history + FOLLOWING, self.rng)
        weights = [network.token_weights] if network.token_weights is not None else []
        others = [parameter for parameter in network.parameters() if all(parameter is not own for own in weights)]
        groups = [{"params": others, "lr": options.lr, "peak": options.lr, "weight_decay": 0.01}]
        if weights:
            groups.append({"params": weights, "lr": 10 * options.lr, "peak": 10 * options.lr, "weight_decay": 0.0})
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
        if self.saved and self.saved["lod"] == self.lod:
            self.optimizer.load_state_dict(self.saved["optimizer"])
            self.rng.setstate(self.saved["rng"])
            self.progress = Progress(progress.minutes, progress.steps, self.saved["step"], self.saved["seconds"])
        self.saved = None
        length = history + READ + MEASURED
        held_out = Windows(self.kinds, length, random.Random(7), held_out=True).draw(MEASURED_WINDOWS)
        slots = history // (BLOCK_SIZE if self.lod == 1 else PAGE)
        self.reading = Reading(self.base, held_out, history, slots)
        self.measure()
        self.progress = Progress(progress.minutes, progress.steps, self.progress.step, self.progress.seconds)
        saving, measuring = Timer(options.save_seconds), Timer(options.measure_minutes * 60)
        while (share := self.progress.share()) < 1:
            set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 30, 0.05))
            loss_of()
            self.progress.advance()
            if self.progress.step % REPORT_STEPS == 0:
                print(json.dumps({**self.place(), **self.meter.read()}), flush=True)
            if saving.due():
                self.save()
            if measuring.due():
                self.measure()
        self.measure()

    def place(self) -> dict[str, float]:
        return {"lod": self.lod, "step": self.progress.step, "seconds": round(self.progress.seconds)}

    def gists_of(self, ids: Tensor) -> Tensor:
        """Gists of the present LOD of a history `[B, T]`; gradients only into its own weights."""
        embeds = self.base.embed(ids)
        with torch.autocast(self.options.device, torch.bfloat16, enabled=self.base.dtype == torch.bfloat16):
            if self.lod == 1:
                return lod1_gists(self.net, embeds, ids).float()
            with torch.no_grad():
                rows = zip(embeds.split(1), ids.split(1), strict=True)
                gists = torch.cat([lod1_gists(self.net, row, own) for row, own in rows])
            return lod2_gists(self.net, gists.float()).float()

    @torch.no_grad()
    def measure(self) -> None:
        history = self.reading.ids[:, : self.reading.history]
        gists = torch.cat([self.gists_of(rows) for rows in history.split(4)])
        print(json.dumps({**self.place(), "heldOut": self.reading.with_gists(gists)}), flush=True)

    @torch.no_grad()
    def teacher(self, embeds: Tensor) -> Tensor:
        """What the base says of the following tokens when it reads everything: `[B, FOLLOWING, V]`."""
        return self.base.log_probabilities(embeds[:, :-1], FOLLOWING)

    def descend_on(self, name: str, read: Tensor, teacher: Tensor) -> None:
        student = self.base.log_probabilities(read[:, :-1], FOLLOWING)
        divergence = (teacher.exp() * (teacher - student)).sum(-1).mean()
        self.meter.add(**{name: divergence})
        descend(divergence, self.optimizer)

    def drawn(self) -> Tensor:
        ids = self.windows.draw(self.options.batch)
        self.tokens += ids.numel()
        return ids

    def lod1_loss(self) -> None:
        ids = self.drawn()
        embeds = self.base.embed(ids)
        teacher = self.teacher(embeds)
        share = self.rng.choice((0.15, 0.3, 0.5))
        mixed = [self.rng.random() < share for _ in range(BLOCKS)]
        mixed[self.rng.randrange(BLOCKS)] = False
        for name, raw in (("kl", [False] * BLOCKS), ("klMixed", mixed)):
            gists = self.gists_of(ids[:, : BLOCKS * BLOCK_SIZE])
            self.descend_on(name, mixed_embeds(embeds, gists, raw), teacher)

    def lod2_loss(self) -> None:
        ids = self.drawn()
        embeds = self.base.embed(ids)
        teacher = self.teacher(embeds)
        self.descend_on("kl", torch.cat([self.gists_of(ids[:, :PAGE]), embeds[:, PAGE:]], dim=1), teacher)

    def save(self) -> None:
        save_atomically(self.options.out, entries_of(self.net, base=self.mark, tokens=self.tokens))
        if self.optimizer is not None:
            state = {"lod": self.lod, "tokens": self.tokens, "rng": self.rng.getstate(), **self.progress.state()}
            save_atomically(
                self.checkpoint, entries_of(self.net, base=self.mark, optimizer=self.optimizer.state_dict(), **state)
            )


def add_published(parser: argparse.ArgumentParser) -> None:
    """Which base, which texts, and on what they run."""
    parser.add_argument("--base", type=Path, required=True, help="a GGUF file, or a folder in Hugging Face's layout")
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, help="folders of .txt and .md files")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"), help="of the frozen base")


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_published(parser)
    add_run(parser, PUBLISHED_GISTNET, 1e-3)
    add_length(parser, 45, "lod1-")
    add_length(parser, 15, "lod2-")
    parser.add_argument("--from", dest="start", type=Path, help="start from these weights")
    parser.add_argument("--batch", type=int, default=2, help="windows a step")
    parser.add_argument("--blocks", type=int, default=2, help="layers copied from the base")
    parser.add_argument("--context", type=int, default=96, help="tokens before a block that its gist sees")
    parser.add_argument("--queries", type=int, default=4)
    parser.add_argument("--measure-minutes", type=float, default=20, help="between two looks at held-out text")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    try:
        Trainer(options, load_published_base(options.base)).run()
    except (BaseFileError, CorpusError, OtherBaseError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
