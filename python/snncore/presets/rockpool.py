"""Rockpool 3.1.0, torch modules. Give `alpha` and `beta` as the module has them, or its time constants."""

from __future__ import annotations

from typing import Final

from numpy.typing import ArrayLike

from ..neuron import MOST_SPIKES, Neuron
from ._values import decay_of

VERSION: Final = "3.1.0"


def lif(
    alpha: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    threshold: ArrayLike = 1.0,
    bias: ArrayLike = 0.0,
    max_spikes_per_dt: float = 65536,
    tau_mem: ArrayLike | None = None,
    tau_syn: ArrayLike | None = None,
    dt: float = 1e-3,
) -> Neuron:
    """``LIFTorch``, ``LIFBitshiftTorch``: ``i = beta * (i + x); v = alpha * v + i + bias``, spikes floored.

    One synapse a neuron, no noise. The cap is 65535 where Rockpool's own is 65536.
    """
    alpha = decay_of(tau_mem, dt) if alpha is None and tau_mem is not None else alpha
    beta = decay_of(tau_syn, dt) if beta is None and tau_syn is not None else beta
    if alpha is None or beta is None:
        raise ValueError("rockpool.lif: expected alpha or tau_mem, and beta or tau_syn")
    return Neuron(
        synapse="add_decay",
        synapse_rate=beta,
        charge="decay",
        rate=alpha,
        bias=bias,
        fire="count",
        most=int(min(max_spikes_per_dt, MOST_SPIKES)),
        threshold=threshold,
        reset="subtract",
    )


def lif_neuron(
    alpha: ArrayLike,
    threshold: ArrayLike = 1.0,
    bias: ArrayLike = 0.0,
    max_spikes_per_dt: float = 65536,
) -> Neuron:
    """``LIFNeuronTorch``: no synapse."""
    return Neuron(
        charge="decay",
        rate=alpha,
        bias=bias,
        fire="count",
        most=int(min(max_spikes_per_dt, MOST_SPIKES)),
        threshold=threshold,
        reset="subtract",
    )
