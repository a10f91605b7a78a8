"""Train GistNet against the frozen base: LOD1 first, then LOD2 on the gists of LOD1.

    python training/train_gistnet.py --lod1-minutes 16 --lod2-minutes 6 --copy-lod1 --seed 0
    python training/train_gistnet.py --from training/.cache/gistnet.pt ...   # fine-tune

Objective, per batch of rows that share a random layout of raw blocks and gists:
KL(full-context teacher || student) on what follows a gist, value tokens weighted; a bag-of-words
probe and a routing probe (gist_losses.py), so that entities and their pairs can be read off a gist.
Checkpoints after every minute; `--resume` goes on.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from checkpoints import (
    BASE,
    CACHE,
    GISTNET,
    entries_of,
    load_base,
    load_grown,
    save_atomically,
)
from corpus import Document, make_document
from gist_losses import Probes
from gistnet import BLOCK_SIZE, GistConfig, GistNet, block_windows, compress_sequence
from llama import Llama
from positions import random_offset
from sequences import Mixed, block_pieces, mix
from tokenizer import load_tokenizer

BLOCKS = 16
"""Blocks per document in the LOD1 phase."""
PAGE, PAGES = BLOCK_SIZE * BLOCK_SIZE, 4
"""Tokens of an LOD2 gist, and how many of them a pooled document fills."""
DENSE, MIXED, SPARSE = (0.1, 0.2, 0.3, 0.4), (0.02, 0.05, 0.1, 0.2, 0.3), (0.003, 0.006, 0.012)
"""Shares of sentences that state a fact, for LOD1, LOD2 and LOD3: the longer a span, the fewer it can hold."""
TAIL = 128
"""Raw tokens after the compressed page in the LOD2 phase."""


def write_document(
    rng: random.Random, length: int, tokenizer, question_rate: float, fact_rates: tuple[float, ...] = DENSE
) -> Document:
    while True:
        document = make_document(
            rng,
            length,
            fact_rate=rng.choice(fact_rates),
            question_rate=question_rate,
            split="train",
            tokenizer=tokenizer,
            special_share=0.3,
        )
        if document.facts:
            return document


def value_weights(documents: list[Document], start: int, length: int, weight: float) -> Tensor:
    """`[B, length]`: `weight` where `tokens[start + i]` is an answer's value, else 1."""
    weights = torch.ones(len(documents), length)
    for row, document in enumerate(documents):
        for value in (value for question in document.questions for value in question.values):
            weights[row, max(value.start - start, 0) : max(value.end - start, 0)] = weight
    return weights


