"""Train router or merger of Multi-Head Focus on what heads made of questions (`npm run heads:rows`).

    python -m training.train.head_mixing router --rows training/.cache/head-rows.jsonl --minutes 2
    python -m training.train.head_mixing merger --rows training/.cache/head-rows.jsonl --minutes 5

Base, GistNet, LensNet and the heads are frozen. The router learns which heads hold what is asked for (cross-entropy of
the heads' shares of the facts, and a load balance over the batch: the mean share times how often a head is first); the
merger learns to weigh final hidden states so that the merged one predicts the right answer (negative log-likelihood).
Both start as the untrained rule. The last fifth of the rows is held out; the weights that are kept are the best on a
fifth of the rest, and what is held out is measured once, beside the rules. Checkpoints; `--resume` goes on.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from training.constants import ENTROPY_SCALE_NATS
from training.data.head_rows import HeadRow, load_head_rows, split_rows
from training.files import write_json
from training.models.focus_heads import HeadMerger, HeadRouter
from training.models.llama import Llama
from training.options import add_length, add_networks, add_run, parser_of
from training.paths import HEAD_MERGER, HEAD_ROUTER, HEAD_ROWS
from training.train.checkpoints import begin, load_base, read_back, save_atomically
from training.train.intervals import cell
from training.train.loop import Meter, Progress, Timer, descend, peak_groups, set_learning_rate, warm_cosine

REPORT_STEPS = 20
HELD_OUT = 0.2
BATCH = 32


class RouterTask:
    """Which heads hold the facts."""

    def __init__(self, rows: list[HeadRow], options: argparse.Namespace) -> None:
        first = rows[0]
        self.net = HeadRouter(len(first.query), len(first.statistics), options.width)
        self.balance = options.balance
        self.top = max(1, len(first.statistics) // 2)

    def loss(self, rows: list[HeadRow]) -> Tensor:
        rows = [row for row in rows if row.held.sum() > 0]
        if not rows:
            return sum(parameter.sum() for parameter in self.net.parameters()) * 0
        shares = HeadRouter.shares(self.utilities(rows))
        target = torch.stack([row.held.sum(0) / row.held.sum() for row in rows])
        routing = -(target * shares.clamp(min=1e-6).log()).sum(-1).mean()
        firsts = F.one_hot(shares.argmax(-1), shares.shape[1]).float().mean(0)
        return routing + self.balance * shares.shape[1] * (firsts * shares.mean(0)).sum()

    def utilities(self, rows: list[HeadRow]) -> Tensor:
        return self.net(torch.stack([row.query for row in rows]), torch.stack([row.statistics for row in rows]))

    @torch.no_grad()
    def score(self, rows: list[HeadRow]) -> float:
        """Share of facts that one of the chosen heads holds, of those that any holds, the net's and then its loss."""
        chosen = self.chosen(self.utilities(rows))
        return sum(self.reached(row, heads) for row, heads in zip(rows, chosen, strict=True)) / len(rows)

    def chosen(self, utilities: Tensor) -> Tensor:
        return utilities.topk(self.top, dim=-1).indices

    @staticmethod
    def reached(row: HeadRow, heads: Tensor) -> float:
        any_holds = row.held.amax(-1).sum()
        return float(row.held[:, heads].amax(-1).sum() / any_holds) if any_holds else 1.0

    @torch.no_grad()
    def measure(self, rows: list[HeadRow]) -> dict:
        """Whether all facts that any head holds are held by the half of the heads that is chosen, by router."""
        statistics = torch.stack([row.statistics for row in rows])
        routers = {
            "static": torch.arange(self.top).expand(len(rows), -1),
            "utility-gated": self.chosen(statistics[..., 0]),
            "learned": self.chosen(self.utilities(rows)),
        }
        return {
            name: cell([self.reached(row, heads) == 1.0 for row, heads in zip(rows, chosen, strict=True)])
            for name, chosen in routers.items()
        }


