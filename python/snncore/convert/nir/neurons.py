"""From a NIR neuron, which is an equation in continuous time, to one step of it.

Between two steps the input stands still, so that ``tau v' = (v_leak - v) + r x`` becomes
``v = decay * v + gain * x + bias``. Euler's method has ``decay = 1 - dt / tau``, the exact solution
``exp(-dt / tau)``; either way ``gain = r * (1 - decay)`` and ``bias = v_leak * (1 - decay)``. A synaptic
current comes first: ``i = synapse_decay * i + synapse_gain * x``, and the membrane sees the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from .graph import SPIKING, Node
from .shapes import Shape, spread

Framework = Literal["nir", "snntorch", "spikingjelly"]
Reset = Literal["zero", "value", "subtract"]
Method = Literal["euler", "exponential"]
Values = NDArray[np.float64]

#: Two float32 numbers of a file, divided: what lies this near to 1 was meant as 1.
_NEAR: Final = 2.0**-22


@dataclass(frozen=True)
class Dialect:
    """What a NIR file does not say."""

    dt: float | None
    reset: Reset | None
    method: Method
    framework: Framework = "nir"

    def __post_init__(self) -> None:
        if self.dt is not None and not (np.isfinite(self.dt) and self.dt > 0):
            raise ValueError(f"from_nir: expected dt above 0, in seconds, received {self.dt!r}")
        choices = {"reset": get_args(Reset), "method": get_args(Method), "dialect": get_args(Framework)}
        for name, allowed in choices.items():
            value = self.framework if name == "dialect" else getattr(self, name)
            if value not in allowed and not (name == "reset" and value is None):
                raise ValueError(f"from_nir: {name} must be one of {', '.join(allowed)}, received {value!r}")

    def need(self, name: Literal["dt", "reset"], node: Node) -> Any:
        """Give dt or reset, or say that they are missing."""
        value = getattr(self, name)
        if value is not None:
            return value
        why = {
            "dt": "the seconds of one step: dt=1e-4 for files of snnTorch and SpikingJelly",
            "reset": "what a spike does to the membrane: reset='zero', 'value' (v_reset) or 'subtract'",
        }
        raise ValueError(f"from_nir: {node.label} needs {name}, which a NIR file does not hold: {why[name]}")


@dataclass(frozen=True)
class Step:
    """One step of a layer of neurons; every value is a number, [C], or one for each neuron.

    ``i = synapse_decay * i + synapse_gain * x`` where there is a synapse, else ``i = x``;
    ``v = decay * v + gain * i + bias``; a spike where ``v > threshold``, and then the reset. Without a
    threshold the output is v.
    """

    decay: Values
    gain: Values
    bias: Values
    threshold: Values | None = None
    reset: Reset = "zero"
    reset_value: Values | float = 0.0
    synapse: tuple[Values, Values] | None = None  #: decay and gain

    @property
    def differs(self) -> bool:
        """Whether decay, gain or threshold are not the same for all neurons."""
        return any(v is not None and np.ndim(v) > 0 for v in (self.decay, self.gain, self.threshold))


def step_of(node: Node, shape: Shape, dialect: Dialect) -> Step:
    """Discretise a neuron for values of `shape`.

    Raises
    ------
    ValueError
        dt or reset are needed and not given, or do not fit this neuron; the message names it.
    """
    v = {
        name: np.asarray(spread(node, name, given, shape), np.float64) for name, given in node.values.items()
    }
    synapse = None
    if "tau_syn" in v:
        kept, share = _relaxation(node, "tau_syn", v["tau_syn"], dialect)
        synapse = (kept, _near_one(v["w_in"] * share))
    tau = "tau_mem" if "tau_mem" in v else "tau"
    if tau in v:
        decay, share = _relaxation(node, tau, v[tau], dialect)
        gain, bias = _near_one(v["r"] * share), v["v_leak"] * share
    else:
        decay, gain, bias = np.ones(()), _near_one(v["r"] * dialect.need("dt", node)), np.zeros(())
    if node.kind not in SPIKING:
        return Step(decay, gain, bias, synapse=synapse)
    reset = _reset(node, v["v_reset"], dialect)
    return Step(decay, gain, bias, v["v_threshold"], reset, v["v_reset"], synapse)


def _relaxation(node: Node, name: str, tau: Values, dialect: Dialect) -> tuple[Values, Values]:
    """Give what is left of a value after one step, and the share by which it has come nearer to its goal."""
    dt = dialect.need("dt", node)
    if (tau <= 0).any():
        raise ValueError(f"{node.label}: {name} must be above 0, is {tau.min():g}")
    share = _near_one(dt / tau) if dialect.method == "euler" else -np.expm1(-dt / tau)
    if (share > 1).any():
        raise ValueError(
            f"{node.label}: dt = {dt:g} s is longer than {name} = {tau.min():g} s; give the dt of the "
            "program that wrote the file, or method='exponential'"
        )
    return 1 - share, share


def _near_one(values: Values) -> Values:
    return np.where(np.abs(values - 1) <= _NEAR, 1.0, values)


def _reset(node: Node, v_reset: Values, dialect: Dialect) -> Reset:
    reset: Reset = dialect.need("reset", node)
    if reset == "zero" and v_reset.any():
        raise ValueError(
            f"{node.label}: v_reset is {_range(v_reset)}, so reset 'zero' is not what the file means; "
            "'value' resets to it"
        )
    return "zero" if reset == "value" and not v_reset.any() else reset


def _range(values: Values) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def gain_text(step: Step) -> str:
    """Write how strongly the input acts in one step: 1 where the exporter meant a plain sum."""
    text = _range(np.asarray(step.gain))
    return text if step.synapse is None else f"{text} (synapse {_range(np.asarray(step.synapse[1]))})"
