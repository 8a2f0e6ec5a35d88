"""From an ONNX file to a model. Needs the package `onnx`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from snncore import Error, FormatError
from snncore.builder import GraphBuilder
from snncore.convert.progress import tracked
from snncore.model import Model

from .emitting import Emitter, missing
from .loading import Body, Network, Node, Source, load
from .operators import ACTIVATIONS


def from_onnx(
    source: Source,
    *,
    timesteps: int | None = None,
    readout: Literal["mean", "sum", "last"] | None = None,
    labels: Sequence[str] | None = None,
    name: str | None = None,
    progress: bool | None = None,
) -> Model:
    """Convert an ONNX file: one of `to_onnx`, or layers of others around its neurons.

    A neuron is a call of a function of domain ``snncore``; around them Conv, Gemm, MatMul and Add, Sum,
    BatchNormalization, MaxPool, AveragePool, GlobalAveragePool, Flatten, Reshape, Identity, Dropout, and
    ReduceMean or ReduceSum over time are understood. Layers take [T*N, ...], as ``snncore`` functions do.

    Parameters
    ----------
    source
        The path of a file, its bytes, or an `onnx.ModelProto`. Data outside the file is read from files
        beside it only.
    timesteps
        Steps of a run unless the input tells. Default: as the file says.
    readout
        What becomes of outputs that are vectors with a value for each step. Default: they stay.
    labels, name
        Names of the classes; a name to store. Default: as the file says.
    progress
        Show a progress bar. Default: on a terminal.

    Raises
    ------
    snncore.FormatError
        Not ONNX, or a file that contradicts itself; the message names the node.
    snncore.Error
        Nodes without a counterpart, all of them named; an opset that is too old.
    ValueError
        An option that does not fit, or constants that the model cannot have.
    """
    network = load(source)
    _check(network)
    emitter = Emitter(network, GraphBuilder())
    emitter.inputs()
    emitter.know(network.nodes)
    for node in tracked(network.nodes, "converting", progress):
        emitter.emit(node)
    emitter.outputs(readout)
    facts = network.facts
    steps = timesteps or emitter.steps or facts.get("timesteps")
    if steps is None:
        raise ValueError(
            f"from_onnx: {network.source} does not say how many steps a run takes; give timesteps"
        )
    provenance = {str(k): str(v) for k, v in facts.get("provenance", {}).items() if k != "producer"}
    try:
        return emitter.builder.build(
            steps,
            labels=labels if labels is not None else facts.get("labels"),
            preprocess=facts.get("preprocess"),
            provenance=provenance | ({"name": name} if name else {}),
        )
    except TypeError as error:
        raise FormatError(f"{network.source}: metadata 'snncore' is not what snncore writes") from error


def _check(network: Network) -> None:
    """Name everything at once that has no counterpart."""
    nodes = list(_all(network.nodes))
    ours = any(node.domain == "snncore" for node in nodes)
    active = [node for node in nodes if node.op in ACTIVATIONS and not node.domain]
    if active and not ours:
        raise Error(
            f"{network.source}: {active[0].label} makes this an ordinary network, not a spiking one; "
            "convert the torch module with snncore.convert_ann, or train it with spiking neurons in place of "
            "its activations (snncore.reference, SpikingJelly ...)"
        )
    reasons = [f"'{node.name}' ({why})" for node in nodes if (why := missing(node))]
    if reasons:
        raise Error(f"{network.source}: no counterpart for {', '.join(reasons)}")


def _all(nodes: Sequence[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        body: Any = node.attrs.get("body")
        if isinstance(body, Body):
            yield from _all(body.nodes)
