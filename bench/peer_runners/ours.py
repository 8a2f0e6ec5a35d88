"""Our side: models of a layer and its neuron, spikes in and spikes out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import snncore
from harness import Call, MissingError, Subject
from snncore import _core

Array = NDArray[Any]


def layer_model(
    kind: str, sample_shape: list[int], weight: dict[str, Any], theta: float, steps: int
) -> snncore.Model:
    """Spikes, "conv2d" (3 x 3, padding 1) or "linear", LIF with decay 1/2 and reset to zero."""
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", sample_shape)
    x = b.conv2d("layer", x, padding=1, **weight) if kind == "conv2d" else b.linear("layer", x, **weight)
    if "encoding" in weight:
        channels = len(weight["weight"])
        ones, zeros = np.ones(channels, np.int32), np.zeros(channels, np.int32)
        x = b.requant("current", [x], [ones], zeros, zeros)
        x = b.lif_int("lif", x, theta=ones * int(theta), leak="half_floor")
    else:
        x = b.lif("lif", x, decay=0.5, threshold=theta)
    b.output("y", x)
    return b.build(timesteps=steps)


def packed_subjects(model: snncore.Model, x: Array, layout: str, expected: Array) -> list[Subject]:
    """Packed spikes in and out; once with the packing of `x` outside, once inside the timed region.

    `x` and `expected` have their channels in the last axis.
    """
    bits = snncore.pack(x)

    def outside(threads: int) -> Call:
        return lambda: model.run(bits, layout=layout, threads=threads, packed=True)

    def inside(threads: int) -> Call:
        return lambda: model.run(snncore.pack(x), layout=layout, threads=threads, packed=True)

    def equal(y: snncore.BitTensor) -> bool:
        return bool(np.array_equal(y.words, snncore.pack(expected).words.reshape(y.words.shape)))

    return [Subject("snncore", outside, equal, "outside"), Subject("snncore", inside, equal, "inside")]


def function(name: str, threads: int) -> Callable[..., Any]:
    """Give a function of `snncore.functional`, which may not exist yet, or not take threads yet."""
    found: Callable[..., Any] | None = getattr(snncore.functional, name, None)
    if found is None:
        raise MissingError(f"snncore.functional.{name} does not exist yet")
    if "threads" in inspect.signature(found).parameters:
        return partial(found, threads=threads)
    if threads != 1:
        raise MissingError(f"snncore.functional.{name} runs in one thread")
    return found


def engine_session(
    model: snncore.Model, threads: int, *, layout: str = "TNCHW", **options: Any
) -> _core.Session:
    """Plan a sequence run without what `Model.run` does around it, for comparing parts of the engine."""
    return _core.Session(
        _core.Program(
            model._core,
            mode=_core.Mode.SEQUENCE,
            timesteps=model.timesteps,
            batch=1,
            threads=threads,
            layout=layout,
            **options,
        )
    )
