"""What every training loop needs: progress, schedule, one step of descent, running means, when to save."""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class Progress:
    """How far a run is: by its steps where they are given, else by its minutes.

    A resumed run goes on from the `step` and `seconds` of its checkpoint.
    """

    minutes: float
    steps: int = 0
    step: int = 0
    seconds: float = 0.0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = time.monotonic() - self.seconds

    def share(self) -> float:
        """Share of the run that is over; 1 where it has neither steps nor minutes."""
        if self.steps:
            return self.step / self.steps
        return (time.monotonic() - self.began) / (self.minutes * 60) if self.minutes else 1.0

    def advance(self) -> None:
        self.step += 1
        self.seconds = time.monotonic() - self.began

    def state(self) -> dict[str, float]:
        return {"step": self.step, "seconds": self.seconds}


class Timer:
    """Says when the next checkpoint is due."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.last = seconds, time.monotonic()

    def due(self) -> bool:
        """Whether the time is over; it then begins again."""
        if time.monotonic() - self.last < self.seconds:
            return False
        self.last = time.monotonic()
        return True


class Meter:
    """Running means by name, emptied when read."""

    def __init__(self) -> None:
        self.sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0])

    def add(self, **values: Tensor | float) -> None:
        """Add numbers, or every element of tensors."""
        for name, value in values.items():
            numbers = torch.as_tensor(value).detach()
            self.sums[name][0] += numbers.double().sum().item()
            self.sums[name][1] += numbers.numel()

    def read(self) -> dict[str, float]:
        means = {name: round(total / count, 4) for name, (total, count) in sorted(self.sums.items()) if count}
        self.sums.clear()
        return means


def steps_of(
    progress: Progress, meter: Meter, report_steps: int, save_seconds: float, save: Callable[[], None]
) -> Iterator[float]:
    """The share that is over before each step of a run; reports and checkpoints come between steps and at the end."""
    timer = Timer(save_seconds)
    while (share := progress.share()) < 1:
        yield share
        progress.advance()
        if progress.step % report_steps == 0:
            place = {"step": progress.step, "seconds": round(progress.seconds)}
            print(json.dumps({**place, **meter.read()}), flush=True)
        if timer.due():
            save()
    save()


def warm_cosine(step: int, share: float, warmup: int, floor: float) -> float:
    """Factor of the peak learning rate: a linear warm-up, then a cosine over the run down to `floor`."""
    return min(1, (step + 1) / warmup) * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Scale every group's peak, which it keeps as `peak`."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def peak_groups(*groups: tuple[Iterable[nn.Parameter], float]) -> list[dict]:
    """Parameter groups for an optimiser, each with its peak learning rate."""
    return [{"params": list(parameters), "lr": peak, "peak": peak} for parameters, peak in groups]


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One step, with the gradient's norm over all groups clipped to 1."""
    optimizer.zero_grad()
    loss.backward()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
