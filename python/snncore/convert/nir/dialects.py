"""How a framework evaluates the equations that its files state: what fires, when it resets, in which order.

A NIR file does not tell which program it is from. Where you know, `dialect` repeats that program's spikes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from snncore._core import Error

from .neurons import Framework, Step


def rule(step: Step, framework: Framework, label: str, *, looped: bool) -> dict[str, Any]:
    """Give the arguments of `snncore.Neuron`; `looped` neurons read their own spikes again.

    Raises
    ------
    snncore.Error
        The framework has no such neuron, or one that resets more than a membrane.
    """
    stages: dict[str, Any] = dict(charge="decay", rate=step.decay, input_gain=step.gain, bias=step.bias)
    if step.synapse is not None:
        stages |= dict(synapse="decay_add", synapse_rate=step.synapse[0], synapse_gain=step.synapse[1])
    if step.threshold is None:
        return stages | dict(fire="none", reset="none")
    stages |= dict(fire="above", threshold=step.threshold, reset=step.reset, reset_value=step.reset_value)
    if framework == "snntorch":
        return stages | dict(reset_step=_reset_step(step, label, looped=looped))
    return stages | _spikingjelly(step) if framework == "spikingjelly" else stages


def _reset_step(step: Step, label: str, *, looped: bool) -> str:
    """Reset one step late, as snnTorch does: zero before the charge in Leaky, else after it."""
    if step.reset == "value":
        raise Error(f"{label}: snnTorch has no reset to a value, so that dialect is not the file's")
    if step.reset == "zero" and looped and step.synapse is not None:
        raise Error(
            f"{label}: snnTorch's RSynaptic with reset 'zero' clears its current too; not possible here"
        )
    plain = step.synapse is None and not looped
    return "next_state" if step.reset == "zero" and plain else "next_charge"


def _spikingjelly(step: Step) -> dict[str, Any]:
    """SpikingJelly fires at its threshold, divides by tau, and starts at v_reset."""
    stages: dict[str, Any] = dict(fire="at_least")
    if step.reset == "value":
        stages |= dict(initial=step.reset_value)
    share = 1 - step.decay
    if step.synapse is not None or np.any(share == 0):
        return stages
    divided = dict(rate=1 / share, leak=step.bias / share, bias=0.0, input_gain=1.0)
    if np.array_equal(step.gain, share):  # decay_input
        return stages | divided | dict(charge="relax_divide")
    if np.all(step.gain == 1):
        return stages | divided | dict(charge="leak_divide")
    return stages
