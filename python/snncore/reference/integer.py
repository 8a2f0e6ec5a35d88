"""The integer neurons, and the float32 neuron in its written order, as loops over time.

Arrays of currents and spikes are ``[T, N, C, ...]``; parameters with one value for each channel are ``[C]``.
Integers are int64 here and saturate where the definition says so; `>>` is floor.

One time step of the integer neuron: leak, integrate, compare, reset, store::

    L  = leak(V)
    H  = sat(L + sat(I))
    S  = H >= theta
    V' = 0 if S else H                    reset "zero"
    V' = sat(H - (psi if S else 0))       reset "subtract"
    V  = clamp(V', lo, hi)

States of 2 and 4 bits hold a code instead of V, and a table says what it stands for::

    code = clamp((V' * n + half) >> unit_bits, -n, n)      n = 1, 7;  half = 2^unit_bits / 2
    V    = load[code + n]

V is 0 before the first step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

State = Literal["i2", "i4", "i8", "i16", "i32"]
Leak = Literal["none", "q15", "half_floor", "shift", "tz12"]
Reset = Literal["zero", "subtract"]

STORE: dict[State, tuple[int, int]] = {
    "i2": (-1, 1),
    "i4": (-7, 7),
    "i8": (-127, 127),
    "i16": (-(2**15), 2**15 - 1),
    "i32": (-(2**31), 2**31 - 1),
}
"""Lowest and highest stored membrane, or code; those of 8 bits and less are symmetric."""

WORK: dict[State, tuple[int, int]] = {
    state: STORE["i32" if state == "i32" else "i16"] for state in ("i2", "i4", "i8", "i16", "i32")
}
"""Where current, membrane before reset and membrane after reset saturate."""


def leak(v: Tensor, kind: Leak, param: int = 0) -> Tensor:
    """Return what is left of the membrane `v` after one step.

    ==============  ==========================================  ======================
    ``none``        V
    ``q15``         (V * P + 2^14) >> 15                        P = `param`, 0..32767
    ``half_floor``  V >> 1
    ``shift``       V - (V >> k)                                k = `param`, 1..15
    ``tz12``        sign(V) * ((abs(V) * D) >> 12)              D = `param`, 0..4096
    ==============  ==========================================  ======================
    """
    if kind == "none":
        return v
    if kind == "q15":
        return (v * param + 2**14) >> 15
    if kind == "half_floor":
        return v >> 1
    if kind == "shift":
        return v - (v >> param)
    if kind == "tz12":
        return torch.sign(v) * ((v.abs() * param) >> 12)
    raise ValueError(f"unknown leak {kind!r}")


@dataclass(frozen=True)
class IntegerLif:
    """Parameters of an integer neuron, as a file holds them.

    `theta` int64 ``[C]``; profile ``"X"``: ``[K, C]``, row k-1 for k steps since the last reset, at most K
    steps. `psi` int64 ``[C]`` for reset ``"subtract"``. With `leak_at_store` the leak comes after the reset
    instead of before the current: ``L = V``, ``V = clamp(leak(V'), lo, hi)``. `load` int64 ``[3]`` or
    ``[15]`` and `unit_bits` belong to the states ``"i2"`` and ``"i4"``.
    """

    theta: Tensor
    psi: Tensor | None = None
    profile: Literal["U", "W", "X"] = "W"
    state: State = "i16"
    leak: Leak = "q15"
    leak_param: int = 16384
    reset: Reset = "zero"
    leak_at_store: bool = False
    load: Tensor | None = None
    unit_bits: int = 0


@dataclass
class Saturations:
    """How many values were clipped: currents, membranes before and after reset, stored membranes."""

    current: int = 0
    integrate: int = 0
    reset: int = 0
    store: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.current + self.integrate + self.reset + self.store

    def add(self, other: Saturations) -> None:
        """Count those of `other` too."""
        self.current += other.current
        self.integrate += other.integrate
        self.reset += other.reset
        self.store += other.store


@dataclass(frozen=True)
class Steps:
    """What a neuron did: `spikes` bool and `membranes` after reset (as stored), both ``[T, N, C, ...]``."""

    spikes: Tensor
    membranes: Tensor
    saturations: Saturations = field(default_factory=Saturations)


def integer_lif(current: Tensor, p: IntegerLif) -> Steps:
    """Run the integer neuron over the currents int64 ``[T, N, C, ...]``, from V = 0."""
    if p.profile == "X" and current.shape[0] > p.theta.shape[0]:
        raise ValueError(f"profile X holds for {p.theta.shape[0]} steps, not for {current.shape[0]}")
    count = Saturations()
    v = torch.zeros_like(current[0])
    since_reset = torch.zeros_like(current[0])
    spikes, membranes = [], []
    for t in range(current.shape[0]):
        since_reset = since_reset + 1
        left = v if p.leak_at_store else leak(v, p.leak, p.leak_param)
        i, clipped = _clamp(current[t], *WORK[p.state])
        count.current += clipped
        h, clipped = _clamp(left + i, *WORK[p.state])
        count.integrate += clipped
        s = h >= _thresholds(p, since_reset)
        since_reset = torch.where(s, 0, since_reset)
        v, clipped = _reset(h, s, p)
        count.reset += clipped
        if p.leak_at_store:
            v = leak(v, p.leak, p.leak_param)
        v, clipped = _stored(v, p)
        count.store += clipped
        spikes.append(s)
        membranes.append(v)
    return Steps(torch.stack(spikes), torch.stack(membranes), count)


def _thresholds(p: IntegerLif, since_reset: Tensor) -> Tensor:
    """Theta for every neuron; profile X reads row k-1 of its table, k = `since_reset`."""
    if p.profile != "X":
        return _per_channel(p.theta, since_reset)
    theta = torch.zeros_like(since_reset)
    for k in range(p.theta.shape[0]):
        theta = torch.where(since_reset == k + 1, _per_channel(p.theta[k], since_reset), theta)
    return theta


def _reset(h: Tensor, s: Tensor, p: IntegerLif) -> tuple[Tensor, int]:
    if p.reset == "zero":
        return torch.where(s, 0, h), 0
    if p.psi is None:
        raise ValueError("reset 'subtract' needs psi")
    return _clamp(h - torch.where(s, _per_channel(p.psi, h), 0), *WORK[p.state])


def _stored(v: Tensor, p: IntegerLif) -> tuple[Tensor, int]:
    """Return what comes back of `v` at the next step, and how many values were clipped."""
    lo, hi = STORE[p.state]
    if p.load is None:
        return _clamp(v, lo, hi)
    half = (1 << p.unit_bits) >> 1
    code, clipped = _clamp((v * hi + half) >> p.unit_bits, lo, hi)
    return p.load[code + hi], clipped


def _clamp(x: Tensor, lo: int, hi: int) -> tuple[Tensor, int]:
    """Clamp, and tell how many values changed."""
    y = x.clamp(lo, hi)
    return y, int((y != x).sum())


def _per_channel(values: Tensor, like: Tensor) -> Tensor:
    """Shape [C] so that it meets axis 1 of ``[N, C, ...]``."""
    return values.view(-1, *[1] * (like.dim() - 2))


def float_lif(
    x: Tensor,
    *,
    decay: float,
    threshold: float,
    input_gain: float = 1.0,
    reset: Reset = "zero",
    strict: bool = False,
) -> Steps:
    """Run the float32 neuron over ``x[T, N, ...]``, from v = 0; each line rounds as it is written.

    ::

        g = input_gain * x      x itself if input_gain is 1
        h = decay * v + g       v + g if decay is 1: a product, then a sum
        s = h >= threshold      h > threshold if strict
        v = 0 if s else h       or h - (threshold if s else 0)
    """
    k_decay, k_gain, k_threshold = torch.tensor([decay, input_gain, threshold], dtype=torch.float32)
    fires: Callable[[Tensor, Tensor], Tensor] = torch.gt if strict else torch.ge
    v = torch.zeros_like(x[0])
    zero = torch.zeros(())
    spikes, membranes = [], []
    for t in range(x.shape[0]):
        g = x[t] if k_gain == 1 else k_gain * x[t]
        kept = v if k_decay == 1 else k_decay * v
        h = kept + g
        s = fires(h, k_threshold)
        v = torch.where(s, zero, h) if reset == "zero" else h - torch.where(s, k_threshold, zero)
        spikes.append(s)
        membranes.append(v)
    return Steps(torch.stack(spikes), torch.stack(membranes))
