"""Train LensNet for a frozen published base on plain text and, where a corpus folder has some, people's questions.

    python -m training.published.lensnet --base FILE.gguf --corpus training/.cache/corpus --minutes 15

Gists come from the GistNet trained before (`--gistnet`) and are made once; the base itself is not run. It starts as
what needs no training: the cosine of a block's gist and the mean of the tail, and beside it which words both share.
Loss: cross-entropy of the blocks that hold the answer over all others, and regression of the scores to the
allocator's scale. Checkpoints every minute; `--resume` goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.constants import LEXICAL_FEATURES
from training.data.lens_samples import Sample
from training.data.words import WORD_MATCHES
from training.models.features import FEATURES, LEXICAL
from training.models.gistnet import GistConfig, GistNet
from training.models.lensnet import LensConfig, LensNet, LensParts
from training.options import add_length, add_run, parser_of
from training.paths import CACHE
from training.published.base import BaseFileError, OtherBaseError, PublishedBase, load_published_base
from training.published.corpus import CorpusError, read_corpus
from training.published.gistnet import ANOTHER_RUN, PUBLISHED_GISTNET, FrozenBase, add_published
from training.published.lens_samples import Sampler
from training.published.pieces import PROSE_TOKENS, PieceMaker, draw_pieces, read_questions
from training.train.checkpoints import begin, entries_of, freeze, round_to_half, save_atomically, start_from
from training.train.lens_losses import forward, outcome, sample_loss
from training.train.loop import Meter, Progress, Timer, descend, peak_groups, set_learning_rate, warm_cosine

PUBLISHED_LENSNET = CACHE / "published" / "lensnet.pt"
REPORT_STEPS = 20
PLACES = (4, 8, 16)
CALIBRATIONS = ((1, 0), (1, 0.3), (0.5, 0.3), (0.5, 0.6), (0.3, 0.6), (0.1, 0.6))
"""Factors of the match's scale, and what the words' rank counts more."""
MEASURED = 240
"""Held-out working contexts whose routing is measured."""
HELD_OUT_PIECES = 40
"""At least; fewer make questions that all are found, or none."""
LEXICAL_ROOM = 8
"""Dimensions that words have for themselves at the start."""


class GistNetError(ValueError):
    """There is no GistNet to make gists with; says why."""


def load_published_gistnet(path: Path, published: PublishedBase) -> GistNet:
    """Frozen, as it is shipped. Raises GistNetError for another base's."""
    if not path.exists():
        raise GistNetError(f"{path}: there is no such file; train GistNet first (python -m training.published.gistnet)")
    saved = torch.load(path, weights_only=False)
    published.check(saved, path, "train GistNet for this one first")
    net = GistNet(published.model.config, GistConfig(**saved["config"]))
    try:
        net.load_state_dict(saved["state_dict"])
    except RuntimeError as error:
        raise GistNetError(f"{path}: was trained for another base than {published.name}: {error}") from error
    round_to_half(net)
    freeze(net)
    return net


@torch.no_grad()
def start_untrained(net: LensNet, embeddings: Tensor) -> None:
    """Begin as cosine of gist and mean tail embedding, both projected, with the shared words beside it.

    Args:
        embeddings: `[V, d]` of the base.
    """
    size, width = net.config.hidden_size, net.config.width
    rotation = nn.init.orthogonal_(torch.empty(width - LEXICAL_ROOM, size))
    centre, spread = embeddings.mean(0), embeddings.std()
    # About one a dimension, so that the head's norm leaves the words' dimensions their size.
    into = rotation / spread
    net.slot_in.weight.zero_()
    net.slot_in.bias.zero_()
    net.slot_in.weight[LEXICAL_ROOM:, size : 2 * size] = 4 * into
    net.slot_in.weight[:LEXICAL, 2 * size + FEATURES :] = 3 * torch.eye(LEXICAL)
    net.slot_in.weight[LEXICAL:LEXICAL_ROOM, 2 * size :].normal_(0, 0.2)
    net.tail_in.weight.zero_()
    net.tail_in.weight[LEXICAL_ROOM:] = into
    net.tail_in.bias.zero_()
    net.tail_in.bias[LEXICAL_ROOM:] = -into @ centre
    net.tail_queries.mul_(0.1)
    for linear in (*net.slot_residuals(), net.tail_block.self_attn.o_proj, net.tail_block.mlp.down_proj):
        linear.weight.mul_(0.1)
    matching = torch.eye(width)
    matching[:LEXICAL_ROOM] = 0
    net.match_k.weight.copy_(matching)
    net.match_q.weight.copy_(matching)
    net.match_scale.fill_(1.0)
    net.head.weight.mul_(0.1)
    net.head.weight[0, :LEXICAL] += torch.tensor([0.3, 0.1, 0.15, 0.0, 0.0])
    net.head.bias.fill_(-0.6)


