"""Random cases; a framework's spikes and membranes against the reference and the engine, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

import snncore
from snncore.neuron import Neuron
from snncore.reference.neuron import Trace, run

STEPS, NEURONS = 24, 512

#: A framework's answer to inputs [T, N, F]: its output and membranes, and its synaptic currents or None.
Answer = tuple[Tensor, Tensor, Tensor | None]


def inputs(seed: int, scale: float = 1.0, shift: float = 0.0) -> Iterator[Tensor]:
    """Give two inputs [T, 1, F]: multiples of 1/8, which hit thresholds, and normal numbers."""
    rng = np.random.default_rng(seed)
    shape = (STEPS, 1, NEURONS)
    yield torch.from_numpy((rng.integers(-8, 17, shape) / 8 * scale + shift).astype(np.float32))
    yield torch.from_numpy(
        (rng.standard_normal(shape) * 0.8 * scale + 0.4 * scale + shift).astype(np.float32)
    )


def same_bits(name: str, ours: Tensor, theirs: Tensor) -> None:
    """Assert that float32 values are equal bit for bit, but for the sign of zero."""
    ours, theirs = ours + 0.0, theirs.detach().to(torch.float32).reshape(ours.shape) + 0.0
    differ = ours.view(torch.int32) != theirs.view(torch.int32)
    if differ.any():
        t, *where = (int(k) for k in differ.nonzero()[0])
        at = (t, *where)
        raise AssertionError(
            f"{name} differs first at step {t}, neuron {where}: reference {ours[at].item()!r}, "
            f"other {theirs[at].item()!r}; {int(differ.sum())} of {differ.numel()} values"
        )


def compare(neuron: Neuron, x: Tensor, answer: Answer) -> Trace:
    """Assert that reference and engine give what the framework gave; returns the reference's trace."""
    trace = run(neuron, x)
    out, v, i = answer
    same_bits("output", trace.out, out)
    same_bits("membrane", trace.v, v)
    if i is not None:
        same_bits("synaptic current", trace.i, i)
    check_engine(neuron, x, trace)
    return trace


def check_engine(neuron: Neuron, x: Tensor, trace: Trace) -> None:
    """Assert that a model of the neuron alone gives what the reference gives."""
    b = snncore.GraphBuilder()
    b.output("y", b.neuron("n", b.input("x", "f32", x.shape[2:], layout="TNC"), neuron))
    result = b.build(timesteps=len(x)).run(x.numpy(), record=["n.v"])
    same_bits("the engine's output", trace.out, torch.from_numpy(result.outputs))
    same_bits("the engine's membrane", trace.v, torch.from_numpy(result.states["n.v"]))


def check(
    cases: list[tuple[Neuron, Callable[[Tensor], Answer]]],
    scale: float = 1.0,
    shift: float = 0.0,
) -> None:
    """Compare each case on both inputs; at least 1,000 neurons in all, some of which hit their threshold."""
    hits = spikes = count = 0
    for seed, (neuron, framework) in enumerate(cases):
        for x in inputs(seed, scale, shift):
            trace = compare(neuron, x, framework(x))
            threshold = torch.from_numpy(neuron.values("threshold").copy())
            hits += int(((trace.h == threshold) | (trace.v == threshold)).sum())
            spikes += int((trace.out > 0).sum())
            count += x.shape[1] * x.shape[2]
    assert count >= 1000
    assert spikes > 0
    if cases[0][0].fire != "none":
        assert hits > 0
