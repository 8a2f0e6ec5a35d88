"""Which float neurons an integer LIF can stand for, and what its constants are in real units.

Whatever a framework writes, most neurons are one rule on paper, affine in membrane and input::

    h = decay * v + gain * x + bias;   s = h >= threshold;   v = h - s * drop,  or 0 where s

A membrane that starts at, and is reset to, r instead of 0 is that rule for ``v - r``. What differs in the
last bit of a float32 is below the resolution of an integer membrane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

#: (decay, gain, bias) of each charge of `snncore.neuron.CHARGES`, from rate k and leak e.
_CHARGES: Final = MappingProxyType[str, Callable[[Doubles, Doubles], tuple[Any, Any, Any]]](
    {
        "decay": lambda k, e: (k, 1.0, 0.0),
        "relax_divide": lambda k, e: (1 - 1 / k, 1 / k, e / k),
        "relax_multiply": lambda k, e: (1 - k, k, e * k),
        "leak_divide": lambda k, e: (1 - 1 / k, 1.0, e / k),
        "leak_multiply": lambda k, e: (1 - k, 1.0, e * k),
        "euler_leak_first": lambda k, e: (1 - k, k, e * k),
        "euler_input_first": lambda k, e: (1 - k, k, e * k),
        "rest": lambda k, e: (k, 1.0, e - e * k),
    }
)

#: What the stages of a `neuron` must be for an integer LIF; in words where they are something else.
_NEEDED: Final = MappingProxyType(
    {
        "synapse": (("none",), "it has a synaptic current"),
        "fire": (("at_least", "above"), "it gives counts or its membrane, not single spikes"),
        "voltage": (("new",), "it fires by the membrane of the step before"),
        "reset": (("zero", "value", "subtract"), "a spike does not reset it"),
        "floor": (("none",), "its membrane has a floor"),
        "refractory": (("none",), "it has a refractory time"),
    }
)

_DEFAULTS: Final = MappingProxyType({"rate": 1.0, "input_gain": 1.0})
#: Membrane units of a threshold, at most: what a current of one threshold is in integers.
UNITS: Final = 4096
_LARGEST_DROP: Final = 256.0  # thresholds: an int16 membrane then has 127 steps below its threshold


class NoRule(Exception):  # noqa: N818 - becomes a reason in a report
    """Why no integer LIF computes what a neuron does."""


@dataclass(frozen=True)
class Rule:
    """An integer LIF in real units; gain and bias have one value, or one for each channel."""

    decay: float
    threshold: float
    reset: Literal["zero", "subtract"]
    strict: bool
    gain: Doubles  #: of the currents, [1] or [C]
    bias: Doubles  #: added to the scaled currents, [1] or [C]
    drop: float = 1.0  #: what reset "subtract" takes away, in thresholds

    @property
    def largest_gain(self) -> float:
        """What a current of 1 is, in thresholds, where that is the most."""
        return float(np.abs(self.gain).max()) / self.threshold

    @property
    def plain(self) -> bool:
        """Whether there is one positive gain and no bias: nothing to put into the layer before."""
        return self.gain.size == 1 and self.gain[0] > 0 and not self.bias.any()


def rule_of(node: Mapping[str, Any], values: Mapping[str, NDArray[Any]]) -> Rule:
    """Read a float `lif`, `if` or `neuron`; `values` are its tensors, [1], [C] or [H, W, C].

    Raises
    ------
    NoRule
        With the reason.
    """
    attrs = node["attrs"]
    if node["op"] != "neuron":
        return Rule(
            float(attrs["decay"]),
            _positive(float(attrs["threshold"])),
            attrs["reset"],
            bool(attrs["strict"]),
            np.array([float(attrs["input_gain"])]),
            np.zeros(1),
        )
    for stage, (allowed, why) in _NEEDED.items():
        if attrs[stage] not in allowed:
            raise NoRule(why)
    given = {
        role: _per_channel(role, values.get(role, np.array([_DEFAULTS.get(role, 0.0)])))
        for role in ("rate", "input_gain", "leak", "bias", "threshold", "reset_value", "initial")
    }
    drop = _per_channel("drop", values["drop"]) if "drop" in values else given["threshold"]
    decay, gain, bias = _charged(attrs["charge"], given)
    return _shifted(attrs, given, drop, decay, gain, bias)


def _charged(charge: str, v: Mapping[str, Doubles]) -> tuple[float, Doubles, Doubles]:
    decay, gain, bias = _CHARGES[charge](v["rate"], v["leak"])
    decay = _one("its decay differs from channel to channel", np.asarray(decay))
    if not 0 <= decay <= 1:
        raise NoRule(f"its decay is {decay:g}, outside 0..1")
    return decay, np.atleast_1d(gain * v["input_gain"]), np.atleast_1d(bias + v["bias"])


def _shifted(
    attrs: Mapping[str, Any],
    v: Mapping[str, Doubles],
    drop: Doubles,
    decay: float,
    gain: Doubles,
    bias: Doubles,
) -> Rule:
    """Count membranes from where they start, in thresholds where those differ between channels."""
    start = v["initial"]
    subtract = attrs["reset"] == "subtract"
    back_to = v["reset_value"] if attrs["reset"] == "value" else np.zeros(1)
    if not subtract and np.any(back_to != start):
        raise NoRule("it starts at another membrane than a spike resets it to")
    _check_reset_step(attrs, subtract)
    threshold = v["threshold"] - start
    bias = bias + (decay - 1) * start
    if np.any(threshold <= 0):
        raise NoRule("its membrane starts at the threshold or above")
    share = np.ones(1)
    if subtract:
        if attrs["reset_step"] == "next_charge":  # taken after the leak, so that the leak has to be undone
            if decay == 0:
                raise NoRule("its reset comes after a leak that leaves nothing")
            drop = drop / decay
        share = drop / threshold
    ratio = _one("its reset subtracts another share of the threshold in each channel", share)
    if not 0 <= ratio <= _LARGEST_DROP:
        raise NoRule(f"its reset subtracts {ratio:g} thresholds")
    if np.all(threshold == threshold.flat[0]):
        scale, top = np.ones(1), float(threshold.flat[0])
    else:
        scale, top = threshold, 1.0
    return Rule(
        decay,
        top,
        "subtract" if subtract else "zero",
        attrs["fire"] == "above",
        np.asarray(gain / scale),
        np.asarray(bias / scale),
        ratio,
    )


def _check_reset_step(attrs: Mapping[str, Any], subtract: bool) -> None:
    """Refuse delayed resets that are not the same one a step early, since input arrives between."""
    if attrs["reset_step"] == "same":
        return
    if attrs["correct"] and subtract:
        raise NoRule("its reset is corrected a step later")
    if not subtract and attrs["reset_step"] == "next_charge" and not attrs["correct"]:
        raise NoRule("its reset clears the input of the next step, too")
    if subtract and attrs["reset_step"] == "next_state":
        return  # v - drop before the leak is what reset "same" does


def _per_channel(role: str, values: NDArray[Any]) -> Doubles:
    """Reduce [H, W, C] to [C] and [C] to [1] where nothing is lost."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 3:
        if np.any(array != array[:1, :1]):
            raise NoRule(f"its {role.replace('_', ' ')} differs from pixel to pixel")
        array = array[0, 0]
    array = np.atleast_1d(array)
    return array[:1] if np.all(array == array[0]) else array


def _one(why: str, values: NDArray[Any]) -> float:
    if np.ptp(values) > 1e-12 * np.abs(values).max():
        raise NoRule(why)
    return float(values.flat[0])


def _positive(threshold: float) -> float:
    if not threshold > 0:
        raise NoRule(f"its threshold is {threshold:g}, not above 0")
    return threshold
