"""A course of training that can stop at any moment and go on where it stood."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cifar10
import torch
import torch.nn.functional as F
from augmented import Augmented, accuracy
from torch import Tensor
from tqdm import tqdm
from training import cosine_rate, write_atomically

from snncore.reference import Network, anneal, dual_regulation_loss

Loss = Callable[[Network, Tensor, Tensor], Tensor]  #: of a network, its input and the labels
SMOOTHING = 0.05


def mean_loss(net: Network, x: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of the logits, which are averages over time."""
    return F.cross_entropy(net(x), labels, label_smoothing=SMOOTHING)


def regulated_loss(net: Network, x: Tensor, labels: Tensor) -> Tensor:
    """Cross entropy of each step, and firing rates drawn to one half (Q-SNN)."""
    run = net.unroll(x)
    return dual_regulation_loss(run.outputs, run.spikes, labels, label_smoothing=SMOOTHING)


@dataclass(frozen=True)
class Course:
    """One stretch of training: the rate rises for the share `warm_up` of it, then half a cosine falls to 0.

    The first `one_step_epochs` run a single time step, at under half the cost.
    """

    epochs: int
    rate: float
    warm_up: float
    one_step_epochs: int = 0
    adam: bool = False  # else SGD with Nesterov momentum
    batch: int = 64
    seed: int = 0


def fit(
    net: Network, course: Course, data: cifar10.Cifar10, path: Path, log: Callable[[str], None], loss: Loss
) -> Network:
    """Train `net` in place and give it back; `path` holds all that is needed to go on where it stopped.

    A course that is complete is read from `path`. Each epoch's line of the log has the accuracy on the
    validation images.
    """
    rng = torch.Generator().manual_seed(course.seed)
    torch.manual_seed(course.seed)
    batches = Augmented(data.train, course.batch, rng)
    optimiser: torch.optim.Optimizer
    if course.adam:
        optimiser = torch.optim.Adam(net.parameters(), lr=course.rate)
    else:
        optimiser = torch.optim.SGD(
            net.parameters(), lr=course.rate, momentum=0.9, nesterov=True, weight_decay=5e-4
        )
    steps, done = net.timesteps, 0
    if path.exists():
        stored = torch.load(path, weights_only=True)
        done = stored["epochs"]
        net.load_state_dict(stored["state"])
        optimiser.load_state_dict(stored["optimiser"])
        rng.set_state(stored["rng"])
    for epoch in range(done, course.epochs):
        started = time.perf_counter()
        net.train()
        net.timesteps = 1 if epoch < course.one_step_epochs else steps
        anneal(net, epoch, course.epochs)  # of 1-bit weights; nothing else minds
        total = 0.0
        bar = tqdm(batches, desc=f"{path.stem} {epoch + 1}/{course.epochs}", disable=None, leave=False)
        for i, (pixels, labels) in enumerate(bar):
            rate = cosine_rate(course.rate, (epoch + i / len(batches)) / course.epochs, course.warm_up)
            for group in optimiser.param_groups:
                group["lr"] = rate
            value = loss(net, net.normalise(pixels), labels)
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += value.item()
        net.timesteps = steps
        content = {
            "epochs": epoch + 1,
            "state": net.state_dict(),
            "optimiser": optimiser.state_dict(),
            "rng": rng.get_state(),
        }
        right = accuracy(net, data.validation)
        write_atomically(content, path)
        log(
            f"{path.stem} epoch {epoch + 1}/{course.epochs} loss {total / len(batches):.4f} "
            f"validation {right:.2f} % ({time.perf_counter() - started:.0f} s)"
        )
    return net.eval()
