"""BindsNET 0.3.4. Give `decay` as the layer has it after ``compute_decays``; voltages are in mV."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from ..neuron import Neuron

VERSION: Final = "0.3.4"


def _fire(
    thresh: ArrayLike, reset: ArrayLike, steps: float, lbound: float | None, initial: ArrayLike
) -> dict[str, Any]:
    fire: dict[str, Any] = {
        "fire": "at_least",
        "threshold": thresh,
        "reset": "value",
        "reset_value": reset,
        "initial": initial,
    }
    wait = int(np.ceil(steps))
    if wait > 0:
        fire |= {"refractory": "input", "refractory_steps": wait}
    return fire if lbound is None else fire | {"floor": "clamp", "floor_value": lbound}


def if_nodes(
    thresh: ArrayLike = -52.0,
    reset: ArrayLike = -65.0,
    refrac: float = 5,
    lbound: float | None = None,
    dt: float = 1.0,
) -> Neuron:
    """``IFNodes``: ``v + x``, no input for `refrac` milliseconds after a spike."""
    return Neuron(charge="decay", rate=1.0, **_fire(thresh, reset, refrac / dt, lbound, reset))


def lif_nodes(
    decay: ArrayLike,
    thresh: ArrayLike = -52.0,
    rest: ArrayLike = -65.0,
    reset: ArrayLike = -65.0,
    refrac: float = 5,
    lbound: float | None = None,
    dt: float = 1.0,
) -> Neuron:
    """``LIFNodes``: ``decay * (v - rest) + rest + x``."""
    return Neuron(charge="rest", rate=decay, leak=rest, **_fire(thresh, reset, refrac / dt, lbound, rest))


def boosted_lif_nodes(
    decay: ArrayLike, thresh: ArrayLike = 13.0, refrac: float = 5, dt: float = 1.0
) -> Neuron:
    """``BoostedLIFNodes``: rest and reset are 0."""
    return Neuron(charge="decay", rate=decay, **_fire(thresh, 0.0, refrac / dt, None, 0.0))


def current_lif_nodes(
    decay: ArrayLike,
    i_decay: ArrayLike,
    thresh: ArrayLike = -52.0,
    rest: ArrayLike = -65.0,
    reset: ArrayLike = -65.0,
    refrac: float = 5,
    lbound: float | None = None,
    dt: float = 1.0,
) -> Neuron:
    """``CurrentLIFNodes``: a synaptic current; its counter is taken down before it is read, one step less."""
    return Neuron(
        synapse="decay_add",
        synapse_rate=i_decay,
        charge="rest",
        rate=decay,
        leak=rest,
        **_fire(thresh, reset, np.ceil(refrac / dt) - 1, lbound, rest),
    )
