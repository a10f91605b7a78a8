"""Train GistNet against the frozen base: LOD1 first, then LOD2 on the gists of LOD1.

    python -m training.train.gistnet --lod1-minutes 16 --lod2-minutes 6 --copy-lod1 --seed 0
    python -m training.train.gistnet --from training/.cache/gistnet.pt ...   # fine-tune

Objective, per batch of rows that share a random layout of raw blocks and gists:
KL(full-context teacher || student) on what follows a gist, value tokens weighted; a bag-of-words
probe and a routing probe (gist_losses.py), so that entities and their pairs can be read off a gist.
Checkpoints after every minute; `--resume` goes on.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import BLOCK_SIZE
from training.data.document_writer import Teller
from training.data.documents import Document
from training.data.positions import random_offset
from training.data.sequences import Mixed, block_pieces, mix
from training.data.tokenizer import load_tokenizer
from training.models.gistnet import GistConfig, GistNet, block_windows
from training.models.llama import Llama
from training.options import add_language, add_length, add_networks, add_run, parser_of
from training.paths import GISTNET
from training.train.checkpoints import begin, entries_of, load_base, load_grown, save_atomically
from training.train.gist_pool import MIXED, PAGE, PAGES, SPARSE, TAIL, Pool, write_document
from training.train.loop import Meter, Progress, Timer, descend, peak_groups, set_learning_rate, warm_cosine
from training.train.probes import Probes

REPORT_STEPS = 25
BLOCKS = 16
"""Blocks per document in the LOD1 phase."""


def value_weights(documents: list[Document], start: int, length: int, weight: float) -> Tensor:
    """`[B, length]`: `weight` where `tokens[start + i]` is an answer's value, else 1."""
    weights = torch.ones(len(documents), length)
    for row, document in enumerate(documents):
        for value in (value for question in document.questions for value in question.values):
            weights[row, max(value.start - start, 0) : max(value.end - start, 0)] = weight
    return weights


