"""End to end: a history far longer than the budget, a question after it, one focus policy each.

    python training/evaluate_focus.py --n 200 --cells 512x4096 512x8192 1024x8192 --seed 0

Every policy starts from the recency assembly and gets the same budget. LensNet drives the greedy
allocator (4 actions a pass, 4 passes); the others rank 32-token blocks and expand the best of them all
the way to raw tokens while the budget lasts. Routing recall: the fact stands at LOD0 when the value is produced.
Reading accuracy: the value is the base's greedy choice, given that it was routed. Accuracy: over all.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from allocator import WorkingContext, refocus
from checkpoints import (
    BASE,
    CACHE,
    GISTNET,
    LENSNET,
    load_base,
    load_gistnet,
    load_lensnet,
)
from corpus import QUESTION_PREFIX, encoder_for, make_document
from gistnet import BLOCK_SIZE, GistNet
from intervals import figure, wilson
from lens_questions import Question, ask
from lensnet import LensNet
from llama import Llama
from streams import (
    RECENT_TOKENS,
    Entry,
    Stream,
    build_stream,
    context_embeds,
    entry_means,
    expand_at,
    extend_stream,
    recency_layout,
    slots_of,
)
from tokenizer import load_tokenizer

PASSES = 4

Ranking = Callable[["Case"], Tensor]
"""Ranks of blocks `[n]`, higher = more wanted."""


@dataclass
class Case:
    stream: Stream
    question: Question
    asked: list[int]
    """The question's own tokens, without the chat's markup: what a retriever searches by."""
    gold: tuple[int, int]

    def is_gold(self, entry: Entry) -> bool:
        return entry.start < self.gold[1] and self.gold[0] < entry.end


class Evaluator:
    def __init__(self, base: Llama, gistnet: GistNet, lens: LensNet | None, tokenizer, seed: int) -> None:
        self.base, self.gistnet, self.lens, self.tokenizer = base, gistnet, lens, tokenizer
        self.rng, self.encode = random.Random(seed), encoder_for(tokenizer)
        dice = random.Random(seed + 1)
        self.rankings: dict[str, Ranking] = {
            "retrieval": self.by_cosine,
            "bm25": self.by_bm25,
            "recency": lambda case: torch.arange(case.stream.length // BLOCK_SIZE).float(),
            "random": lambda case: torch.tensor([dice.random() for _ in range(case.stream.length // BLOCK_SIZE)]),
            "gold": lambda case: torch.tensor(
                [float(case.is_gold(Entry(0, i, i + BLOCK_SIZE))) for i in range(0, case.stream.length, BLOCK_SIZE)]
            ),
        }

    def cases(self, history: int, per_document: int = 4) -> list[Case]:
        """Questions about facts of one held-out document that are outside the recent window."""
        rng = self.rng
        document = make_document(
            rng,
            history,
            fact_rate=0.15,
            question_rate=0.03,
            split="eval",
            tokenizer=self.tokenizer,
            cast_size=32,
            relation_count=rng.choice((3, 5, 8)),
        )
        stream = build_stream(self.base, self.gistnet, torch.from_numpy(document.tokens).long())
        known = {index for question in document.questions for index in question.facts}
        usable = [
            fact
            for index, fact in enumerate(document.facts)
            if index not in known and fact.end <= history - RECENT_TOKENS
        ]
        found = []
        for fact in rng.sample(usable, min(per_document, len(usable))):
            question = ask(fact.statement, rng, self.encode)
            prompt = question.tokens[: question.answer_start]
            longer = extend_stream(stream, prompt, self.base, self.gistnet)
            asked = question.tokens[len(self.encode(QUESTION_PREFIX)) : question.keys_end]
            found.append(Case(longer, question, asked, (fact.start, fact.value_end)))
        return found

    def by_lensnet(self, case: Case, wc: WorkingContext) -> dict[Entry, float]:
        slots = slots_of(case.stream, wc.entries, self.base, wc.ages())
        tail = self.base.embed(case.stream.tokens[-self.lens.config.tail_tokens :])
        logits = self.lens(*(x[None] for x in (slots.own, slots.block, slots.feats, tail)))[0]
        means = entry_means(logits.tanh(), slots.entry, len(wc.entries))
        return dict(zip(wc.entries, means.tolist(), strict=True))

    def by_cosine(self, case: Case) -> Tensor:
        """Cosine of every LOD1 gist to the mean embedding of the question."""
        query = self.base.embed(torch.tensor(case.asked)).mean(0)
        return F.cosine_similarity(case.stream.gists[1], query[None])

    def by_bm25(self, case: Case) -> Tensor:
        """BM25 of the question over the raw tokens of every block."""
        whole = case.stream.length // BLOCK_SIZE * BLOCK_SIZE
        return bm25(case.stream.tokens[:whole].unflatten(0, (-1, BLOCK_SIZE)), torch.tensor(case.asked))

    def retrieve(self, case: Case, ranks: Tensor, budget: int, positive: bool) -> list[Entry]:
        """Expand the best blocks all the way to raw tokens, best first, while the budget lasts."""
        layout = recency_layout(case.stream.length)
        cost = sum(entry.cost for entry in layout)
        for block in ranks.argsort(descending=True).tolist():
            covering = next(entry for entry in layout if entry.start <= block * BLOCK_SIZE < entry.end)
            price = covering.lod * (BLOCK_SIZE - 1)
            if (positive and ranks[block] <= 0) or cost + BLOCK_SIZE - 1 > budget:
                break
            if covering.lod == 0 or cost + price > budget:
                continue
            cost += price
            expand_at(layout, block * BLOCK_SIZE, 0)
        return layout

    def focus(self, case: Case, budget: int) -> list[Entry]:
        """LensNet and the greedy allocator, pass after pass."""
        wc = WorkingContext(recency_layout(case.stream.length), case.stream.length, budget)
        if wc.cost > budget:
            raise ValueError(f"the recency assembly costs {wc.cost}, more than the budget of {budget}")
        for _ in range(PASSES):
            if not refocus(wc, self.by_lensnet(case, wc)):
                break
        return wc.entries

    def reads(self, case: Case, entries: list[Entry]) -> bool:
        """Whether the base's greedy choice is the value, after the answer's words up to it."""
        embeds, positions = context_embeds(case.stream, entries, self.base)
        question, length = case.question, case.stream.length
        answer = torch.tensor(question.tokens[question.answer_start :])
        value = len(question.tokens) - question.value_start
        more = self.base.embed(answer[:-1])
        positions = torch.cat([positions, torch.arange(length, length + len(more)).double()])
        hidden, _ = self.base.hidden_states(torch.cat([embeds, more])[None], positions[None])
        chosen = self.base.logits(hidden[0, -value:]).argmax(-1)
        return bool((chosen == answer[-value:]).all())

    @torch.no_grad()
    def cell(self, budget: int, history: int, count: int, policies: list[str], full_count: int) -> list[dict]:
        tally = {policy: {"n": 0, "routed": 0, "right": 0, "rightRouted": 0, "cost": 0} for policy in policies}
        done = 0
        while done < count:
            for case in self.cases(history)[: count - done]:
                done += 1
                for policy in policies:
                    counts = tally[policy]
                    if policy == "full":
                        if counts["n"] >= full_count:
                            continue
                        entries = [Entry(0, 0, case.stream.length)]
                    elif policy == "lensnet":
                        entries = self.focus(case, budget)
                    elif policy == "gists":
                        entries = recency_layout(case.stream.length)
                    else:
                        entries = self.retrieve(case, self.rankings[policy](case), budget, policy == "gold")
                    routed = all(entry.lod == 0 for entry in entries if case.is_gold(entry))
                    counts["cost"] += sum(entry.cost for entry in entries)
                    right = self.reads(case, entries)
                    counts["n"] += 1
                    counts["routed"] += routed
                    counts["right"] += right
                    counts["rightRouted"] += routed and right
        return [summary(policy, counts, budget, history) for policy, counts in tally.items()]


def bm25(blocks: Tensor, query: Tensor, k1: float = 1.2, b: float = 0.75) -> Tensor:
    """BM25 `[n]` of blocks `[n, 32]` of token ids; all have one length, so b only scales."""
    count = len(blocks)
    scores = torch.zeros(count)
    for token in query.unique():
        frequency = (blocks == token).sum(1).float()
        holding = (frequency > 0).sum()
        weight = ((count - holding + 0.5) / (holding + 0.5) + 1).log()
        scores += weight * frequency * (k1 + 1) / (frequency + k1 * (1 - b + b))
    return scores


def summary(policy: str, counts: dict[str, int], budget: int, history: int) -> dict:
    n = counts["n"]
    return {
        "task": "recall",
        "policy": policy,
        "historyTokens": history,
        "budgetTokens": budget,
        "n": n,
        "accuracy": round(counts["right"] / n, 4),
        "ci95": [round(x, 4) for x in wilson(counts["right"], n)],
        "routingRecall": round(counts["routed"] / n, 4),
        "routingCi95": [round(x, 4) for x in wilson(counts["routed"], n)],
        "readingAccuracy": round(counts["rightRouted"] / counts["routed"], 4) if counts["routed"] else None,
        "meanCost": round(counts["cost"] / n, 1),
    }


def figures_of(rows: list[dict], command: str) -> list[dict]:
    """Accuracy and routing recall of every policy, as the manifest lists them."""
    found = []
    for row in rows:
        name = f"focus.{row['policy']}.{row['budgetTokens']}x{row['historyTokens']}"
        found.append(figure(f"{name}.accuracy", row["accuracy"], row["n"], row["ci95"], command))
        if row["policy"] != "full":
            found.append(figure(f"{name}.routing", row["routingRecall"], row["n"], row["routingCi95"], command))
    return found


def merge(path: Path, figures: list[dict]) -> None:
    """Replace figures of the same name in a file, keep the others."""
    known = {entry["name"]: entry for entry in json.loads(path.read_text())} if path.exists() else {}
    known |= {entry["name"]: entry for entry in figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(known.values()), indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--gistnet", type=Path, default=GISTNET)
    parser.add_argument("--lensnet", type=Path, default=LENSNET)
    parser.add_argument("--cells", nargs="+", default=["512x4096", "512x8192", "1024x8192"], help="budget x history")
    parser.add_argument("--policies", nargs="+", default=["lensnet", "retrieval", "bm25", "recency", "random", "gold", "full"])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--full-n", type=int, default=100, help="cases for the full-context policy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=CACHE / "figures" / "focus.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    base = load_base(options.base)
    gistnet = load_gistnet(base.config, options.gistnet)
    lens = load_lensnet(options.lensnet) if "lensnet" in options.policies else None
    for cell in options.cells:
        budget, history = map(int, cell.split("x"))
        began = time.time()
        evaluator = Evaluator(base, gistnet, lens, load_tokenizer(), options.seed)
        command = f"python training/evaluate_focus.py --n {options.n} --cells {cell} --seed {options.seed}"
        rows = evaluator.cell(budget, history, options.n, options.policies, options.full_n)
        for row in rows:
            print(json.dumps(row), flush=True)
        merge(options.out, figures_of(rows, command))
        print(f"{cell}: {time.time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
