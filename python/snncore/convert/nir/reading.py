"""From a NIR graph to a model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from snncore.model import Model

from .emit import Emitter, Plan, Readout, check
from .graph import NEURONS, Graph, brief, from_tree, joined
from .neurons import Dialect, Framework, Method, Reset, Step, gain_text, step_of
from .order import in_order
from .shapes import Shape, shapes_of, spread
from .tree import read

#: Its exporter has no other.
_SNNTORCH_DT = 1e-4

InputDtype = Literal["f32", "b1"]


def from_nir(
    source: Any,
    *,
    dt: float | None = None,
    reset: Reset | None = None,
    method: Method = "euler",
    dialect: Framework = "nir",
    input_dtype: InputDtype | None = None,
    readout: Readout | None = None,
    timesteps: int | None = None,
    labels: Sequence[str] | None = None,
    name: str | None = None,
) -> Model:
    """Convert a NIR graph: weights stay float32, neurons become one step of their equations.

    Parameters
    ----------
    source
        The path of a .nir file, or a `nir.NIRGraph`.
    dt
        Seconds of one step. Files do not hold it; exporters mean 1e-4 (snnTorch, SpikingJelly) or their own.
    reset
        What a spike does to the membrane: "zero", "value" (it becomes `v_reset`), "subtract" (the threshold
        is taken off). Files do not hold it either.
    method
        "euler": ``decay = 1 - dt / tau``, what exporters assume; "exponential": ``exp(-dt / tau)``.
    dialect
        Whose spikes to repeat where you know which program the file is from. "nir": the equations as they
        stand, a reset in the step of the spike, which is above the threshold. "snntorch": resets one step
        later, and dt is 1e-4 unless given. "spikingjelly": fires at the threshold, in its order of
        operations.
    input_dtype
        "f32" (default): inputs are values. "b1": they are spikes, which is faster.
    readout
        What becomes of each output over time: "mean", "sum" or "last" gives [N, F]; default: every step.
    timesteps
        Steps of a run whose input has no time axis. Default: 1.
    labels
        Names of the classes.
    name
        Stored with the model.

    Default values of dt, reset, input_dtype, readout and timesteps come from the metadata of a graph that
    `to_nir` made. The stored ``provenance["input_gain"]`` says for each layer how strongly an input acts in
    one step, ``r * dt / tau``: exactly 1 where the right dt is given for a file of snnTorch.

    Raises
    ------
    snncore.FormatError
        Not a NIR graph, or values that its nodes cannot have.
    snncore.Error
        Nodes without counterpart, all of them named; a cycle without a state.
    ValueError
        dt or reset are needed and missing, or shapes that do not fit; the message names the node.
    ImportError
        No h5py.
    """
    tree, called = read(source)
    graph = from_tree(tree, called)
    known = graph.metadata
    if dt is None:
        dt = known.get("dt", _SNNTORCH_DT if dialect == "snntorch" else None)
    spoken = Dialect(_number("dt", dt, float), reset or _text(known.get("reset")), method, dialect)
    plan = plan_of(graph, spoken)
    check(plan)
    input_dtype = _choice("input_dtype", input_dtype or _text(known.get("input_dtype")) or "f32", InputDtype)
    readout = _choice("readout", readout or _text(known.get("readout")), Readout)
    steps = _number("timesteps", timesteps or known.get("timesteps") or 1, int)
    builder = Emitter(plan, input_dtype, readout).run()
    return builder.build(
        steps,
        labels=list(labels) if labels else None,
        provenance=_provenance(source, spoken, plan.steps, name),
    )


def plan_of(graph: Graph, dialect: Dialect) -> Plan:
    """Settle shapes, delays, the order and the step of every neuron."""
    shapes = shapes_of(graph)
    for n in [n for n in graph.nodes.values() if n.kind == "Flatten"]:  # those that change nothing
        (source, *others) = graph.before()[n.name]
        if not others and shapes[source] == shapes[n.name]:
            graph = replace(
                graph,
                nodes={k: v for k, v in graph.nodes.items() if k != n.name},
                edges=joined(graph.edges, n.name),
            )
    delays = {
        node.name: _delay_steps(spread(node, "delay", node.values["delay"], shapes[node.name]), node, dialect)
        for node in graph.nodes.values()
        if node.kind == "Delay"
    }
    known = set(graph.nodes)
    graph = in_order(graph, delays)
    late = [n for n in graph.nodes.values() if n.kind == "Delay" and n.name not in known]
    looped = frozenset(graph.before()[n.name][0] for n in late)
    shapes = _shapes_again(graph, shapes)
    steps = {n.name: step_of(n, shapes[n.name], dialect) for n in graph.nodes.values() if n.kind in NEURONS}
    return Plan(graph, shapes, steps, delays, looped, dialect.framework)


def _shapes_again(graph: Graph, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Give sums and inserted delays the shape of what they read."""
    known, before = dict(shapes), graph.before()
    for name in graph.nodes:
        source = name
        while source not in known:
            source = before[source][0]
        known[name] = known[source]
    return known


def _delay_steps(delay: Any, node: Any, dialect: Dialect) -> int:
    if np.ndim(delay):
        raise ValueError(f"{node.label}: expected one delay for all, received {len(delay)} that differ")
    if delay == 0:
        return 0
    steps = float(delay) / dialect.need("dt", node)
    whole: int = round(steps)
    if not 1 <= whole <= 4096 or abs(steps - whole) > 1e-3 * whole:
        raise ValueError(
            f"{node.label}: a delay of {float(delay):g} s is {steps:g} steps of dt; expected a whole number, "
            "1 to 4096"
        )
    return whole


def _text(value: Any) -> Any:
    """Take metadata that ought to be a word."""
    return value if value is None else str(value)


def _choice(name: str, value: Any, allowed: Any) -> Any:
    if value is not None and value not in get_args(allowed):
        raise ValueError(
            f"from_nir: {name} must be one of {', '.join(get_args(allowed))}, received {brief(value)}"
        )
    return value


def _number(name: str, value: Any, kind: type) -> Any:
    try:
        return None if value is None else kind(value)
    except (TypeError, ValueError):
        raise ValueError(f"from_nir: expected a number for {name}, received {brief(value)}") from None


def _provenance(source: Any, dialect: Dialect, steps: Mapping[str, Step], name: str | None) -> dict[str, str]:
    file = Path(source).name if isinstance(source, (str, os.PathLike)) else "graph"
    facts = {"source": f"NIR, {file}", "method": dialect.method, "dialect": dialect.framework}
    if dialect.dt is not None:
        facts["dt"] = repr(dialect.dt)
    if dialect.reset is not None:
        facts["reset"] = dialect.reset
    if steps:
        facts["input_gain"] = ", ".join(f"{n} {gain_text(steps[n])}" for n in sorted(steps))
    return {"name": name, **facts} if name else facts
