"""NIR 1.0.8. A file gives equations in continuous time; `dt` and `reset` come from you, since it has neither.

Euler: ``v + dt / tau * ((v_leak - v) + r * x)``, fires above the threshold. Which simulator a file came from
decides more than that (its own charge, when it resets): use that framework's preset where you know it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from numpy.typing import ArrayLike

from ..neuron import Neuron
from ._values import f32, product

VERSION: Final = "1.0.8"

Reset = Literal["zero", "value", "subtract"]


def _fire(v_threshold: ArrayLike, v_reset: ArrayLike, reset: Reset) -> dict[str, Any]:
    if reset not in ("zero", "value", "subtract"):
        raise ValueError(f"reset must be 'zero', 'value' or 'subtract', received {reset!r}")
    return {"fire": "above", "threshold": v_threshold, "reset": reset, "reset_value": v_reset}


def _euler(tau: ArrayLike, r: ArrayLike, v_leak: ArrayLike, dt: float) -> dict[str, Any]:
    return {"charge": "euler_leak_first", "rate": f32(f32(dt) / f32(tau)), "input_gain": r, "leak": v_leak}


def _synapse(tau_syn: ArrayLike, w_in: ArrayLike, dt: float) -> dict[str, Any]:
    return {"synapse": "relax", "synapse_rate": f32(f32(dt) / f32(tau_syn)), "synapse_gain": w_in}


def if_(r: ArrayLike, v_threshold: ArrayLike, v_reset: ArrayLike = 0.0, *, dt: float, reset: Reset) -> Neuron:
    """``IF``: ``v + dt * r * x``."""
    return Neuron(charge="decay", rate=1.0, input_gain=product(dt, r), **_fire(v_threshold, v_reset, reset))


def lif(
    tau: ArrayLike,
    r: ArrayLike,
    v_leak: ArrayLike,
    v_threshold: ArrayLike,
    v_reset: ArrayLike = 0.0,
    *,
    dt: float,
    reset: Reset,
) -> Neuron:
    """``LIF``."""
    return Neuron(**_euler(tau, r, v_leak, dt), **_fire(v_threshold, v_reset, reset))


def cuba_lif(
    tau_syn: ArrayLike,
    tau_mem: ArrayLike,
    r: ArrayLike,
    v_leak: ArrayLike,
    v_threshold: ArrayLike,
    w_in: ArrayLike = 1.0,
    v_reset: ArrayLike = 0.0,
    *,
    dt: float,
    reset: Reset,
) -> Neuron:
    """``CubaLIF``: ``i + dt / tau_syn * (w_in * x - i)``, and the membrane sees the new current."""
    return Neuron(
        **_synapse(tau_syn, w_in, dt),
        **_euler(tau_mem, r, v_leak, dt),
        **_fire(v_threshold, v_reset, reset),
    )


def i(r: ArrayLike, *, dt: float) -> Neuron:
    """``I``: an integrator."""
    return Neuron(charge="decay", rate=1.0, input_gain=product(dt, r), fire="none", reset="none")


def li(tau: ArrayLike, r: ArrayLike, v_leak: ArrayLike, *, dt: float) -> Neuron:
    """``LI``: a readout of membranes."""
    return Neuron(fire="none", reset="none", **_euler(tau, r, v_leak, dt))


def cuba_li(
    tau_syn: ArrayLike,
    tau_mem: ArrayLike,
    r: ArrayLike,
    v_leak: ArrayLike,
    w_in: ArrayLike = 1.0,
    *,
    dt: float,
) -> Neuron:
    """``CubaLI``: `li` behind a synapse."""
    return Neuron(fire="none", reset="none", **_synapse(tau_syn, w_in, dt), **_euler(tau_mem, r, v_leak, dt))
