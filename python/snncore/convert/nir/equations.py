"""What a NIR graph says, evaluated as it stands: float64, a loop over time, none of the converter's sums.

`from_nir` makes layers and neurons of the engine from a graph; this walks over the graph itself, so that
`snncore.verify` can compare the two. Between two steps the input stands still, and a neuron's value comes
nearer to its goal by a share: ``v = v + share * (v_leak + r * x - v)``, where ``share`` is ``dt / tau``
("euler") or ``1 - exp(-dt / tau)`` ("exponential"); without a tau ``v = v + dt * r * x``. A synaptic current
does so first, towards ``w_in * x``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncore.model import Model

from .graph import NEURONS, SPIKING, Node, from_tree
from .neurons import Dialect
from .reading import plan_of
from .shapes import Shape, integers, spread, window
from .tree import read

Values = NDArray[np.float64]
State = dict[str, Any]


class Evaluated(NamedTuple):
    """By node: outputs, spikes (0 or 1) and membranes after reset, all [T, N, ...]."""

    outputs: dict[str, Values]
    spikes: dict[str, Values]
    membranes: dict[str, Values]


class Equations:
    """A graph, and what it does not say: dt, reset, method and dialect, as for `from_nir`.

    Raises
    ------
    snncore.FormatError, snncore.Error, ValueError
        As `from_nir`.
    """

    def __init__(self, source: Any, dialect: Dialect) -> None:
        tree, called = read(source)
        self.dialect = dialect
        self.plan = plan_of(from_tree(tree, called), dialect)
        self.nodes, self.before = self.plan.graph.nodes, self.plan.graph.before()

    @classmethod
    def of_model(cls, model: Model, source: Any) -> Equations:
        """Take what the graph does not say from a model that `from_nir` made of it.

        Raises
        ------
        ValueError
            The model was not made by `from_nir`.
        """
        facts = model.metadata["provenance"]
        if not str(facts.get("source", "")).startswith("NIR"):
            raise ValueError("verify: the model was not made from NIR, so a NIR graph is not its source")
        dt = facts.get("dt")
        given: Any = (
            None if dt is None else float(dt),
            facts.get("reset"),
            facts["method"],
            facts["dialect"],
        )
        return cls(source, Dialect(*given))

    def run(self, x: NDArray[Any]) -> Evaluated:
        """Evaluate all steps of x [T, N, ...], the value of the one Input."""
        ends = [name for name, node in self.nodes.items() if node.kind == "Input"]
        if len(ends) != 1:
            raise ValueError(f"verify: expected a NIR graph with one Input, it has {len(ends)}")
        shape = self.plan.shapes[ends[0]]
        if np.prod(x.shape[2:], dtype=np.int64) != np.prod(shape, dtype=np.int64):
            raise ValueError(
                f"verify: the NIR graph takes {list(shape)} in a step, the model {list(x.shape[2:])}"
            )
        frames = x.astype(np.float64).reshape(*x.shape[:2], *shape)
        states: dict[str, State] = {name: {} for name in self.nodes}
        history: dict[str, list[Values]] = {name: [] for name in self.nodes}
        for now in frames:
            for name, node in self.nodes.items():
                value = now if node.kind == "Input" else self._value(node, history, states[name], len(now))
                history[name].append(value)
        whole = {name: np.stack(values) for name, values in history.items()}
        kinds = {name: node.kind for name, node in self.nodes.items()}
        return Evaluated(
            {name: whole[name] for name, kind in kinds.items() if kind == "Output"},
            {name: whole[name] for name, kind in kinds.items() if kind in SPIKING or kind == "Threshold"},
            {name: np.stack(states[name]["kept"]) for name, kind in kinds.items() if kind in NEURONS},
        )

    def _value(self, node: Node, history: Mapping[str, list[Values]], state: State, samples: int) -> Values:
        sources = self.before[node.name]
        if node.kind == "Delay":  # may read what comes later in the order
            past, steps = history[sources[0]], self.plan.delays[node.name]
            done = len(history[node.name])
            return past[done - steps] if done >= steps else np.zeros((samples, *self.plan.shapes[node.name]))
        x: Values = sum((history[s][-1] for s in sources[1:]), start=history[sources[0]][-1])
        if node.kind in NEURONS:
            return self._neuron(node, x, state)
        method: Callable[[Node, Values], Values] = _STATELESS[node.kind]
        return method(node, x)

    def _neuron(self, node: Node, x: Values, state: State) -> Values:
        p = {name: _broadcast(node, name, self.plan.shapes[node.name]) for name in node.values}
        late = self.dialect.framework == "snntorch"
        start = p.get("v_reset", 0.0) if self._starts_at_reset else 0.0
        v: Values = state.get("v", np.zeros_like(x) + start)
        fired_before = self._fires(v, p) if late and node.kind in SPIKING else np.zeros(x.shape, bool)
        to_zero = self.dialect.reset == "zero" or (
            self.dialect.reset == "value" and not np.any(p.get("v_reset", 0.0))
        )
        resets_first = to_zero and "tau_syn" not in p and node.name not in self.plan.looped
        if resets_first:
            v = self._reset(v, fired_before, p)
        if "tau_syn" in p:
            i = state.get("i", np.zeros_like(x))
            x = state["i"] = i + self._share(p["tau_syn"]) * (p["w_in"] * x - i)
        tau = p.get("tau_mem", p.get("tau"))
        if tau is None:
            v = v + self.dialect.need("dt", node) * p["r"] * x
        else:
            v = v + self._share(tau) * (p["v_leak"] + p["r"] * x - v)
        if not resets_first:
            v = self._reset(v, fired_before, p)
        if node.kind not in SPIKING:
            state["v"] = v
            state.setdefault("kept", []).append(v)
            return v
        fired = self._fires(v, p)
        state["v"] = v if late else self._reset(v, fired, p)
        state.setdefault("kept", []).append(state["v"])
        return fired.astype(np.float64)

    @property
    def _starts_at_reset(self) -> bool:
        return self.dialect.framework == "spikingjelly" and self.dialect.reset == "value"

    def _share(self, tau: Values) -> Values:
        dt = self.dialect.dt
        return dt / tau if self.dialect.method == "euler" else 1 - np.exp(-dt / tau)  # type: ignore[operator]

    def _fires(self, v: Values, p: Mapping[str, Values]) -> NDArray[np.bool_]:
        at = self.dialect.framework == "spikingjelly"
        fired: NDArray[np.bool_] = v >= p["v_threshold"] if at else v > p["v_threshold"]
        return fired

    def _reset(self, v: Values, fired: NDArray[np.bool_], p: Mapping[str, Values]) -> Values:
        if not fired.any():
            return v
        after: Any = {"zero": 0.0, "value": p["v_reset"], "subtract": v - p["v_threshold"]}
        return np.where(fired, after[self.dialect.reset], v)


def _broadcast(node: Node, name: str, shape: Shape) -> Values:
    values: Values = np.asarray(spread(node, name, node.values[name], shape), np.float64)
    return values.reshape(-1, *[1] * (len(shape) - 1)) if values.ndim == 1 and len(shape) > 1 else values


def _linear(node: Node, x: Values) -> Values:
    y: Values = x @ node.values["weight"].astype(np.float64).T
    if "bias" in node.values:
        y += node.values["bias"].ravel()
    return y


def _conv(node: Node, x: Values) -> Values:
    weight = node.values["weight"].astype(np.float64)
    one_row = node.kind == "Conv1d"
    if one_row:
        weight, x = weight[:, :, None], x[:, :, None]
    y: Values = _correlated(node, x, weight, integers(node, "groups", 1)[0])
    y += node.values["bias"].reshape(-1, 1, 1)
    return y[:, :, 0] if one_row else y


def _sum_pool(node: Node, x: Values) -> Values:
    channels = x.shape[1]
    return _correlated(node, x, np.ones((channels, 1, *window(node)["kernel"])), channels)


def _avg_pool(node: Node, x: Values) -> Values:
    y: Values = _sum_pool(node, x) / np.prod(window(node)["kernel"])
    return y


def _correlated(node: Node, x: Values, weight: Values, groups: int) -> Values:
    """Slide `weight` [C_out, C_in / groups, kh, kw] over x [N, C, H, W], place by place."""
    given = window(node)
    top, bottom, left, right = given["padding"]
    x = np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)])
    (rows, columns), (down, across) = given["stride"], given["dilation"]
    high = (x.shape[2] - down * (weight.shape[2] - 1) - 1) // rows + 1
    wide = (x.shape[3] - across * (weight.shape[3] - 1) - 1) // columns + 1
    x = x.reshape(len(x), groups, -1, *x.shape[2:])
    kernel = weight.reshape(groups, -1, *weight.shape[1:])
    y: Values = np.zeros((len(x), groups, kernel.shape[1], high, wide))
    for r in range(weight.shape[2]):
        for s in range(weight.shape[3]):
            first, left = r * down, s * across
            seen = x[..., first : first + high * rows : rows, left : left + wide * columns : columns]
            y += np.einsum("ngchw,goc->ngohw", seen[..., :high, :wide], kernel[..., r, s], optimize=True)
    return y.reshape(len(x), -1, high, wide)


_STATELESS: Mapping[str, Callable[[Node, Values], Values]] = {
    "Output": lambda node, x: x,
    "Sum": lambda node, x: x,
    "Linear": _linear,
    "Affine": _linear,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "SumPool2d": _sum_pool,
    "AvgPool2d": _avg_pool,
    "Scale": lambda node, x: x * _broadcast(node, "scale", x.shape[1:]),
    "Threshold": lambda node, x: (x > _broadcast(node, "threshold", x.shape[1:])).astype(np.float64),
    "Flatten": lambda node, x: x.reshape(len(x), -1),
}
