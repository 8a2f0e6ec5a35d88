"""What a bench compares: this library, and the same network in PyTorch.

A subject is prepared for some input and a number of threads; then `logits(i)` runs input i. Only running is
timed: PyTorch gets its input normalised, channels-last or not, whichever is faster.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import snncore

from .common import frames_layout, logits

#: Names for `--against`, by what they need.
PEERS = ("torch", "torch-compile")


@dataclass(frozen=True)
class Subject:
    """One of those compared. `run(i)` gives the logits of input i, float32 [N, classes]."""

    name: str
    run: Callable[[int], NDArray[np.float32]]
    note: str = ""
    prepare: Callable[[], None] = lambda: None  #: before each turn


def ours(model: snncore.Model, batches: list[NDArray[Any]], threads: int) -> Subject:
    """`Model.run`, as a user calls it."""
    layout = frames_layout(model)
    return Subject("snncore", lambda i: logits(model, model.run(batches[i], layout=layout, threads=threads)))


def peer(name: str, model: snncore.Model, batches: list[NDArray[Any]], threads: int) -> Subject:
    """Make the same network in the library `name`.

    Raises
    ------
    ValueError
        An unknown name.
    ModuleNotFoundError
        A library that is not installed.
    """
    if name not in PEERS:
        raise ValueError(f"unknown subject '{name}' for --against; known: {', '.join(PEERS)}")
    import torch

    from snncore.reference import twin

    data = model.to_bytes()
    inputs = [torch.from_numpy(b) for b in batches]
    if inputs[0].dtype == torch.uint8:
        inputs = [twin.normalise(data, x) for x in inputs]
    inputs = [x.float() for x in inputs]
    network: Any = twin.torch_twin(data)

    def use_threads() -> None:
        torch.set_num_threads(threads)

    use_threads()
    layout = "contiguous"
    if inputs[0].dim() == 4:
        network, inputs, layout = _faster_layout(network, inputs)
    if name == "torch-compile":
        network = torch.compile(network)

    @torch.inference_mode()
    def run(i: int) -> NDArray[np.float32]:
        output: NDArray[np.float32] = network(inputs[i]).numpy()
        return output

    return Subject(name, run, f"float32, batch norm folded, {layout}, torch {torch.__version__}", use_threads)


def _faster_layout(network: Any, inputs: list[Any]) -> tuple[Any, list[Any], str]:
    """Try both memory orders of images and keep the faster."""
    import copy

    import torch

    candidates = []
    for name, order in (("contiguous", torch.contiguous_format), ("channels last", torch.channels_last)):
        moved = copy.deepcopy(network).to(memory_format=order)
        given = [x.contiguous(memory_format=order) for x in inputs]
        with torch.inference_mode():
            times = [_timed(partial(moved, given[0])) for _ in range(8)][3:]
        candidates.append((statistics.median(times), name, moved, given))
    _, name, network, inputs = min(candidates, key=lambda c: c[0])
    return network, inputs, name


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
