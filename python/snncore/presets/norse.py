"""Norse 1.1.0. Membranes start at `v_leak`; defaults are those of Norse, in seconds."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron
from ._values import product

VERSION: Final = "1.1.0"


def _charge(name: str, tau_mem_inv: ArrayLike, v_leak: ArrayLike, dt: float) -> dict[str, Any]:
    return {"charge": name, "rate": product(dt, tau_mem_inv), "leak": v_leak, "initial": v_leak}


def _synapse(tau_syn_inv: ArrayLike, dt: float) -> dict[str, Any]:
    return {"synapse": "jump", "synapse_rate": product(dt, tau_syn_inv)}


def lif(
    tau_syn_inv: ArrayLike = 1 / 5e-3,
    tau_mem_inv: ArrayLike = 1 / 1e-2,
    v_leak: ArrayLike = 0.0,
    v_th: ArrayLike = 1.0,
    v_reset: ArrayLike = 0.0,
    dt: float = 0.001,
) -> Neuron:
    """``LIFCell`` (``lif_feed_forward_step``): the membrane sees the current before it decays."""
    return Neuron(
        fire="above",
        threshold=v_th,
        reset="value",
        reset_value=v_reset,
        **_charge("euler_leak_first", tau_mem_inv, v_leak, dt),
        **_synapse(tau_syn_inv, dt),
    )


def lif_refrac(
    tau_syn_inv: ArrayLike = 1 / 5e-3,
    tau_mem_inv: ArrayLike = 1 / 1e-2,
    v_leak: ArrayLike = 0.0,
    v_th: ArrayLike = 1.0,
    v_reset: ArrayLike = 0.0,
    rho_reset: float = 5.0,
    dt: float = 0.001,
) -> Neuron:
    """``lif_refrac_feed_forward_step``: as `lif`, and the membrane stands still for `rho_reset` steps."""
    return Neuron(
        fire="above",
        threshold=v_th,
        reset="value",
        reset_value=v_reset,
        refractory="hold",
        refractory_steps=int(np.ceil(rho_reset)),
        **_charge("euler_leak_first", tau_mem_inv, v_leak, dt),
        **_synapse(tau_syn_inv, dt),
    )


def lif_box(
    tau_mem_inv: ArrayLike = 1 / 1e-2,
    v_leak: ArrayLike = 0.0,
    v_th: ArrayLike = 1.0,
    v_reset: ArrayLike = 0.0,
    reset_method: Literal["value", "subtract"] = "value",
    dt: float = 0.001,
) -> Neuron:
    """``LIFBoxCell``: no synapse, and the leak is added to the input first. What NIR import uses."""
    return Neuron(
        fire="above",
        threshold=v_th,
        reset=reset_method,
        reset_value=v_reset,
        **_charge("euler_input_first", tau_mem_inv, v_leak, dt),
    )


def iaf(v_th: ArrayLike = 1.0, v_reset: ArrayLike = 0.0) -> Neuron:
    """``IAFCell``: ``v + x``."""
    return Neuron(charge="decay", rate=1.0, fire="above", threshold=v_th, reset="value", reset_value=v_reset)


def li(
    tau_syn_inv: ArrayLike = 1 / 5e-3,
    tau_mem_inv: ArrayLike = 1 / 1e-2,
    v_leak: ArrayLike = 0.0,
    dt: float = 0.001,
) -> Neuron:
    """``LICell`` (``li_feed_forward_step``): a readout of membranes."""
    return Neuron(
        fire="none",
        reset="none",
        **_charge("euler_leak_first", tau_mem_inv, v_leak, dt),
        **_synapse(tau_syn_inv, dt),
    )


def li_box(tau_mem_inv: ArrayLike = 1 / 1e-2, v_leak: ArrayLike = 0.0, dt: float = 0.001) -> Neuron:
    """``LIBoxCell``: a readout without synapse."""
    return Neuron(fire="none", reset="none", **_charge("euler_leak_first", tau_mem_inv, v_leak, dt))
