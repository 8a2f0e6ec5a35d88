"""spyx 1.0.0 (JAX), as its modules evaluate without ``jax.jit``; XLA may contract a * b + c, and bits differ.

The spike of a step is tested on the membrane before it: outputs are one step later than elsewhere.
"""

from __future__ import annotations

from typing import Final

from numpy.typing import ArrayLike

from ..neuron import Neuron
from ._values import unit

VERSION: Final = "1.0.0"


def lif(beta: ArrayLike, threshold: ArrayLike = 1.0) -> Neuron:
    """``LIF``: ``s = V > threshold; V = beta * V + x - s * threshold``."""
    return Neuron(
        charge="decay",
        rate=unit(beta),
        fire="above",
        voltage="old",
        threshold=threshold,
        reset="subtract",
        reset_step="next_charge",
    )


def if_(threshold: ArrayLike = 1.0) -> Neuron:
    """``IF``: `lif` without leak."""
    return lif(1.0, threshold)


def cuba_lif(alpha: ArrayLike, beta: ArrayLike, threshold: ArrayLike = 1.0) -> Neuron:
    """``CuBaLIF``: the reset comes before the charge."""
    return Neuron(
        synapse="decay_add",
        synapse_rate=unit(alpha),
        charge="decay",
        rate=unit(beta),
        fire="above",
        voltage="old",
        threshold=threshold,
        reset="subtract",
        reset_step="next_state",
    )


def psu_lif(beta: ArrayLike, threshold: ArrayLike = 1.0) -> Neuron:
    """``PSU_LIF``, one step at a time: no reset."""
    return Neuron(charge="decay", rate=unit(beta), fire="above", threshold=threshold, reset="none")


def li(beta: ArrayLike) -> Neuron:
    """``LI``: a readout of membranes."""
    return Neuron(charge="decay", rate=unit(beta), fire="none", reset="none")
