"""Train the tiny base: retrieval first on short dense documents, then length, prose and far positions.

    python training/train_base.py --minutes 40 --seed 0 --out training/.cache/runs/base

The recipe that leads a model of this size past the plateau "answers with some value of its context":
positional heads at initialisation, and a supervised retrieval head (layer 1, head 0) early on.
Resume an interrupted run with the same command and `--resume`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from checkpoints import save_atomically
from copy_head import init_copy_head
from corpus import Document, Question, Value, encoder_for, make_document
from lexicon import ALIASES
from llama import Llama, LlamaConfig, init_positional_heads
from positions import random_positions
from prose import load_prose
from questions import KINDS
from tokenizer import load_tokenizer

HERE = Path(__file__).resolve().parent
TOKENS_PER_STEP = 4096
RETRIEVAL_LAYER, RETRIEVAL_HEAD = 1, 0


@dataclass(frozen=True)
class Stage:
    """One part of the curriculum; it ends at `until`, a share of the time budget."""

    until: float
    length: int
    fact_rate: float
    question_rate: float
    plain_share: float
    brief_share: float
    other_weight: float
    prose_share: float
    jumps: bool = True


STAGES = (
    Stage(0.22, 64, 0.50, 0.45, 1.0, 1.0, 0.3, 0.0, jumps=False),
    Stage(0.38, 128, 0.40, 0.42, 0.7, 0.6, 0.3, 0.0),
    Stage(0.56, 256, 0.34, 0.34, 0.4, 0.2, 0.4, 0.05),
    Stage(0.90, 512, 0.28, 0.26, 0.25, 0.05, 0.6, 0.08),
    Stage(1.00, 1024, 0.24, 0.20, 0.2, 0.0, 0.6, 0.08),
)


def chosen_stages(lengths: str | None) -> tuple[Stage, ...]:
    """The stages named by `--lengths`, or all."""
    if not lengths:
        return STAGES
    table = {stage.length: stage for stage in STAGES}
    pairs = (entry.split(":") for entry in lengths.split(","))
    return tuple(replace(table[int(length)], until=float(until)) for length, until in pairs)


class Corpus:
    """Batches of documents for a stage."""

    def __init__(self, tokenizer: Tokenizer, rng: random.Random, special_share: float) -> None:
        self.tokenizer, self.rng, self.special_share = tokenizer, rng, special_share
        self.prose = np.array(encoder_for(tokenizer)(load_prose()), dtype=np.int32)

    def document(self, stage: Stage) -> Document:
        """A document of the stage's length + 1 (inputs and shifted targets)."""
        rng, length = self.rng, stage.length + 1
        if len(self.prose) > length and rng.random() < stage.prose_share:
            start = rng.randrange(len(self.prose) - length)
            return Document(self.prose[start : start + length])
        thinness = 1.0 if stage.length <= 128 else rng.choice((1.0, 1.0, 0.7, 0.4))
        return make_document(
            rng,
            length,
            fact_rate=stage.fact_rate * thinness,
            question_rate=stage.question_rate * thinness,
            split="train",
            tokenizer=self.tokenizer,
            plain_share=stage.plain_share,
            brief_share=stage.brief_share,
            special_share=self.special_share,
        )

    def batch(self, stage: Stage) -> list[Document]:
        return [self.document(stage) for _ in range(TOKENS_PER_STEP // stage.length)]


def gold_of(document: Document, question: Question, value: Value) -> int:
    """Where the retrieval head should look; its layer has no positions, so it cannot tell the last of several."""
    if question.kind in ("last", "values", "count") or value.fact is None:
        return -1
    return document.facts[value.fact].value_start


@dataclass
class Targets:
    """Where a batch's answers stand: one entry a question, for tokens shifted by one."""

    row: Tensor
    query: Tensor
    """Index of the token that predicts the value."""
    gold: Tensor
    """Index of the value in the fact that the question is about; −1 where its clause does not single one out."""
    candidates: Tensor
    kind: Tensor
    """Index into KINDS."""

    @classmethod
    def of(cls, documents: list[Document]) -> Targets:
        found = [
            (row, value.start - 1, gold_of(document, question, value), question.candidates, KINDS.index(question.kind))
            for row, document in enumerate(documents)
            for question in document.questions
            for value in question.values
        ]
        return cls(*torch.tensor(found, dtype=torch.int64).reshape(-1, 5).unbind(1))


class Meter:
    """Running means by name, emptied when read."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])

    def add(self, name: str, values: Tensor) -> None:
        self.sums[name][0] += values.sum().item()
        self.sums[name][1] += values.numel()

    def read(self) -> dict[str, float]:
        means = {name: total / count for name, (total, count) in self.sums.items() if count}
        self.sums.clear()
        return means


def training_loss(
    model: Llama, documents: list[Document], positions: Tensor, stage: Stage, aux_weight: float, meter: Meter
) -> Tensor:
    """Weighted next-token loss plus the retrieval head's -log attention on the gold value."""
    tokens = torch.from_numpy(np.stack([document.tokens for document in documents])).long()
    inputs, labels = tokens[:, :-1], tokens[:, 1:]
    targets = Targets.of(documents)
    logits, probs = model(model.embed(inputs), positions, return_attention_of=RETRIEVAL_LAYER)
    nll = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    weights = torch.full_like(nll, stage.other_weight)
    weights[targets.row, targets.query] = 3.0
    loss = (nll * weights).sum() / weights.sum()
    meter.add("nll", nll.detach())
    if len(targets.row):
        named = targets.gold >= 0
        if named.any():
            mass = probs[targets.row[named], RETRIEVAL_HEAD, targets.query[named], targets.gold[named]]
            loss = loss - aux_weight * (mass + 1e-6).log().mean()
            meter.add("attention", mass.detach())
        correct = logits[targets.row, targets.query].argmax(-1) == labels[targets.row, targets.query]
        single = targets.kind == 0
        meter.add("recall", correct[single].float())
        meter.add("recall3", correct[single & (targets.candidates >= 3)].float())
        for index, kind in enumerate(KINDS[1:], 1):
            meter.add(kind, correct[targets.kind == index].float())
    return loss


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


def learning_rate(step: int, progress: float, peak: float) -> float:
    """150 steps of warm-up, then a cosine over the time budget down to a twentieth."""
    return peak * min(1, (step + 1) / 150) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1, progress))))


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--no-rope-layers", help='"1,0,1,0": layers 1 and 3 without RoPE')
    parser.add_argument("--out", type=Path, default=HERE / ".cache" / "runs" / "base")
    parser.add_argument("--publish", type=Path, help="also write {config, state_dict} here once recall3 ≥ 0.9")
    parser.add_argument("--start", type=Path, help="begin from this checkpoint's weights, with a new optimizer")
    parser.add_argument("--lengths", help='"256:0.4,512:0.9,1024:1": stages by length and end, a share of the budget')
    parser.add_argument("--special-share", type=float, default=0.35, help="documents with chains, repeats, rewordings")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed + 1)
    tokenizer = load_tokenizer()
    pattern = [int(flag) for flag in options.no_rope_layers.split(",")] if options.no_rope_layers else None
    config = LlamaConfig(vocab_size=tokenizer.get_vocab_size(), no_rope_layers=pattern)
    model = Llama(config)
    init_positional_heads(model)
    init_copy_head(model, RETRIEVAL_LAYER, RETRIEVAL_HEAD)
    optimizer = torch.optim.AdamW(model.parameters(), lr=options.lr, betas=(0.9, 0.95), weight_decay=0.05)
    corpus, meter = Corpus(tokenizer, rng, options.special_share), Meter()
    checkpoint, log_path = options.out / "checkpoint.pt", options.out / "log.jsonl"
    options.out.mkdir(parents=True, exist_ok=True)
    stages = chosen_stages(options.lengths)
    if options.start:
        model.load_state_dict(widened(torch.load(options.start, weights_only=False)["state_dict"], tokenizer))
    step = tokens = 0
    before = 0.0
    if options.resume and checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(saved["state_dict"])
        optimizer.load_state_dict(saved["optimizer"])
        rng.setstate(saved["rng"])
        step, tokens, before = saved["step"], saved["tokens"], saved["seconds"]
    started, saved_at = time.time() - before, time.time()
    while (progress := (time.time() - started) / (options.minutes * 60)) < 1:
        stage = next(stage for stage in stages if progress < stage.until)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, progress, options.lr)
        documents = corpus.batch(stage)
        spans = [document.clause_spans() for document in documents]
        positions = random_positions(len(documents), stage.length, rng, stage.jumps, spans)
        aux_weight = 0.5 * max(0.3, 1 - 2 * progress)
        loss = training_loss(model, documents, positions, stage, aux_weight, meter)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step, tokens = step + 1, tokens + positions.numel()
        if step % 50 == 0:
            means = {name: round(value, 4) for name, value in meter.read().items()}
            seconds = round(time.time() - started)
            line = json.dumps({"step": step, "seconds": seconds, "length": stage.length, "tokens": tokens, **means})
            print(line, flush=True)
            with log_path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")
            if options.publish and means.get("recall3", 0) >= 0.9:
                save_atomically(options.publish, {"config": config.to_dict(), "state_dict": model.state_dict()})
            if time.time() - saved_at > 50:
                saved_at = time.time()
                state = {"config": config.to_dict(), "state_dict": model.state_dict(), "rng": rng.getstate()}
                progress_state = {"step": step, "tokens": tokens, "seconds": time.time() - started}
                save_atomically(checkpoint, {**state, **progress_state, "optimizer": optimizer.state_dict()})
    final = {"config": config.to_dict(), "state_dict": model.state_dict(), "tokens": tokens, "step": step}
    save_atomically(options.out / "final.pt", final)
    if options.publish:
        save_atomically(options.publish, {"config": final["config"], "state_dict": final["state_dict"]})
    print(f"done: {step} steps, {tokens} tokens, {(time.time() - started) / 3600:.2f} h", flush=True)


if __name__ == "__main__":
    main()