def ranks_all(values: Tensor, sample: Sample, k: int) -> bool:
    """Whether all that is asked for is among the k best candidates."""
    order = values[sample.candidate].topk(min(k, int(sample.candidate.sum()))).indices
    return bool(sample.gold[sample.candidate][order].sum() == sample.gold.sum())


class Trainer:
    """One run: network, pieces, schedule, log and checkpoint."""

    def __init__(self, options: argparse.Namespace, published: PublishedBase) -> None:
        self.options, self.rng, self.meter = options, random.Random(options.seed), Meter()
        self.base, self.mark = FrozenBase(published, options.device, getattr(torch, options.dtype)), published.mark()
        config = published.model.config
        self.net = LensNet(
            LensConfig(
                config.hidden_size,
                options.width,
                options.heads,
                options.queries,
                options.tail,
                config.rms_norm_eps,
                lexical_features=LEXICAL,
                word_match=options.word_match,
            )
        )
        start_untrained(self.net, published.model.model.embed_tokens.weight.float())
        if options.start:
            start_from(self.net, options.start)
        self.checkpoint = options.out.with_suffix(".checkpoint.pt")
        saved = None
        if options.resume and self.checkpoint.exists():
            saved = torch.load(self.checkpoint, weights_only=False)
            published.check(saved, self.checkpoint, ANOTHER_RUN)
        gistnet = load_published_gistnet(options.gistnet, published).to(options.device)
        self.pieces, self.held_out = saved["pieces"] if saved else self.make_pieces(published, gistnet)
        match = options.word_match
        self.sampler = Sampler(self.base, gistnet, published.tokenizer, self.pieces, self.rng, options.tail, match)
        self.optimizer = torch.optim.AdamW(
            peak_groups((self.net.parameters(), options.lr)), betas=(0.9, 0.98), weight_decay=0.01
        )
        self.progress = Progress(options.minutes, options.steps)
        if saved:
            self.net.load_state_dict(saved["state_dict"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.rng.setstate(saved["rng"])
            self.progress = Progress(options.minutes, options.steps, saved["step"], saved["seconds"])
        else:
            # Pieces take minutes: a run that is cut soon after keeps them.
            self.save()

    def make_pieces(self, published: PublishedBase, gistnet: GistNet) -> tuple[list, list]:
        """Pieces to learn from, and held-out ones."""
        options = self.options
        kinds = read_corpus(options.corpus, published.tokenizer, PROSE_TOKENS)
        maker = PieceMaker(self.base, gistnet, published.tokenizer)
        both = []
        for held_out, count in ((False, options.pieces), (True, max(HELD_OUT_PIECES, options.pieces // 10))):
            questions = read_questions(options.corpus, held_out)
            both.append(list(draw_pieces(maker, kinds, questions, count, self.rng, held_out)))
            print(json.dumps({"pieces": count, "heldOut": held_out, "questions": len(questions)}), flush=True)
        return both[0], both[1]

    def run(self) -> None:
        options = self.options
        rng = random.Random(7)
        drawn, tail, match = self.sampler, options.tail, options.word_match
        sampler = Sampler(self.base, drawn.net, drawn.tokenizer, self.held_out, rng, tail, match)
        self.measured = [sampler.sample() for _ in range(MEASURED)]
        self.measure()
        saving, measuring = Timer(options.save_seconds), Timer(options.measure_minutes * 60)
        self.progress = Progress(options.minutes, options.steps, self.progress.step, self.progress.seconds)
        while (share := self.progress.share()) < 1:
            set_learning_rate(self.optimizer, warm_cosine(self.progress.step, share, 20, 0.03))
            descend(self.loss([self.sampler.sample() for _ in range(options.batch)]), self.optimizer)
            self.progress.advance()
            if self.progress.step % REPORT_STEPS == 0:
                print(json.dumps({**self.place(), **self.meter.read()}), flush=True)
            if saving.due():
                self.save()
            if measuring.due():
                self.measure()
        self.measure()
        self.save()
        self.calibrate()

    def place(self) -> dict[str, float]:
        return {"step": self.progress.step, "seconds": round(self.progress.seconds)}

    def loss(self, samples: list[Sample]) -> Tensor:
        total = 0.0
        for sample, (logits, scores) in zip(samples, forward(self.net, samples, LensParts()), strict=True):
            routing, regression = sample_loss(sample, logits, scores)
            total = total + routing + regression
            with torch.no_grad():
                self.meter.add(**outcome(sample, logits, scores), ce=routing, regression=regression)
        return total / len(samples)

    @torch.no_grad()
    def calibrate(self) -> None:
        """Weigh the match against the words' rank as finds most on held-out text; the checkpoint stays as it was.

        A short training leaves the match noisier than its cosines are worth in long histories.
        """
        net, k = self.net, PLACES[1]
        scale, weight = net.match_scale.clone(), net.head.weight.clone()
        found = []
        for factor, more in CALIBRATIONS:
            net.match_scale.copy_(factor * scale)
            net.head.weight.copy_(weight)
            net.head.weight[0, LEXICAL_FEATURES.index("bm25")] += more
            hits = self.hits()
            found.append((hits[f"lens@{k}"] + hits[f"lens@{PLACES[-1]}"], -factor, more))
        _, factor, more = max(found)
        net.match_scale.copy_(-factor * scale)
        net.head.weight.copy_(weight)
        net.head.weight[0, LEXICAL_FEATURES.index("bm25")] += more
        print(json.dumps({"calibrated": {"match": -factor, "words": more}, **self.hits()}), flush=True)
        save_atomically(self.options.out, entries_of(net, base=self.mark))

    def measure(self) -> None:
        print(json.dumps({**self.place(), "heldOut": self.hits(), "n": MEASURED}), flush=True)

    @torch.no_grad()
    def hits(self) -> dict[str, float]:
        """How often all that is asked for is among the best k, by LensNet and by the words' rank alone."""
        found: dict[str, list[bool]] = {}
        for start in range(0, MEASURED, 4):
            samples = self.measured[start : start + 4]
            for sample, (logits, _) in zip(samples, forward(self.net, samples, LensParts()), strict=True):
                words = sample.lexical[:, LEXICAL_FEATURES.index("bm25")]
                for name, values in (("lens", logits), ("bm25", words)):
                    for k in PLACES:
                        found.setdefault(f"{name}@{k}", []).append(ranks_all(values, sample, k))
        return {name: round(float(np.mean(hits)), 3) for name, hits in found.items()}

    def save(self) -> None:
        save_atomically(self.options.out, entries_of(self.net, base=self.mark))
        state = {"optimizer": self.optimizer.state_dict(), "rng": self.rng.getstate(), **self.progress.state()}
        pieces = (self.pieces, self.held_out)
        save_atomically(self.checkpoint, entries_of(self.net, base=self.mark, **state, pieces=pieces))


def parse_options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = parser_of(__doc__)
    add_published(parser)
    parser.add_argument("--gistnet", type=Path, default=PUBLISHED_GISTNET, help="checkpoint of its GistNet")
    add_run(parser, PUBLISHED_LENSNET, 1e-3)
    add_length(parser, 15)
    parser.add_argument("--from", dest="start", type=Path, help="start from these weights")
    parser.add_argument("--word-match", default="beginnings", choices=WORD_MATCHES, help="how words are compared")
    parser.add_argument("--batch", type=int, default=8, help="working contexts a step")
    parser.add_argument("--pieces", type=int, default=300, help="stretches of text that histories are made of")
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--queries", type=int, default=8)
    parser.add_argument("--tail", type=int, default=64)
    parser.add_argument("--measure-minutes", type=float, default=3, help="between two looks at held-out text")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse_options()
    begin(options.seed)
    try:
        Trainer(options, load_published_base(options.base)).run()
    except (BaseFileError, CorpusError, GistNetError, OtherBaseError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
