"""The parametrised neuron, as data: what every spiking framework's neuron is made of.

A step has six stages, each one of a few named expressions; the names are what files hold, since expressions
that are equal on paper differ in the last bit of a float32. For the input x, the membrane v and the synaptic
current i of the step before, with every operation rounded to float32 in the written order::

    r   = fires(v)                                      only where something is delayed
    y   = synapse(i, w * x)            w = synapse_gain, a = synapse_rate
    v   = reset(v, r)                                   reset_step "next_state"
    h   = charge(v, g * y) + bias      g = input_gain, k = rate, e = leak
    h   = reset(h, r)                                   reset_step "next_charge"
    s   = fires(h)                     voltage "old": s = r
    v   = reset(h, s)                                   reset_step "same"
    v   = floor(v)

`SYNAPSES`, `CHARGES`, `FIRES`, `RESETS` and `FLOORS` list the expressions. docs/neurons.md has the
same tables and says which framework evaluates what; `snncore.presets` makes neurons from a framework's own
parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import index
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Synapse = Literal["none", "decay_add", "add_decay", "jump", "relax"]
Charge = Literal[
    "decay",
    "relax_divide",
    "relax_multiply",
    "leak_divide",
    "leak_multiply",
    "euler_leak_first",
    "euler_input_first",
    "rest",
]
Fire = Literal["at_least", "above", "count", "round", "none"]
ResetTo = Literal["none", "zero", "value", "subtract"]
ResetStep = Literal["same", "next_state", "next_charge"]
Floor = Literal["none", "clamp", "shift"]
Refractory = Literal["none", "input", "hold"]

SYNAPSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "none": "y = x",
        "decay_add": "i = a * i + x; y = i",
        "add_decay": "i = a * (i + x); y = i",
        "jump": "y = i + x; i = y - a * y",
        "relax": "i = i + a * (x - i); y = i",
    }
)
CHARGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "decay": "k * v + y",
        "relax_divide": "v + (y - (v - e)) / k",
        "relax_multiply": "v + (y - (v - e)) * k",
        "leak_divide": "(v - (v - e) / k) + y",
        "leak_multiply": "(v - (v - e) * k) + y",
        "euler_leak_first": "v + k * ((e - v) + y)",
        "euler_input_first": "v + k * ((y + e) - v)",
        "rest": "(k * (v - e) + e) + y",
    }
)
FIRES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "at_least": "h >= threshold",
        "above": "h > threshold",
        "count": "min(trunc(h / threshold), most) if h > 0 else 0",
        "round": "round_half_even(min(max(h / threshold, 0), most))",
        "none": "no spikes: the output is h",
    }
)
RESETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "none": "h",
        "zero": "0 if s else h",
        "value": "reset_value if s else h",
        "subtract": "h - s * drop",
    }
)
FLOORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "none": "v",
        "clamp": "floor_value if v < floor_value else v",
        "shift": "max(v - floor_value, 0) + floor_value",
    }
)

#: The parameters that may differ from neuron to neuron: one number, one a channel, or one a neuron.
VALUES: Final = (
    "rate",
    "input_gain",
    "leak",
    "bias",
    "synapse_rate",
    "synapse_gain",
    "threshold",
    "reset_value",
    "drop",
    "floor_value",
    "initial",
)
#: Counts fit the largest count edge.
MOST_SPIKES: Final = 65535
MOST_STEPS: Final = 32767

_CHOICES: Final = {
    "synapse": tuple(SYNAPSES),
    "charge": tuple(CHARGES),
    "fire": tuple(FIRES),
    "voltage": ("new", "old"),
    "reset": tuple(RESETS),
    "reset_step": ("same", "next_state", "next_charge"),
    "floor": tuple(FLOORS),
    "refractory": ("none", "input", "hold"),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Neuron:
    """One neuron, or a layer of neurons of one kind.

    Parameters
    ----------
    charge, rate, input_gain, leak, bias
        ``h = charge(v, input_gain * y) + bias``; `rate` is the k of `CHARGES`, a divisor where it divides.
    synapse, synapse_rate, synapse_gain
        ``y = synapse(i, synapse_gain * x)``; `synapse_rate` is the a of `SYNAPSES`.
    fire, threshold, most, voltage
        `FIRES`; `most` caps "count" and "round". `voltage` "old": the membrane before this step fires.
    reset, reset_value, drop, reset_step
        `RESETS`; `drop` is the threshold unless given. "same": once the step has fired. "next_state" and
        "next_charge": in the step after, before or after its charge; whether it happens is decided then, from
        the membrane as it was kept.
    correct
        For the two delayed resets: the difference between the spike s of this step and the reset r already
        taken is made up at once, ``v - (s - r) * drop``, or ``v - (s - r) * v`` for "zero".
    floor, floor_value
        `FLOORS`, after the reset.
    refractory, refractory_steps
        For so many steps after a spike the input counts as 0 ("input"), or membrane and output stand still
        ("hold").
    initial
        The membrane before the first step.

    Every parameter of `VALUES` is a number, or an array [C], [F] or [C, H, W].

    >>> Neuron(rate=0.5, threshold=1.0, reset="subtract").equation()
    'h = k * v + y; s = h >= threshold; v = h - s * drop'
    """

    charge: Charge = "decay"
    rate: ArrayLike = 1.0
    input_gain: ArrayLike = 1.0
    leak: ArrayLike = 0.0
    bias: ArrayLike = 0.0
    synapse: Synapse = "none"
    synapse_rate: ArrayLike = 0.0
    synapse_gain: ArrayLike = 1.0
    fire: Fire = "at_least"
    threshold: ArrayLike = 1.0
    most: int = 1
    voltage: Literal["new", "old"] = "new"
    reset: ResetTo = "zero"
    reset_value: ArrayLike = 0.0
    drop: ArrayLike | None = None
    reset_step: ResetStep = "same"
    correct: bool = False
    floor: Floor = "none"
    floor_value: ArrayLike = 0.0
    refractory: Refractory = "none"
    refractory_steps: int = 0
    initial: ArrayLike = 0.0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"neuron: {name} must be one of {', '.join(allowed)}, received {getattr(self, name)!r}"
                )
        if self.drop is None:
            object.__setattr__(self, "drop", self.threshold)
        for name in VALUES:
            object.__setattr__(self, name, _float32(name, getattr(self, name)))
        for name in ("most", "refractory_steps"):
            object.__setattr__(self, name, _integer(name, getattr(self, name)))
        object.__setattr__(self, "correct", bool(self.correct))
        self._check_numbers()
        self._check_stages()

    def _check_numbers(self) -> None:
        if self.charge.endswith("divide") and np.any(self.values("rate") == 0):
            raise ValueError(f"neuron: rate divides in charge {self.charge!r} and must not be 0")
        if self.counts and not np.all(self.values("threshold") > 0):
            raise ValueError(f"neuron: fire {self.fire!r} needs a threshold above 0")
        most = MOST_SPIKES if self.counts else 1
        if not 1 <= self.most <= most:
            raise ValueError(f"neuron: most must be 1..{most} with fire {self.fire!r}, received {self.most}")
        steps = (1, MOST_STEPS) if self.refractory != "none" else (0, 0)
        if not steps[0] <= self.refractory_steps <= steps[1]:
            raise ValueError(
                f"neuron: refractory_steps must be {steps[0]}..{steps[1]} with refractory "
                f"{self.refractory!r}, received {self.refractory_steps}"
            )

    def _check_stages(self) -> None:
        delayed = self.reset_step != "same" or self.voltage == "old"
        if delayed and self.fire not in ("at_least", "above"):
            raise ValueError(f"neuron: fire {self.fire!r} needs voltage 'new' and reset_step 'same'")
        if delayed and self.refractory != "none":
            raise ValueError("neuron: a refractory neuron needs voltage 'new' and reset_step 'same'")
        if self.fire == "none" and (self.reset != "none" or self.refractory != "none"):
            raise ValueError("neuron: fire 'none' needs reset 'none' and refractory 'none'")
        if self.reset == "none" and self.reset_step != "same":
            raise ValueError("neuron: reset 'none' needs reset_step 'same'")
        if self.correct and (self.reset_step == "same" or self.voltage == "old" or self.reset == "value"):
            raise ValueError(
                "neuron: correct needs voltage 'new', a delayed reset_step and reset 'zero' or 'subtract'"
            )

    @property
    def counts(self) -> bool:
        """Whether the output is a count of spikes, not one bit."""
        return self.fire in ("count", "round")

    def values(self, name: str) -> NDArray[np.float32]:
        """Give a parameter of `VALUES` as an array."""
        values: NDArray[np.float32] = getattr(self, name)
        return values

    def equation(self) -> str:
        """Give the step in one line: the stages that do something."""
        parts = [] if self.synapse == "none" else [SYNAPSES[self.synapse]]
        parts.append(f"h = {CHARGES[self.charge]}")
        if self.fire != "none":
            compared = FIRES[self.fire]
            parts.append(f"s = {compared if self.voltage == 'new' else compared.replace('h', 'v', 1)}")
        if self.reset != "none":
            when = "" if self.reset_step == "same" else f" ({self.reset_step})"
            parts.append(f"v = {RESETS[self.reset]}{when}")
        if self.floor != "none":
            parts.append(f"v = {FLOORS[self.floor]}")
        if self.refractory != "none":
            parts.append(f"refractory {self.refractory} for {self.refractory_steps}")
        return "; ".join(parts)

    def describe(self) -> dict[str, Any]:
        """Give the choices as a dictionary, without the parameters of `VALUES`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in VALUES}


def _integer(name: str, given: Any) -> int:
    try:
        return index(given)
    except TypeError as error:
        raise ValueError(f"neuron: {name} must be an integer, received {given!r}") from error


def _float32(name: str, given: ArrayLike) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            values = np.array(given, dtype=np.float32)  # a copy: the neuron does not change
    except (TypeError, ValueError) as error:
        raise ValueError(f"neuron: expected numbers for {name}, received {type(given).__name__}") from error
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"neuron: {name} must be finite in float32 and not empty")
    values.setflags(write=False)
    return values
