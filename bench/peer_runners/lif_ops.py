"""LIF neurons elsewhere: torch in float32, eager and compiled; NumPy in int16 with packed spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, Subject
from peer_runners import subjects

Array = NDArray[Any]


def all_subjects(currents: Array, theta: int, expected: Array, quick: bool) -> list[Subject]:
    packed = np.packbits(expected, axis=-1)

    def numpy_call(threads: int) -> Call:
        return lambda: _numpy_lif(currents, theta)

    ours = [Subject("numpy", numpy_call, lambda y: bool(np.array_equal(y, packed)))]
    return subjects("lif_ops", "torch_subjects", currents, theta, expected, quick) + ours


def _numpy_lif(currents: Array, theta: int) -> Array:
    v = np.zeros(currents.shape[1:], np.int16)
    out = np.empty((*currents.shape[:-1], currents.shape[-1] // 8), np.uint8)
    for t, current in enumerate(currents):
        v >>= 1
        v += current
        fired = v >= theta
        v[fired] = 0
        out[t] = np.packbits(fired, axis=-1)
    return out


def torch_subjects(currents: Array, theta: int, expected: Array, quick: bool) -> list[Subject]:
    from peer_runners.torch_ops import numpy_of, torch, with_threads

    x = torch.from_numpy(currents.astype(np.float32))

    def steps(x: torch.Tensor) -> torch.Tensor:
        v = torch.zeros_like(x[0])
        fired = []
        for current in x:
            v = v * 0.5 + current
            s = (v >= theta).to(x.dtype)
            v = v * (1 - s)
            fired.append(s)
        return torch.stack(fired)

    def compiled(threads: int) -> Call:
        from peer_runners.networks_ops import compile_or_missing

        torch.set_num_threads(threads)
        return with_threads(threads, compile_or_missing(steps), x)

    def equal(y: torch.Tensor) -> bool:
        return bool(np.array_equal(numpy_of(y), expected))

    found = [Subject("torch-f32", lambda threads: with_threads(threads, steps, x), equal)]
    if not quick:  # compiling takes seconds
        found.append(Subject("torch-compile", compiled, equal))
    return found