def student_loss(base: Llama, mixed: Mixed, teacher: Tensor, offset: int, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted KL on predicted tokens after the first gist, and the student's logits there.

    Args:
        teacher: log-probabilities `[B, n, V]` for the n entries that predict.
        weights: `[B, n]`.
    """
    rows = mixed.embeds.shape[0]
    hidden, _ = base.hidden_states(mixed.embeds, (mixed.positions + offset)[None].expand(rows, -1))
    logits = base.logits(hidden[:, mixed.predicts])
    student = logits.log_softmax(-1)
    divergence = (teacher.exp() * (teacher - student)).sum(-1)
    return (divergence * weights).sum() / weights.sum(), logits


class Trainer:
    """One run: networks, probes, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.rng, self.meter = options, random.Random(options.seed), Meter()
        self.tokenizer = load_tokenizer()
        self.teller = Teller.for_training(self.tokenizer, options.language, options.core_share)
        self.base = load_base(options.base)
        config = GistConfig(options.blocks, options.context, options.attention, options.pooling, options.queries)
        self.net = GistNet(self.base.config, config)
        self.net.init_from_base(self.base)
        self.probes = Probes(self.base, self.tokenizer)
        self.lod, self.optimizer = 1, None
        if options.start:
            saved = torch.load(options.start, weights_only=False)
            self.net.load_state_dict(saved["state_dict"])
            load_grown(self.probes, saved["probes"])
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        self.saved: dict | None = None
        """The checkpoint to go on from, until its phase has begun."""
        if options.resume and self.checkpoint.exists():
            self.saved = torch.load(self.checkpoint, weights_only=False)
            self.net.load_state_dict(self.saved["state_dict"])
            self.probes.load_state_dict(self.saved["probes"])
            self.lod = self.saved["lod"]
            self.rng.setstate(self.saved["phase_rng"])

    def run(self) -> None:
        options = self.options
        if self.lod == 1:
            self.phase(Progress(options.lod1_minutes, options.lod1_steps), self.lod1_loss)
            if options.copy_lod1:
                self.net.lod2.load_state_dict(self.net.lod1.state_dict())
            self.lod = 2
        self.phase(Progress(options.lod2_minutes, options.lod2_steps), self.lod2_loss)
        self.save()

    def phase(self, progress: Progress, loss_of: Callable[[], Tensor]) -> None:
        """Train the weights of the present LOD until `progress` is over; a saved phase goes on."""
        self.progress, self.phase_rng = progress, self.rng.getstate()
        if progress.share() >= 1:
            return
        trained = self.probes if self.lod == 1 else self.probes.bag["lod2"]  # LOD2 is read as LOD1 is
        lr, network = self.options.lr, self.net.set_for(self.lod)
        groups = peak_groups((network.parameters(), lr), (trained.parameters(), 3 * lr))
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.01)
        if self.lod == 2:
            self.fill_pools()
        if self.saved and self.saved["lod"] == self.lod:
            self.optimizer.load_state_dict(self.saved["optimizer"])
            self.rng.setstate(self.saved["rng"])
            self.progress = Progress(progress.minutes, progress.steps, self.saved["step"], self.saved["seconds"])
            self.saved = None
        timer = Timer(self.options.save_seconds)
        while (share := self.progress.share()) < 1:
            set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 50, 0.05))
            descend(loss_of(), self.optimizer)
            self.progress.advance()
            if self.progress.step % REPORT_STEPS == 0:
                self.report()
            if timer.due():
                self.save()

    def fill_pools(self) -> None:
        make = (self.rng, self.base, self.net, self.teller)
        self.pool = Pool(*make, self.options.pool, MIXED, taught=100)
        if self.options.lod3:
            self.far_pool = Pool(*make, self.options.pool // 2, SPARSE, taught=0)

    def report(self) -> None:
        place = {"lod": self.lod, "step": self.progress.step, "seconds": round(self.progress.seconds)}
        print(json.dumps({**place, **self.meter.read()}), flush=True)

    def save(self) -> None:
        probes = self.probes.state_dict()
        save_atomically(self.options.out, entries_of(self.net, probes=probes))
        if self.optimizer is None:
            return
        state = {"lod": self.lod, "rng": self.rng.getstate(), "phase_rng": self.phase_rng, **self.progress.state()}
        optimizer = self.optimizer.state_dict()
        save_atomically(self.checkpoint, entries_of(self.net, probes=probes, optimizer=optimizer, **state))

    def layout(self) -> list[bool]:
        """True = raw, per block: a raw tail, and sometimes raw blocks among the gists."""
        rng = self.rng
        tail = rng.randint(2, 5)
        share = rng.choice((0.0, 0.1, 0.3))
        raw = [rng.random() < share for _ in range(BLOCKS - tail)]
        raw[rng.randrange(len(raw))] = False
        return raw + [True] * tail

    def lod1_loss(self) -> Tensor:
        rng, rows = self.rng, self.options.batch
        length = BLOCKS * BLOCK_SIZE
        documents = [write_document(rng, length + 1, self.teller, 0.35) for _ in range(rows)]
        tokens = torch.from_numpy(np.stack([document.tokens for document in documents])).long()
        embeds, offset = self.base.embed(tokens[:, :-1]), random_offset(rng)
        raw = self.layout()
        gist_blocks = [block for block, is_raw in enumerate(raw) if not is_raw]
        blocks, contexts, present = block_windows(embeds, self.net.config.context_children)
        gists = self.net.lod1(
            blocks[:, gist_blocks].flatten(0, 1),
            contexts[:, gist_blocks].flatten(0, 1),
            present[gist_blocks].repeat(rows, 1),
        ).unflatten(0, (rows, len(gist_blocks)))
        mixed = mix(embeds, block_pieces(raw, gists, gist_blocks))
        mixed.predicts &= mixed.source >= (gist_blocks[0] + 1) * BLOCK_SIZE - 1
        source = mixed.source[mixed.predicts]
        with torch.no_grad():
            positions = (torch.arange(length) + offset)[None].expand(rows, -1)
            hidden, _ = self.base.hidden_states(embeds, positions)
            teacher = self.base.logits(hidden[:, source]).log_softmax(-1)
        targets = tokens[:, source + 1]
        weights = value_weights(documents, 0, length + 1, self.options.value_weight)[:, source + 1]
        kl, logits = student_loss(self.base, mixed, teacher, offset, weights)
        bag, route, routed = self.probes.lod1(documents, tokens, gists, gist_blocks)
        with torch.no_grad():
            nll = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            values = weights > 1
            hits = (logits.argmax(-1) == targets)[values].float()
            known = -teacher.gather(-1, targets[..., None]).mean()
        self.meter.add(kl=kl, nll=nll, teacher=known, value=hits.mean() if len(hits) else 0, bag=bag, route=route)
        self.meter.add(top1=routed)
        return kl + self.options.bag * bag + self.options.route * route

    def lod2_loss(self) -> Tensor:
        """One objective a step, in turn: reading what follows a page, finding pages, finding runs of 32 pages."""
        objective = self.progress.step % 4
        if objective in (0, 3):
            return self.reading_loss()
        return self.far_loss() if objective == 2 and self.options.lod3 else self.finding_loss()

    def page_gists(self, children: Tensor) -> Tensor:
        """LOD2 gists `[B, pages, d]` of LOD1 gists `[B, pages · 32, d]`."""
        blocks, contexts, present = block_windows(children, self.net.config.context_children)
        rows, pages = blocks.shape[:2]
        return self.net.lod2(blocks.flatten(0, 1), contexts.flatten(0, 1), present.repeat(rows, 1)).unflatten(
            0, (rows, pages)
        )

    def reading_loss(self) -> Tensor:
        rng, pool = self.rng, self.pool
        picks = rng.sample(range(len(pool.teacher)), min(self.options.batch, len(pool.teacher)))
        page = rng.randrange(PAGES)
        documents = [pool.documents[index] for index in picks]
        gists = self.page_gists(pool.lod1[picks])
        start = (page + 1) * PAGE
        embeds = self.base.embed(pool.tokens[picks])
        offset = random_offset(rng)
        mixed = mix(embeds, [(page * PAGE, start, gists[:, page]), (start, start + TAIL, None)])
        weights = value_weights(documents, start, TAIL, self.options.value_weight)
        kl, logits = student_loss(self.base, mixed, pool.teacher[picks, page].float(), offset, weights)
        targets = pool.tokens[picks, start : start + TAIL]
        with torch.no_grad():
            nll = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            known = -pool.teacher[picks, page].float().gather(-1, targets[..., None]).mean()
        self.meter.add(kl=kl, nll=nll, teacher=known)
        return kl

    def finding_loss(self) -> Tensor:
        pool = self.pool
        picks = self.rng.sample(range(len(pool.documents)), min(2 * self.options.batch, len(pool.documents)))
        documents = [pool.documents[index] for index in picks]
        bag, route, routed = self.probes.lod2(documents, pool.tokens[picks], self.page_gists(pool.lod1[picks]))
        self.meter.add(bag=bag, route=route, top1=routed)
        return self.options.bag * bag + 2 * self.options.route * route

    def far_loss(self, runs: int = 6) -> Tensor:
        """LOD3: a few facts in 32 pages, and which run of pages holds each."""
        pool, documents_each = self.far_pool, BLOCK_SIZE // PAGES
        picks = self.rng.sample(range(len(pool.documents)), runs * documents_each)
        gists = self.page_gists(pool.lod1[picks])
        runs_of_pages = gists.flatten(0, 1).unflatten(0, (runs, BLOCK_SIZE))
        far = self.net.lod2(runs_of_pages)
        facts = [(place, fact) for place, index in enumerate(picks) for fact in pool.documents[index].facts]
        found = [fact for _, fact in facts]
        page, pages_hit = self.probes.route_loss(
            found, [place * PAGES + min(fact.start // PAGE, PAGES - 1) for place, fact in facts], gists.flatten(0, 1)
        )
        run, runs_hit = self.probes.route_loss(found, [place // documents_each for place, _ in facts], far)
        self.meter.add(farPage=page, farPageTop1=pages_hit, far=run, farTop1=runs_hit)
        return 2 * self.options.route * (0.5 * page + run)


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_networks(parser, "base")
    add_run(parser, GISTNET, 1e-3)
    add_language(parser)
    add_length(parser, 16, "lod1-")
    add_length(parser, 6, "lod2-")
    parser.add_argument("--from", dest="start", type=Path, help="start from these weights")
    parser.add_argument("--copy-lod1", action="store_true", help="start LOD2 as a copy of LOD1")
    parser.add_argument("--batch", type=int, default=8, help="documents a step")
    parser.add_argument("--pool", type=int, default=300, help="documents of 4,224 tokens for LOD2")
    parser.add_argument("--lod3", action="store_true", help="LOD2's weights also learn to find facts among LOD3 gists")
    parser.add_argument("--blocks", type=int, default=2)
    parser.add_argument("--context", type=int, default=32)
    parser.add_argument("--attention", default="bidirectional")
    parser.add_argument("--pooling", default="queries")
    parser.add_argument("--queries", type=int, default=4)
    parser.add_argument("--value-weight", type=float, default=3.0)
    parser.add_argument("--bag", type=float, default=0.2, help="weight of the bag-of-words probe")
    parser.add_argument("--route", type=float, default=0.2, help="weight of the routing probe")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    Trainer(options).run()


if __name__ == "__main__":
    main()
