"""The step of every kind of neuron, as ONNX nodes: what docs/format.md defines, one node an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from snncore.neuron import VALUES, Neuron

from .body import FLOAT, INT, Body, Value
from .codes import MOST, by_edges, by_steps, row, three_states

Attrs: TypeAlias = Mapping[str, Any]
States: TypeAlias = dict[str, Value]


class Parameters:
    """Inputs of a function that hold parameters; only those that a body asks for become inputs."""

    def __init__(self, body: Body, order: tuple[str, ...], dtype: np.dtype[Any]) -> None:
        self.body, self.order, self.dtype = body, order, dtype
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Value:
        assert name in self.order
        self.used.add(name)
        return self.body.value(name, self.dtype)

    @property
    def inputs(self) -> list[str]:
        """Names of those that were asked for, in their order."""
        return [name for name in self.order if name in self.used]


@dataclass(frozen=True)
class Rule:
    """A kind of neurons.

    `variant` names what the body depends on besides `op`; `states` are zero before the first step but for
    those that `initial` maps to a parameter. `step` takes the input, the states and the parameters of one
    step to the output, float32, and the next states.
    """

    op: str
    variant: str
    dtype: np.dtype[Any]
    order: tuple[str, ...]
    states: tuple[str, ...]
    step: Callable[[Body, Value, States, Parameters], tuple[Value, States]]
    initial: Mapping[str, str] = field(default_factory=dict)


def rule_of(op: str, attrs: Attrs) -> Rule:
    """Give the rule of a node of a `.snn` document: `op` is lif, if, cuba_lif or neuron."""
    if op == "neuron":
        return _neuron(attrs)
    if op == "cuba_lif":
        return _cuba_lif(attrs)
    if attrs["arith"] != "int":
        return _float_lif(attrs)
    return _three_states() if attrs["profile"] == "T" else _integer_lif(attrs)


def call_attrs(node: Mapping[str, Any]) -> dict[str, Any]:
    """Give the attributes of a call: those of the node, and where it keeps codes, how they are made."""
    attrs: dict[str, Any] = node["attrs"]
    if "load" not in node["tensors"]:
        return attrs
    return attrs | {"codes": "edges" if "edges" in node["tensors"] else "steps"}


# ---- integer neurons

_WORK: Final = {
    **dict.fromkeys(("i2", "i4", "i8", "i16"), (-(2**15), 2**15 - 1)),
    "i32": (-(2**31), 2**31 - 1),
}
_STORE: Final = _WORK | {"i8": (-127, 127)}

_LEAKS: Final[Mapping[str, Callable[[Value, int], Value]]] = {
    "none": lambda v, _: v,
    "q15": lambda v, p: (v * p + 2**14).floor_divide(2**15),
    "half_floor": lambda v, _: v.floor_divide(2),
    "shift": lambda v, k: v - v.floor_divide(2**k),
    "tz12": lambda v, d: v * d / 4096,
}


def _integer_lif(attrs: Attrs) -> Rule:
    state, late, table = attrs["state"], bool(attrs["leak_at_store"]), attrs["profile"] == "X"
    leak, parameter = _LEAKS[attrs["leak"]], _within(attrs, "leak_param", 32767)
    store, kept = _store(attrs)

    def step(body: Body, x: Value, states: States, p: Parameters) -> tuple[Value, States]:
        v = states["v"]
        h = ((v if late else leak(v, parameter)) + x.clip(*_WORK[state])).clip(*_WORK[state])
        later: States = {}
        if table:
            waited = states["waited"] + 1
            s = h >= row(body, p["theta"], waited - 1)
            later["waited"] = body.where(s, 0, waited)
        else:
            s = h >= p["theta"]
        if attrs["reset"] == "zero":
            v = body.where(s, 0, h)
        else:
            v = (h - body.where(s, p["psi"], 0)).clip(*_WORK[state])
        v = leak(v, parameter) if late else v
        return s.to(FLOAT), {"v": store(body, v, p), **later}

    words = [state, attrs["leak"], *([str(parameter)] if parameter else []), attrs["reset"]]
    words += ["late"] * late + ["table"] * table + kept
    states = ("v", "waited") if table else ("v",)
    return Rule("lif", "_".join(words), INT, ("theta", "psi", "load", "edges"), states, step)


def _store(attrs: Attrs) -> tuple[Callable[[Body, Value, Parameters], Value], list[str]]:
    """Give what becomes of a membrane until the next step, and words for it."""
    state, codes = attrs["state"], attrs.get("codes")
    if codes is None:
        return lambda body, v, p: v.clip(*_STORE[state]), []
    most = MOST[state]
    if codes == "edges":
        return lambda body, v, p: _loaded(body, p, by_edges(body, v, p["edges"], most)), ["edges"]
    if codes != "steps":
        raise ValueError(f"codes: expected edges or steps, received {codes!r}")
    unit = _within(attrs, "unit_bits", 12)
    return lambda body, v, p: _loaded(body, p, by_steps(v, unit, most)), ["codes", str(unit)]


def _loaded(body: Body, p: Parameters, place: Value) -> Value:
    return body.op("Gather", p["load"], place, axis=0)


def _three_states() -> Rule:
    def step(body: Body, x: Value, states: States, p: Parameters) -> tuple[Value, States]:
        s, v = three_states(body, x, states["v"], p["theta"], p["gamma"])
        return s.to(FLOAT), {"v": v}

    return Rule("lif", "three_states", INT, ("theta", "gamma"), ("v",), step)


def _within(attrs: Attrs, name: str, most: int) -> int:
    """Give a whole number of the attributes: files may hold any, and some are exponents."""
    value = int(attrs[name])
    if not 0 <= value <= most:
        raise ValueError(f"{name}: expected 0 to {most}, received {value}")
    return value


_HALF: Final = 2**23


def _cuba_lif(attrs: Attrs) -> Rule:
    current_decay, decay = (_within(attrs, name, 4096) for name in ("current_decay", "decay"))
    shift = _within(attrs, "input_shift", 8)

    def step(body: Body, x: Value, states: States, p: Parameters) -> tuple[Value, States]:
        i = states["i"] * current_decay / 4096 + x * 2**shift
        down = body.where(i > _HALF, i - 2 * _HALF, i)
        i = body.where(i < 1 - _HALF, i + 2 * _HALF, down)
        v = (states["v"] * decay / 4096 + i + p["bias"]).clip(1 - _HALF, _HALF - 1)
        s = v >= p["theta"]
        return s.to(FLOAT), {"i": i, "v": body.where(s, 0, v)}

    variant = f"{current_decay}_{decay}_{shift}"
    return Rule("cuba_lif", variant, INT, ("theta", "bias"), ("i", "v"), step)


# ---- float neurons


def _float_lif(attrs: Attrs) -> Rule:
    strict, reset = bool(attrs["strict"]), attrs["reset"]

    def step(body: Body, x: Value, states: States, p: Parameters) -> tuple[Value, States]:
        h = p["decay"] * states["v"] + p["input_gain"] * x
        s = h > p["threshold"] if strict else h >= p["threshold"]
        v = body.where(s, 0, h) if reset == "zero" else h - body.where(s, p["threshold"], 0)
        return s.to(FLOAT), {"v": v}

    order = ("decay", "input_gain", "threshold")
    return Rule("lif", f"f32_{reset}" + "_strict" * strict, FLOAT, order, ("v",), step)


_SYNAPSES: Final[Mapping[str, Callable[[Value, Value, Value], tuple[Value, Value]]]] = {
    "decay_add": lambda i, x, a: (a * i + x,) * 2,
    "add_decay": lambda i, x, a: (a * (i + x),) * 2,
    "jump": lambda i, x, a: (i + x, (i + x) - a * (i + x)),
    "relax": lambda i, x, a: (i + a * (x - i),) * 2,
}

_CHARGES: Final[Mapping[str, Callable[[Value, Value, Value, Callable[[], Value]], Value]]] = {
    "decay": lambda v, y, k, e: k * v + y,
    "relax_divide": lambda v, y, k, e: v + (y - (v - e())) / k,
    "relax_multiply": lambda v, y, k, e: v + (y - (v - e())) * k,
    "leak_divide": lambda v, y, k, e: (v - (v - e()) / k) + y,
    "leak_multiply": lambda v, y, k, e: (v - (v - e()) * k) + y,
    "euler_leak_first": lambda v, y, k, e: v + k * ((e() - v) + y),
    "euler_input_first": lambda v, y, k, e: v + k * ((y + e()) - v),
    "rest": lambda v, y, k, e: (k * (v - e()) + e()) + y,
}


def _fires(body: Body, h: Value, attrs: Attrs, p: Parameters) -> Value:
    """Give spikes or counts, float32."""
    fire, most = attrs["fire"], attrs["most"]
    if fire == "at_least":
        return (h >= p["threshold"]).to(FLOAT)
    if fire == "above":
        return (h > p["threshold"]).to(FLOAT)
    if fire == "count":
        fired = body.op("Min", body.op("Floor", h / p["threshold"]), h.same(most))
        return body.where(h > 0, fired, 0)
    assert fire == "round"
    return body.op("Round", (h / p["threshold"]).clip(0, most))


def _reset(body: Body, h: Value, s: Value, attrs: Attrs, p: Parameters) -> Value:
    if attrs["reset"] == "subtract":
        return h - s * p["drop"]
    return (
        h
        if attrs["reset"] == "none"
        else body.where(s > 0, p["reset_value"] if attrs["reset"] == "value" else 0, h)
    )


def _floor(body: Body, v: Value, attrs: Attrs, p: Parameters) -> Value:
    if attrs["floor"] == "clamp":
        return body.where(v < p["floor_value"], p["floor_value"], v)
    if attrs["floor"] == "shift":
        return body.op("Max", v - p["floor_value"], v.same(0)) + p["floor_value"]
    return v


def _neuron(attrs: Attrs) -> Rule:
    """Give the parametrised neuron: the stages of `snncore.neuron`, in their order."""
    Neuron(**attrs)  # refuses stages that do not go together
    synapse, refractory, step_of_reset = attrs["synapse"], attrs["refractory"], attrs["reset_step"]
    delayed = step_of_reset != "same" or attrs["voltage"] == "old"

    def step(body: Body, x: Value, states: States, p: Parameters) -> tuple[Value, States]:
        v, later = states["v"], {}
        r = _fires(body, v, attrs, p) if delayed else None
        y = p["synapse_gain"] * x
        if synapse != "none":
            y, later["i"] = _SYNAPSES[synapse](states["i"], y, p["synapse_rate"])
        y = p["input_gain"] * y
        waiting = states["wait"] > 0 if refractory != "none" else None
        if refractory == "input":
            assert waiting is not None
            y = body.where(waiting, 0, y)
        if step_of_reset == "next_state":
            assert r is not None
            v = _reset(body, v, r, attrs, p)
        h = _CHARGES[attrs["charge"]](v, y, p["rate"], lambda: p["leak"]) + p["bias"]
        if step_of_reset == "next_charge":
            assert r is not None
            h = _reset(body, h, r, attrs, p)
        s, kept = _after(body, h, r, attrs, p)
        if refractory == "hold":
            assert waiting is not None and s is not None
            kept, s = body.where(waiting, states["v"], kept), body.where(waiting, 0, s)
        if refractory != "none":
            assert s is not None
            less = body.op("Max", states["wait"] - 1, x.same(0))
            later["wait"] = body.where(s > 0, body.constant(attrs["refractory_steps"], FLOAT), less)
        return (h if s is None else s), {"v": kept, **later}

    states = ("v", *(["i"] if synapse != "none" else []), *(["wait"] if refractory != "none" else []))
    return Rule("neuron", _words(attrs), FLOAT, VALUES, states, step, {"v": "initial"})


def _after(body: Body, h: Value, r: Value | None, attrs: Attrs, p: Parameters) -> tuple[Value | None, Value]:
    """Fire, reset and floor: spikes (None of neurons that do not fire) and the membrane."""
    if attrs["fire"] == "none":
        return None, _floor(body, h, attrs, p)
    s = r if attrs["voltage"] == "old" else _fires(body, h, attrs, p)
    assert s is not None
    kept = _reset(body, h, s, attrs, p) if attrs["reset_step"] == "same" else h
    if attrs["correct"]:
        assert r is not None
        kept = h - (s - r) * (p["drop"] if attrs["reset"] == "subtract" else h)
    return s, _floor(body, kept, attrs, p)


_USUAL: Final = {
    "synapse": "none",
    "voltage": "new",
    "reset_step": "same",
    "floor": "none",
    "refractory": "none",
}


def _words(attrs: Attrs) -> str:
    """Name the stages, leaving out those that do nothing."""
    words = []
    for name in ("synapse", "charge", "fire", "voltage", "reset", "reset_step", "floor", "refractory"):
        if attrs[name] != _USUAL.get(name):
            words.append("no_reset" if (name, attrs[name]) == ("reset", "none") else str(attrs[name]))
        if name == "fire" and attrs["most"] > 1:
            words.append(str(attrs["most"]))
        if name == "refractory" and attrs[name] != "none":
            words.append(str(attrs["refractory_steps"]))
    return "_".join(words + ["correct"] * bool(attrs["correct"]))