class MergerTask:
    """Which weights make the merged state predict the answer."""

    def __init__(self, rows: list[HeadRow], options: argparse.Namespace, base: Llama) -> None:
        self.base = base
        self.net = HeadMerger(len(rows[0].query), options.width)

    def loss(self, rows: list[HeadRow]) -> Tensor:
        return torch.cat([self.nll(row, self.weights(row)) for row in rows]).mean()

    def entropy(self, row: HeadRow) -> Tensor:
        """`[T, H]` nats of what each head alone predicts."""
        log_shares = self.base.logits(row.hidden).log_softmax(-1)
        return -(log_shares.exp() * log_shares).sum(-1)

    def weights(self, row: HeadRow) -> Tensor:
        with torch.no_grad():
            entropy = self.entropy(row)
        return self.net(row.hidden, entropy, row.utilities).softmax(-1)

    def logits(self, row: HeadRow, weights: Tensor) -> Tensor:
        return self.base.logits((weights[..., None] * row.hidden).sum(1))

    def nll(self, row: HeadRow, weights: Tensor) -> Tensor:
        """`[T]` nats a token of the right answer."""
        return F.cross_entropy(self.logits(row, weights), row.ids, reduction="none")

    @torch.no_grad()
    def score(self, rows: list[HeadRow]) -> float:
        """Higher is better."""
        return -float(self.loss(rows))

    @torch.no_grad()
    def measure(self, rows: list[HeadRow]) -> dict:
        """By merger: nats a token, and whether every value is the first choice after the right words before it."""
        results: dict[str, dict] = {}
        for name in ("mean", "confident", "best-head", "learned"):
            nll, right = [], []
            for row in rows:
                weights = self.rule(name, row)
                nll.append(self.nll(row, weights))
                hits = self.logits(row, weights).argmax(-1) == row.ids
                right.append(bool(hits[row.is_value].all()))
            tokens = torch.cat(nll)
            half = 1.96 * float(tokens.std()) / len(tokens) ** 0.5
            results[name] = {
                "nll": round(float(tokens.mean()), 4),
                "ci95": round(half, 4),
                "tokens": len(tokens),
                "read": cell(right),
            }
        return results

    def rule(self, name: str, row: HeadRow) -> Tensor:
        """`[T, H]` weights of a merger."""
        if name == "learned":
            return self.weights(row)
        if name == "mean":
            return torch.full(row.hidden.shape[:2], 1 / row.hidden.shape[1])
        if name == "confident":
            return (-self.entropy(row) / ENTROPY_SCALE_NATS).softmax(-1)
        return F.one_hot(row.utilities.argmax(-1), row.hidden.shape[1]).float()


class Trainer:
    """One run: network, rows, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.rng = options, random.Random(options.seed)
        rows = load_head_rows(options.rows)
        rest, self.held_out = split_rows(rows, HELD_OUT)
        self.rows, self.judged = split_rows(rest, HELD_OUT)
        is_router = options.part == "router"
        self.task = RouterTask(rows, options) if is_router else MergerTask(rows, options, load_base(options.base))
        self.net = self.task.net
        self.optimizer = torch.optim.AdamW(peak_groups((self.net.parameters(), options.lr)), weight_decay=0.05)
        self.progress, self.meter = Progress(options.minutes, options.steps), Meter()
        self.best = (self.task.score(self.judged), self.state())
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        if found := read_back(options, self.checkpoint, self.net, self.optimizer, self.rng):
            saved, self.progress = found
            self.best = saved["best"]

    def run(self) -> None:
        timer = Timer(self.options.save_seconds)
        while (share := self.progress.share()) < 1:
            set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 20, 0.03))
            loss = self.task.loss(self.rng.sample(self.rows, min(BATCH, len(self.rows))))
            descend(loss, self.optimizer)
            self.meter.add(loss=loss)
            self.progress.advance()
            if self.progress.step % REPORT_STEPS == 0:
                self.judge()
            if timer.due():
                self.save()
        self.judge()
        self.net.load_state_dict(self.best[1])
        self.save()

    def judge(self) -> None:
        score = self.task.score(self.judged)
        if score > self.best[0]:
            self.best = (score, self.state())
        place = {"step": self.progress.step, "seconds": round(self.progress.seconds), "judged": round(score, 4)}
        print(json.dumps({**place, **self.meter.read()}), flush=True)

    def state(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.net.state_dict().items()}

    def save(self) -> None:
        first = self.rows[0]
        shape = {"part": self.options.part, "heads": len(first.statistics), "width": self.net.width}
        entries = {**shape, "hidden_size": len(first.query), "state_dict": self.net.state_dict()}
        save_atomically(self.options.out, entries)
        state = {"optimizer": self.optimizer.state_dict(), "rng": self.rng.getstate(), **self.progress.state()}
        save_atomically(self.checkpoint, {**entries, **state, "best": self.best})

    def measured(self) -> dict:
        """On what was held out, beside the untrained rules; all questions, and by task."""
        tasks = sorted({row.task for row in self.held_out})
        by_task = {name: self.task.measure([row for row in self.held_out if row.task == name]) for name in tasks}
        return {"n": len(self.held_out), "all": self.task.measure(self.held_out), "byTask": by_task}


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("part", choices=("router", "merger"))
    add_networks(parser, "base")
    add_run(parser, HEAD_ROUTER, 3e-3)
    add_length(parser, 3)
    parser.add_argument("--rows", type=Path, default=HEAD_ROWS)
    parser.add_argument("--width", type=int, default=16, help="of the hidden layer")
    parser.add_argument("--balance", type=float, default=0.02, help="weight of the router's load balance")
    parser.add_argument("--json", type=Path, help="write what was measured")
    options = parser.parse_args(arguments)
    if options.part == "merger" and options.out == HEAD_ROUTER:
        options.out = HEAD_MERGER
    return options


def main() -> None:
    options = parse_options()
    begin(options.seed)
    trainer = Trainer(options)
    trainer.run()
    measured = trainer.measured()
    print(json.dumps(measured), flush=True)
    if options.json:
        write_json(options.json, {"part": options.part, "seed": options.seed, **measured})


if __name__ == "__main__":
    main()
