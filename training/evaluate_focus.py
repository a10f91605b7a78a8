"""End to end: a history far longer than the budget, a question after it, one focus policy each.

    python training/evaluate_focus.py --n 200 --cells 512x4096 512x8192 1024x8192 --seed 0

Every policy starts from the recency assembly and gets the same budget and the same greedy allocator
(4 actions a pass, 4 passes). Routing recall: the fact stands at LOD0 when the value is produced.
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
from allocator import WorkingContext, refocus
from checkpoints import BASE, CACHE, GISTNET, LENSNET, load_base, load_gistnet, load_lensnet
from corpus import encoder_for, make_document
from gistnet import GistNet
from intervals import figure, wilson
from lens_samples import Question, ask
from lensnet import LensNet
from llama import Llama
from streams import (
    RECENT_TOKENS,
    Entry,
    Stream,
    build_stream,
    context_embeds,
    entry_means,
    extend_stream,
    recency_layout,
    slots_of,
)
from tokenizer import load_tokenizer

PASSES = 4
QUERY_TOKENS = 64
FLOOR = 0.3
"""Rankings without a threshold of their own are mapped to scores from here to 1."""

Scorer = Callable[["Case", WorkingContext], dict[Entry, float]]


@dataclass
class Case:
    stream: Stream
    question: Question
    gold: tuple[int, int]

    def is_gold(self, entry: Entry) -> bool:
        return entry.start < self.gold[1] and self.gold[0] < entry.end


class Evaluator:
    def __init__(self, base: Llama, gistnet: GistNet, lens: LensNet | None, tokenizer, seed: int) -> None:
        self.base, self.gistnet, self.lens, self.tokenizer = base, gistnet, lens, tokenizer
        self.rng, self.encode = random.Random(seed), encoder_for(tokenizer)
        self.policies: dict[str, Scorer | None] = {
            "lensnet": self.by_lensnet,
            "retrieval": self.by_retrieval,
            "recency": lambda _, wc: ranked({e: float(e.end) for e in wc.entries if e.lod}, wc),
            "random": lambda _, wc: ranked({e: self.rng.random() for e in wc.entries if e.lod}, wc),
            "gists": lambda _, wc: dict.fromkeys(wc.entries, 0.0),
            "gold": lambda case, wc: {e: float(e.lod > 0 and case.is_gold(e)) for e in wc.entries},
            "full": None,
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
        asked = {question.fact for question in document.questions}
        usable = [
            fact
            for index, fact in enumerate(document.facts)
            if index not in asked and fact.end <= history - RECENT_TOKENS
        ]
        found = []
        for fact in rng.sample(usable, min(per_document, len(usable))):
            question = ask(fact.statement, rng, self.encode)
            prompt = question.tokens[: question.answer_start]
            longer = extend_stream(stream, prompt, self.base, self.gistnet)
            found.append(Case(longer, question, (fact.start, fact.value_end)))
        return found

    def by_lensnet(self, case: Case, wc: WorkingContext) -> dict[Entry, float]:
        slots = slots_of(case.stream, wc.entries, self.base, wc.ages())
        tail = self.base.embed(case.stream.tokens[-self.lens.config.tail_tokens :])
        logits = self.lens(*(x[None] for x in (slots.own, slots.block, slots.feats, tail)))[0]
        means = entry_means(logits.tanh(), slots.entry, len(wc.entries))
        return dict(zip(wc.entries, means.tolist(), strict=True))

    def by_retrieval(self, case: Case, wc: WorkingContext) -> dict[Entry, float]:
        """Cosine of a gist to the mean embedding of the last tokens."""
        query = self.base.embed(case.stream.tokens[-QUERY_TOKENS:]).mean(0)
        gists = [entry for entry in wc.entries if entry.lod]
        cosines = F.cosine_similarity(torch.stack([case.stream.gist(entry) for entry in gists]), query[None])
        return ranked(dict(zip(gists, cosines.tolist(), strict=True)), wc)

    def focus(self, case: Case, scorer: Scorer, budget: int) -> WorkingContext:
        wc = WorkingContext(recency_layout(case.stream.length), case.stream.length, budget)
        if wc.cost > budget:
            raise ValueError(f"the recency assembly costs {wc.cost}, more than the budget of {budget}")
        for _ in range(PASSES):
            if not refocus(wc, scorer(case, wc)):
                break
        return wc

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
                    scorer, counts = self.policies[policy], tally[policy]
                    if scorer is None:
                        if counts["n"] >= full_count:
                            continue
                        entries, routed = [Entry(0, 0, case.stream.length)], True
                    else:
                        wc = self.focus(case, scorer, budget)
                        entries = wc.entries
                        routed = all(e.lod == 0 for e in entries if case.is_gold(e))
                        counts["cost"] += wc.cost
                    right = self.reads(case, entries)
                    counts["n"] += 1
                    counts["routed"] += routed
                    counts["right"] += right
                    counts["rightRouted"] += routed and right
        return [summary(policy, counts, budget, history) for policy, counts in tally.items()]


def ranked(ranks: dict[Entry, float], wc: WorkingContext) -> dict[Entry, float]:
    """A ranking of gists as positive scores; everything else stays as it is."""
    order = sorted(ranks, key=ranks.__getitem__)
    scale = (1 - FLOOR) / max(1, len(order) - 1)
    scores = {entry: FLOOR + scale * place for place, entry in enumerate(order)}
    return {entry: scores.get(entry, 0.0) for entry in wc.entries}


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--gistnet", type=Path, default=GISTNET)
    parser.add_argument("--lensnet", type=Path, default=LENSNET)
    parser.add_argument("--cells", nargs="+", default=["512x4096", "512x8192", "1024x8192"], help="budget x history")
    parser.add_argument("--policies", nargs="+", default=["lensnet", "retrieval", "recency", "random", "gold", "full"])
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--full-n", type=int, default=100, help="cases for the full-context policy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=CACHE / "figures" / "focus.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    base = load_base(options.base)
    gistnet = load_gistnet(base.config, options.gistnet)
    lens = load_lensnet(options.lensnet) if "lensnet" in options.policies else None
    figures = []
    for cell in options.cells:
        budget, history = map(int, cell.split("x"))
        began = time.time()
        evaluator = Evaluator(base, gistnet, lens, load_tokenizer(), options.seed)
        command = f"python training/evaluate_focus.py --n {options.n} --cells {cell} --seed {options.seed}"
        for row in evaluator.cell(budget, history, options.n, options.policies, options.full_n):
            print(json.dumps(row), flush=True)
            name = f"focus.{row['policy']}.{cell}"
            figures.append(figure(f"{name}.accuracy", row["accuracy"], row["n"], row["ci95"], command))
            if row["policy"] != "full":
                figures.append(figure(f"{name}.routing", row["routingRecall"], row["n"], row["routingCi95"], command))
        print(f"{cell}: {time.time() - began:.0f} s", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
