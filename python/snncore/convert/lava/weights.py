"""What Lava makes of a weight, and how codes of eight bits add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .fields import Integers


@dataclass(frozen=True)
class OnChip:
    """Weights as a synapse holds them: a sum of them counts ``sum * factor >> shift``, rounded down."""

    weights: tuple[Integers, ...]
    factor: int
    shift: int


def on_chip(*weights: Integers) -> OnChip:
    """Apply what `netx` and Lava 0.10's dense synapses do to weights that share an exponent.

    They are shifted up until they fill eight bits, clipped to what their sign mode holds and cut to the bits
    in use, and sums are shifted down again. That changes nothing, but for weights that are all <= 0: eight
    bits without a sign end at -255, so where the smallest is a power of two it becomes a little larger.

    Raises
    ------
    ValueError
        Weights that do not fit eight bits.
    """
    low, high = min(int(w.min()) for w in weights), max(int(w.max()) for w in weights)
    if low < 0 <= high and high > 254:
        raise ValueError(f"weights of both signs must lie within -256 to 254, received {low} to {high}")
    if low == high == 0:
        return OnChip(weights, 1, 0)
    shift, zeros = _headroom(low, high), min(8, _trailing_zeros(weights))
    return plain(*(_held(w << shift, shift + zeros, low < 0 <= high) for w in weights), shift=shift)


def plain(*weights: Integers, shift: int = 0) -> OnChip:
    """Take weights as they are, and out of them what all have in common."""
    zeros = _trailing_zeros(weights)
    factor, rest = 1 << max(zeros - shift, 0), max(shift - zeros, 0)
    return OnChip(tuple(w >> zeros for w in weights), factor, rest)


def _headroom(low: int, high: int) -> int:
    """By how many bits the weights can be shifted up: floor(log2(scale)), one more with a sign."""
    shift = 0
    if high < 0:
        limits, sign = (-256, 0), 0
    elif low >= 0:
        limits, sign = (0, 255), 0
    else:
        limits, sign = (-128, 127), 1
    while low << (shift + 1) >= limits[0] and high << (shift + 1) <= limits[1]:
        shift += 1
    fits = low >= limits[0] and high <= limits[1]
    return shift + sign if fits else 0


def _trailing_zeros(weights: tuple[Integers, ...]) -> int:
    bits = int(np.bitwise_or.reduce([np.bitwise_or.reduce(w, axis=None) for w in weights]))
    return (bits & -bits).bit_length() - 1 if bits else 0


def _held(weight: Integers, low: int, signed: bool) -> Integers:
    """Clip one matrix and cut its `low` unused bits, as its own sign mode has it."""
    cut = max(low - int(signed), 0)  # eight bits without a sign reach one lower
    if weight.min() >= 0:
        return np.minimum(weight, 255) >> cut << cut
    if weight.max() <= 0:
        return -(np.minimum(-weight, 255) >> cut << cut)
    return np.clip(weight, -256, 255) >> low << low


@dataclass(frozen=True)
class Coded:
    """int8 codes, of so many bits, whose sum is the weight."""

    parts: list[Any]
    bits: int


def coded(weight: Integers) -> Coded:
    """Write weights as a sum of codes that are symmetric about zero: one part, but for weights like -128."""
    reach = int(np.abs(weight).max())
    bits = next((b for b in (2, 4) if reach < 1 << (b - 1)), 8)
    parts, rest = [], weight
    while True:
        part = np.clip(rest, -127, 127)
        parts.append(part.astype(np.int8))
        rest = rest - part
        if not rest.any():
            return Coded(parts, bits)
