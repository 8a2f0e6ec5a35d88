"""SpikingJelly 2.0.0, step modes "s" and "m", backend torch."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron
from ._values import f32

VERSION: Final = "2.0.0"


def _reset(v_reset: float | None) -> dict[str, Any]:
    """Soft reset without `v_reset`, which the charge then counts as 0; membranes start at `v_reset`."""
    if v_reset is None:
        return {"reset": "subtract"}
    return {"reset": "value", "reset_value": v_reset, "leak": v_reset, "initial": v_reset}


def if_(v_threshold: ArrayLike = 1.0, v_reset: float | None = 0.0) -> Neuron:
    """``IFNode``: ``h = v + x``."""
    options = _reset(v_reset)
    options.pop("leak", None)
    return Neuron(charge="decay", rate=1.0, threshold=v_threshold, **options)


def lif(
    tau: float = 2.0,
    decay_input: bool = True,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
) -> Neuron:
    """``LIFNode``: ``h = v + (x - (v - v_reset)) / tau``, or ``v - (v - v_reset) / tau + x``."""
    charge: Any = "relax_divide" if decay_input else "leak_divide"
    return Neuron(charge=charge, rate=tau, threshold=v_threshold, **_reset(v_reset))


def parametric_lif(
    reciprocal: ArrayLike,
    decay_input: bool = True,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
) -> Neuron:
    """``ParametricLIFNode``: as `lif`, times ``reciprocal = sigmoid(w)`` (float32) instead of over tau.

    The state dict of the module holds w, not tau.
    """
    charge: Any = "relax_multiply" if decay_input else "leak_multiply"
    return Neuron(charge=charge, rate=reciprocal, threshold=v_threshold, **_reset(v_reset))


def ilif(
    tau: float = 4.0 / 3.0,
    v_threshold: float = 1.0,
    max_spike_count: int = 4,
    step_mode: Literal["s", "m"] = "m",
) -> Neuron:
    """``ILIFNode``: the charge of "m" is ``(1 - 1 / tau) * v + x``, that of "s" ``v - v / tau + x``."""
    charge: dict[str, Any] = {"charge": "leak_divide", "rate": tau}
    if step_mode == "m":
        charge = {"charge": "decay", "rate": f32(np.float64(1.0) - np.float64(1.0) / tau)}
    return Neuron(fire="round", most=max_spike_count, threshold=v_threshold, reset="subtract", **charge)


def non_spiking_lif(tau: float = 2.0) -> Neuron:
    """``NonSpikingLIFNode``: the membrane itself, for a readout."""
    return Neuron(charge="relax_divide", rate=tau, fire="none", reset="none")


def non_spiking_if() -> Neuron:
    """``NonSpikingIFNode``: the sum of the inputs."""
    return Neuron(charge="decay", rate=1.0, fire="none", reset="none")


def cuba_lif(
    current_decay: float,
    voltage_decay: float,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
) -> Neuron:
    """``functional.cuba_lif_step``: ``i = i * current_decay + x; h = v * voltage_decay + i``."""
    options = _reset(v_reset)
    for unused in ("leak", "initial"):
        options.pop(unused, None)
    return Neuron(
        synapse="decay_add",
        synapse_rate=current_decay,
        charge="decay",
        rate=voltage_decay,
        threshold=v_threshold,
        **options,
    )
