"""The training loop that hash networks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from snncore.convert.progress import tracked


@dataclass(frozen=True)
class Descent:
    """How long, and in what steps."""

    epochs: int
    batch: int
    rate: float  #: of Adam; falls to 0 along a cosine
    progress: bool | None  #: show a bar; None: on a terminal


def descend(
    parameters: Iterable[nn.Parameter], count: int, loss_of: Callable[[Tensor, float], Any], plan: Descent
) -> None:
    """Minimise ``loss_of(rows, done)`` over shuffled batches of `count` rows; `done` is 0 to 1.

    The last rows of an epoch, fewer than a batch, are left out.
    """
    batch = min(plan.batch, count)
    optimiser = torch.optim.Adam([p for p in parameters if p.requires_grad], plan.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(count // batch * plan.epochs, 1))
    for epoch in tracked(range(plan.epochs), "Training", plan.progress):
        shuffled = torch.randperm(count)[: count // batch * batch]
        for rows in shuffled.view(-1, batch):
            optimiser.zero_grad()
            loss_of(rows, epoch / max(plan.epochs - 1, 1)).backward()
            optimiser.step()
            schedule.step()


def one_of(neighbours: Tensor, rows: Tensor) -> Tensor:
    """Draw one neighbour for each row."""
    return neighbours[rows, torch.randint(neighbours.shape[1], (len(rows),))]
