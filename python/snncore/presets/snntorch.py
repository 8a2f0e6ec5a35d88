"""snnTorch 1.0.0. The reset r comes from the membrane of the step before, unless `reset_delay` is False."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron
from ._values import f32, one_minus, product, unit

VERSION: Final = "1.0.0"

Reset = Literal["subtract", "zero", "none"]


def _reset(mechanism: Reset, zero_step: str, reset_delay: bool) -> dict[str, Any]:
    if mechanism not in ("subtract", "zero", "none"):
        raise ValueError(f"reset_mechanism must be 'subtract', 'zero' or 'none', received {mechanism!r}")
    if mechanism == "none":
        return {"reset": "none"}
    when = zero_step if mechanism == "zero" else "next_charge"
    return {"reset": mechanism, "reset_step": when, "correct": not reset_delay}


def leaky(
    beta: ArrayLike,
    threshold: ArrayLike = 1.0,
    reset_mechanism: Reset = "subtract",
    reset_delay: bool = True,
) -> Neuron:
    """``Leaky``: ``beta * mem + x - r * threshold``; "zero" clears the membrane before it is charged."""
    return Neuron(
        charge="decay",
        rate=unit(beta),
        fire="above",
        threshold=threshold,
        **_reset(reset_mechanism, "next_state", reset_delay),
    )


def rleaky(
    beta: ArrayLike,
    threshold: ArrayLike = 1.0,
    reset_mechanism: Reset = "subtract",
    reset_delay: bool = True,
) -> Neuron:
    """``RLeaky`` without its recurrent layer: "zero" clears the membrane after it is charged."""
    return Neuron(
        charge="decay",
        rate=unit(beta),
        fire="above",
        threshold=threshold,
        **_reset(reset_mechanism, "next_charge", reset_delay),
    )


def synaptic(
    alpha: ArrayLike,
    beta: ArrayLike,
    threshold: ArrayLike = 1.0,
    reset_mechanism: Reset = "subtract",
    reset_delay: bool = True,
) -> Neuron:
    """``Synaptic``: ``syn = alpha * syn + x; mem = beta * mem + syn``; a reset leaves syn as it is."""
    return Neuron(
        synapse="decay_add",
        synapse_rate=unit(alpha),
        charge="decay",
        rate=unit(beta),
        fire="above",
        threshold=threshold,
        **_reset(reset_mechanism, "next_charge", reset_delay),
    )


def lapicque(
    R: ArrayLike,
    C: ArrayLike,
    time_step: ArrayLike = 1.0,
    threshold: ArrayLike = 1.0,
    reset_mechanism: Reset = "subtract",
) -> Neuron:
    """``Lapicque``: ``x * R * (1 / (R * C)) * time_step + (1 - time_step / (R * C)) * mem``.

    Read R and C off the module, which derives one of them from beta. Its three factors of x are one here:
    the same bits where R and time_step are powers of two (the default), else within 2 ulp of x's part.
    """
    rc = product(R, C)
    gain = product(product(R, f32(np.float32(1) / rc)), time_step)
    return Neuron(
        charge="decay",
        rate=one_minus(f32(f32(time_step) / rc)),
        input_gain=gain,
        fire="above",
        threshold=threshold,
        **_reset(reset_mechanism, "next_charge", reset_delay=True),
    )
