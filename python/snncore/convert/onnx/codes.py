"""Membranes kept as codes: what docs/format.md says of `load`, `edges` and profile T, as ONNX nodes."""

from __future__ import annotations

from typing import Final

from .body import INT, Body, Value

#: The greatest code of each state that may keep one.
MOST: Final = {"i2": 1, "i4": 7, "i8": 127}

_NEVER: Final = 2**31  #: above every membrane of these states


def by_steps(v: Value, unit_bits: int, most: int) -> Value:
    """Give code + n of the membranes v: codes in equal steps of 2^unit_bits / n; n is `most`."""
    unit = 1 << unit_bits
    return (v * most + unit // 2).floor_divide(unit).clip(-most, most) + most


def by_edges(body: Body, v: Value, edges: Value, most: int) -> Value:
    """Give code + n: how many of the 2n ascending edges v reaches, found in halvings of 2n + 1 = 2^b - 1."""
    ladder = body.op("Concat", edges, body.constant([_NEVER]), axis=0)
    reached, step = body.constant([0]), most + 1
    while step:
        over = v >= body.op("Gather", ladder, reached + (step - 1), axis=0)
        reached, step = reached + over.to(INT) * step, step // 2
    return reached


def three_states(body: Body, x: Value, code: Value, theta: Value, gamma: Value) -> tuple[Value, Value]:
    """Give spikes (bool) and the next code of profile T: rows of theta and gamma, by the code -1..1."""
    s = x >= row(body, theta, code + 1)
    place = (code + 1) * 2
    reached = [(x >= row(body, gamma, place + j)).to(INT) for j in (0, 1)]
    return s, body.where(s, 0, reached[0] + reached[1] - 1)


def row(body: Body, table: Value, k: Value) -> Value:
    """Give row k of a table [K, 1, C, ...] for each neuron; a row that it lacks is an error."""
    one = body.constant([0])
    rows = body.op("Unsqueeze", k, one)
    shape = body.op("Concat", body.op("Shape", table, dtype=INT, start=0, end=1), body.op("Shape", k), axis=0)
    wide = body.op("Expand", table, shape)
    return body.op("Squeeze", body.op("GatherElements", wide, rows, axis=0), one)
