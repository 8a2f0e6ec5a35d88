"""From a neuron of a model back to the equation of a NIR node: `neurons` in reverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .neurons import Reset, Step

Values = NDArray[np.float64]

#: What the stages of a `neuron` must be; the others are looked at one by one.
_PLAIN = {"voltage": "new", "reset_step": "same", "correct": False, "floor": "none", "refractory": "none"}
_DEFAULTS = {"rate": 1.0, "input_gain": 1.0, "synapse_gain": 1.0}


class Unsayable(Exception):  # noqa: N818 - becomes a part of one error
    """Why NIR has no node for a neuron."""


@dataclass(frozen=True)
class Rule:
    """A step, and whether it fires at the threshold already."""

    step: Step
    at_least: bool


def rule_of_lif(attrs: Mapping[str, Any]) -> Rule:
    """Read the attributes of a float `lif` or `if`."""
    if attrs["arith"] != "f32":
        raise Unsayable("an integer neuron")
    numbers = [np.array(float(attrs[name])) for name in ("decay", "input_gain", "threshold")]
    decay, gain, threshold = numbers
    step = Step(decay, gain, np.zeros(()), threshold, attrs["reset"])
    return Rule(step, not attrs["strict"])


def rule_of_neuron(attrs: Mapping[str, Any], tensors: Mapping[str, Values]) -> Rule:
    """Read the attributes and values of a `neuron`."""
    for stage, needed in _PLAIN.items():
        if attrs[stage] != needed:
            raise Unsayable(f"{stage} {attrs[stage]!r}")
    v = {
        name: tensors.get(name, np.array(_DEFAULTS.get(name, 0.0)))
        for name in (*_DEFAULTS, "leak", "bias", "synapse_rate", "reset_value", "initial")
    }
    if v["initial"].any():
        raise Unsayable("a first membrane other than 0")
    decay, gain, bias = _charge(attrs["charge"], v)
    step = Step(decay, gain, bias, synapse=_synapse(attrs["synapse"], v))
    if attrs["fire"] == "none":
        return Rule(step, False)
    if attrs["fire"] not in ("above", "at_least") or attrs["reset"] == "none":
        raise Unsayable(f"fire {attrs['fire']!r} with reset {attrs['reset']!r}")
    threshold = tensors["threshold"]
    if attrs["reset"] == "subtract" and not np.array_equal(tensors.get("drop", threshold), threshold):
        raise Unsayable("a reset by something else than the threshold")
    fires = replace(step, threshold=threshold, reset=attrs["reset"], reset_value=v["reset_value"])
    return Rule(fires, attrs["fire"] == "at_least")


def _charge(charge: str, v: Mapping[str, Values]) -> tuple[Values, Values, Values]:
    if charge == "decay":
        return v["rate"], v["input_gain"], v["bias"]
    if charge in ("euler_leak_first", "euler_input_first") and not v["bias"].any():
        return 1 - v["rate"], v["input_gain"] * v["rate"], v["leak"] * v["rate"]
    raise Unsayable(f"charge {charge!r}")


def _synapse(synapse: str, v: Mapping[str, Values]) -> tuple[Values, Values] | None:
    if synapse == "none":
        return None
    rate = v["synapse_rate"]
    if synapse == "decay_add":
        return rate, v["synapse_gain"]
    if synapse == "relax":
        return 1 - rate, v["synapse_gain"] * rate
    raise Unsayable(f"synapse {synapse!r}")


def node_of(rule: Rule, dt: float) -> tuple[str, dict[str, Values], Reset | None]:
    """Give the kind of a NIR node, its values, and what a spike does (None: it has no spikes)."""
    step = rule.step
    values, kind = _membrane(step, dt)
    if step.synapse is not None:
        kept, gain = step.synapse
        if kind in ("I", "IF") or (kept == 1).any():
            raise Unsayable("a synaptic current without leak")
        values = {("tau_mem" if k == "tau" else k): v for k, v in values.items()}
        values |= {"tau_syn": dt / (1 - kept), "w_in": gain / (1 - kept)}
        kind = f"Cuba{kind}"
    if step.threshold is None:
        return kind, values, None
    values |= {"v_threshold": _threshold(rule), "v_reset": np.zeros(())}
    if step.reset == "value":
        values["v_reset"] = np.asarray(step.reset_value)
    return kind, values, step.reset


def _membrane(step: Step, dt: float) -> tuple[dict[str, Values], str]:
    fires = "F" if step.threshold is not None else ""
    if (step.decay == 1).all() and not step.bias.any():
        return {"r": step.gain / dt}, f"I{fires}"
    if (step.decay == 1).any():
        raise Unsayable("neurons with and without leak")
    share = 1 - step.decay
    return {"tau": dt / share, "r": step.gain / share, "v_leak": step.bias / share}, f"LI{fires}"


def _threshold(rule: Rule) -> Values:
    """Give the threshold that spikes lie above: h >= t is h > the float32 before t."""
    assert rule.step.threshold is not None
    threshold = rule.step.threshold.astype(np.float32)
    if not rule.at_least:
        return threshold.astype(np.float64)
    if rule.step.reset == "subtract":
        raise Unsayable("it fires at its threshold, not above, and subtracts it; strict=True is what NIR has")
    before: NDArray[np.float32] = np.nextafter(threshold, np.float32(-np.inf))
    return before.astype(np.float64)