def student_loss(
    base: Llama, mixed: Mixed, teacher: Tensor, offset: int, weights: Tensor
) -> tuple[Tensor, Tensor]:
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
        self.options, self.rng = options, random.Random(options.seed)
        self.tokenizer = load_tokenizer()
        self.base = load_base(options.base)
        config = GistConfig(options.blocks, options.context, options.attention, options.pooling, options.queries)
        self.net = GistNet(self.base.config, config)
        self.net.init_from_base(self.base)
        self.probes = Probes(self.base, self.tokenizer)
        self.lod, self.step, self.seconds = 1, 0, 0.0
        self.meter: dict[str, list[float]] = {}
        if options.start:
            saved = torch.load(options.start, weights_only=False)
            self.net.load_state_dict(saved["state_dict"])
            load_grown(self.probes, saved["probes"])
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        self.saved = None
        if options.resume and self.checkpoint.exists():
            self.saved = torch.load(self.checkpoint, weights_only=False)
            self.net.load_state_dict(self.saved["state_dict"])
            self.probes.load_state_dict(self.saved["probes"])
            self.lod, self.step, self.seconds = (self.saved[key] for key in ("lod", "step", "seconds"))
            self.rng.setstate(self.saved["rng"])

    def run(self) -> None:
        if self.lod == 1:
            if self.options.lod1_minutes or self.options.lod1_steps:
                self.phase(self.options.lod1_minutes, self.lod1_loss)
            if self.options.copy_lod1:
                self.net.lod2.load_state_dict(self.net.lod1.state_dict())
            self.lod, self.step, self.seconds = 2, 0, 0.0
            self.save()
        if self.options.lod2_minutes:
            self.pool = Pool(self, self.options.pool, MIXED, taught=100)
            if self.options.lod3:
                self.far_pool = Pool(self, self.options.pool // 2, SPARSE, taught=0)
            self.phase(self.options.lod2_minutes, self.lod2_loss)
        self.save()

    def phase(self, minutes: float, loss_of) -> None:
        trained = self.probes if self.lod == 1 else self.probes.bag["lod2"]  # LOD2 is read as LOD1 is
        network, probes = list(self.net.set_for(self.lod).parameters()), list(trained.parameters())
        parameters = network + probes
        groups = [{"params": network, "peak": self.options.lr}, {"params": probes, "peak": 3 * self.options.lr}]
        optimizer = torch.optim.AdamW(groups, lr=self.options.lr, betas=(0.9, 0.95), weight_decay=0.01)
        if self.saved and self.saved["lod"] == self.lod and self.saved["optimizer"]:
            optimizer.load_state_dict(self.saved["optimizer"])
        self.optimizer = optimizer
        began, saved_at = time.time() - self.seconds, time.time()
        while (progress := self.progress(began, minutes)) < 1:
            cosine = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress))
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * min(1, (self.step + 1) / 50) * cosine
            loss = loss_of()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            self.step += 1
            self.seconds = time.time() - began
            if self.step % 25 == 0:
                self.report()
            if time.time() - saved_at > 60:
                saved_at = time.time()
                self.save()

    def progress(self, began: float, minutes: float) -> float:
        """Share of the phase that is over: of its steps where they are given, else of its minutes."""
        if self.lod == 1 and self.options.lod1_steps:
            return self.step / self.options.lod1_steps
        return (time.time() - began) / (minutes * 60)

    def note(self, **values: float) -> None:
        for name, value in values.items():
            self.meter.setdefault(name, []).append(float(torch.as_tensor(value).detach()))

    def report(self) -> None:
        means = {name: round(sum(values) / len(values), 4) for name, values in self.meter.items()}
        self.meter.clear()
        print(json.dumps({"lod": self.lod, "step": self.step, "seconds": round(self.seconds), **means}), flush=True)

    def save(self) -> None:
        probes = self.probes.state_dict()
        save_atomically(self.options.out, entries_of(self.net, probes=probes))
        optimizer = self.optimizer.state_dict() if hasattr(self, "optimizer") else None
        state = {"lod": self.lod, "step": self.step, "seconds": self.seconds, "rng": self.rng.getstate()}
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
        documents = [write_document(rng, length + 1, self.tokenizer, 0.35) for _ in range(rows)]
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
        self.note(kl=kl, nll=nll, teacher=known, value=hits.mean() if len(hits) else 0, bag=bag, route=route)
        self.note(top1=routed)
        return kl + self.options.bag * bag + self.options.route * route

    def lod2_loss(self) -> Tensor:
        """One objective a step, in turn: reading what follows a page, finding pages, finding runs of 32 pages."""
        turn = self.step % 4
        if turn in (0, 3):
            return self.reading_loss()
        return self.far_loss() if turn == 2 and self.options.lod3 else self.finding_loss()

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
        self.note(kl=kl, nll=nll, teacher=known)
        return kl

    def finding_loss(self) -> Tensor:
        pool = self.pool
        picks = self.rng.sample(range(len(pool.documents)), min(2 * self.options.batch, len(pool.documents)))
        documents = [pool.documents[index] for index in picks]
        bag, route, routed = self.probes.lod2(documents, pool.tokens[picks], self.page_gists(pool.lod1[picks]))
        self.note(bag=bag, route=route, top1=routed)
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
        self.note(farPage=page, farPageTop1=pages_hit, far=run, farTop1=runs_hit)
        return 2 * self.options.route * (0.5 * page + run)


class Pool:
    """Documents of several pages with cached LOD1 gists, and the teacher's log-probabilities for the first."""

    def __init__(self, trainer: Trainer, count: int, fact_rates: tuple[float, ...], taught: int) -> None:
        rng, base = trainer.rng, trainer.base
        length = PAGES * PAGE + TAIL
        self.documents = [write_document(rng, length, trainer.tokenizer, 0.15, fact_rates) for _ in range(count)]
        self.tokens = torch.from_numpy(np.stack([document.tokens for document in self.documents])).long()
        vocabulary = base.config.vocab_size
        self.lod1 = torch.empty(count, PAGES * BLOCK_SIZE, base.config.hidden_size)
        self.teacher = torch.empty(min(taught, count), PAGES, TAIL, vocabulary, dtype=torch.float16)
        began = time.time()
        with torch.no_grad():
            for index, tokens in enumerate(self.tokens):
                embeds = base.embed(tokens)
                self.lod1[index] = compress_sequence(trainer.net.lod1, embeds[: PAGES * PAGE])
                for page in range(PAGES if index < taught else 0):
                    window = embeds[page * PAGE : (page + 1) * PAGE + TAIL][None]
                    hidden, _ = base.hidden_states(window, torch.arange(window.shape[1])[None])
                    self.teacher[index, page] = base.logits(hidden[0, PAGE - 1 : -1]).log_softmax(-1).half()
        print(f"pool of {count * length} tokens in {time.time() - began:.0f} s", flush=True)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--out", type=Path, default=GISTNET)
    parser.add_argument("--from", dest="start", type=Path, help="start from these weights")
    parser.add_argument("--lod1-minutes", type=float, default=16)
    parser.add_argument("--lod1-steps", type=int, default=0, help="instead of minutes: the same work on any machine")
    parser.add_argument("--lod2-minutes", type=float, default=6)
    parser.add_argument("--copy-lod1", action="store_true", help="start LOD2 as a copy of LOD1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=1e-3)
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
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    CACHE.mkdir(exist_ok=True)
    Trainer(options).run()


if __name__ == "__main__":
    main()
