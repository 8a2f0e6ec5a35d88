"""The parametrised neuron by its definition: torch float32, one rounding an operation, a loop over time.

`snncore.neuron` has the equations of a step; each stage here is the table of its expressions. For an input
``x`` and a state (v, i, wait)::

    synapse -> charge -> fire -> reset -> floor

``wait`` counts the steps for which a refractory neuron still waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..neuron import Neuron

Stage = Callable[..., Tensor]

SYNAPSE: dict[str, Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "none": lambda i, x, a: (x, i),
    "decay_add": lambda i, x, a: _twice(a * i + x),
    "add_decay": lambda i, x, a: _twice(a * (i + x)),
    "jump": lambda i, x, a: (i + x, (i + x) - a * (i + x)),
    "relax": lambda i, x, a: _twice(i + a * (x - i)),
}

CHARGE: dict[str, Stage] = {
    "decay": lambda v, y, k, e: k * v + y,
    "relax_divide": lambda v, y, k, e: v + (y - (v - e)) / k,
    "relax_multiply": lambda v, y, k, e: v + (y - (v - e)) * k,
    "leak_divide": lambda v, y, k, e: (v - (v - e) / k) + y,
    "leak_multiply": lambda v, y, k, e: (v - (v - e) * k) + y,
    "euler_leak_first": lambda v, y, k, e: v + k * ((e - v) + y),
    "euler_input_first": lambda v, y, k, e: v + k * ((y + e) - v),
    "rest": lambda v, y, k, e: (k * (v - e) + e) + y,
}

FIRE: dict[str, Stage] = {
    "at_least": lambda h, th, most: (h >= th).float(),
    "above": lambda h, th, most: (h > th).float(),
    "count": lambda h, th, most: torch.where(h > 0, torch.trunc(h / th).clamp(max=most), 0.0),
    "round": lambda h, th, most: torch.round((h / th).clamp(0, most)),
    "none": lambda h, th, most: torch.zeros_like(h),
}

RESET: dict[str, Stage] = {
    "none": lambda h, s, value, drop: h,
    "zero": lambda h, s, value, drop: torch.where(s > 0, 0.0, h),
    "value": lambda h, s, value, drop: torch.where(s > 0, value, h),
    "subtract": lambda h, s, value, drop: h - s * drop,
}

FLOOR: dict[str, Stage] = {
    "none": lambda v, least: v,
    "clamp": lambda v, least: torch.where(v < least, least, v),
    "shift": lambda v, least: torch.relu(v - least) + least,
}


@dataclass(frozen=True)
class State:
    """Membranes, synaptic currents and steps left to wait, all [N, ...] float32."""

    v: Tensor
    i: Tensor
    wait: Tensor


@dataclass(frozen=True)
class Trace:
    """[T, N, ...]: `out` spikes, counts or (fire "none") h; `h` before the reset; `v` and `i` as kept."""

    out: Tensor
    h: Tensor
    v: Tensor
    i: Tensor
    last: State


def initial(neuron: Neuron, x: Tensor) -> State:
    """Give the state before the first step, for inputs [N, ...] like `x`."""
    return State(_value(neuron, "initial", x).expand_as(x).clone(), torch.zeros_like(x), torch.zeros_like(x))


def step(neuron: Neuron, x: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
    """Run one step: inputs [N, ...] and a state to (output, h, next state)."""
    n = neuron
    p = {name: _value(n, name, x) for name in ("rate", "leak", "bias", "threshold", "reset_value", "drop")}
    v = state.v

    def fires(membrane: Tensor) -> Tensor:
        return FIRE[n.fire](membrane, p["threshold"], n.most)

    def after(membrane: Tensor, spikes: Tensor) -> Tensor:
        return RESET[n.reset](membrane, spikes, p["reset_value"], p["drop"])

    r = fires(v)
    y, i = SYNAPSE[n.synapse](state.i, _value(n, "synapse_gain", x) * x, _value(n, "synapse_rate", x))
    y = _value(n, "input_gain", x) * y
    waiting = state.wait > 0
    if n.refractory == "input":
        y = torch.where(waiting, 0.0, y)
    if n.reset_step == "next_state":
        v = after(v, r)
    h = CHARGE[n.charge](v, y, p["rate"], p["leak"]) + p["bias"]
    if n.reset_step == "next_charge":
        h = after(h, r)
    s = r if n.voltage == "old" else fires(h)
    kept = after(h, s) if n.reset_step == "same" else h
    if n.correct:
        kept = h - (s - r) * (p["drop"] if n.reset == "subtract" else h)
    kept = FLOOR[n.floor](kept, _value(n, "floor_value", x))
    if n.refractory == "hold":
        kept, s = torch.where(waiting, state.v, kept), torch.where(waiting, 0.0, s)
    wait = torch.where(s > 0, float(n.refractory_steps), (state.wait - 1).clamp(min=0))
    return (h if n.fire == "none" else s), h, State(kept, i, wait)


def run(neuron: Neuron, x: Tensor, state: State | None = None) -> Trace:
    """Run inputs [T, N, ...] from a state, or from the first one."""
    x = x.to(torch.float32)
    state = initial(neuron, x[0]) if state is None else state
    outs, hs, vs, currents = [], [], [], []
    for now in x:
        out, h, state = step(neuron, now, state)
        outs.append(out)
        hs.append(h)
        vs.append(state.v)
        currents.append(state.i)
    return Trace(torch.stack(outs), torch.stack(hs), torch.stack(vs), torch.stack(currents), state)


def _value(neuron: Neuron, name: str, x: Tensor) -> Tensor:
    """Give a parameter so that it broadcasts with [N, C, ...]: a number, [C], or the shape of a neuron."""
    values = torch.from_numpy(neuron.values(name).copy())
    if values.dim() == 1 and values.numel() > 1:
        return values.view(-1, *[1] * (x.dim() - 2))
    return values


def _twice(value: Tensor) -> tuple[Tensor, Tensor]:
    return value, value
