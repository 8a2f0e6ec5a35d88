"""From a model to an ONNX file that other runtimes run as it is. Needs the package `onnx`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

import onnx
from onnx import helper

from snncore._core import Error, version
from snncore.arguments import MOST_STEPS
from snncore.convert.parts import parts_of
from snncore.files import write_atomically
from snncore.model import Model, check_model

from .layers import Writer
from .loops import LoopWriter, has_loop

LARGEST = 2**31 - 1  #: bytes that a protobuf message may have


def to_onnx(
    model: Model,
    path: str | os.PathLike[str] | None = None,
    *,
    timesteps: int | None = None,
    record: Iterable[str] = (),
) -> onnx.ModelProto:
    """Write a model as ONNX: standard operators, and neurons as local functions made of standard operators.

    onnxruntime needs nothing of ours to run it. The graph takes arrays as `Model.run` does, in the model's
    default layout (uint8 pixels, bool spikes, float32 values), for any number of samples, and of steps where
    the layout has T. Quantised networks give the very integers that the engine computes; float networks the
    same spikes wherever their float32 sums are exact, for runtimes add in an order of their own.

    Parameters
    ----------
    model
        Any model.
    path
        Where to write, under a temporary name first; None: only the `onnx.ModelProto` is made.
    timesteps
        Steps of a run for an input without T. Default: the model's.
    record
        Layers whose values become outputs too, [T, N, ...]: spikes, counts, values or integer sums.

    Raises
    ------
    ValueError
        A layer to record that does not exist; timesteps out of range, or given for an input that has T.
    snncore.Error
        A stream or a saccade; a sum of a flattened image and another vector; `psn` in a network with a
        loop, or of another number of steps than a run takes; more than 2 GiB.
    OSError
        The folder is missing or may not be written to.
    ImportError
        No package onnx.
    """
    check_model("to_onnx", model)
    parts = parts_of(model)
    writer = (LoopWriter if has_loop(parts) else Writer)(
        parts, _steps(model, timesteps), _recorded(parts.nodes, record)
    )
    writer.run()
    made = writer.sheet.model(
        writer.inputs,
        writer.outputs,
        producer_name="snncore",
        producer_version=version(),
    )
    facts = {name: parts.document[name] for name in ("labels", "preprocess", "provenance")}
    facts |= {"timesteps": model.timesteps, "weights": writer.weights, "record": list(writer.recorded)}
    helper.set_model_props(made, {"snncore": json.dumps(facts)})
    if made.ByteSize() > LARGEST:
        raise Error("to_onnx: the file would have more than 2 GiB, which ONNX cannot hold")
    if path is not None:
        write_atomically(path, made.SerializeToString(deterministic=True))
    return made


def _steps(model: Model, timesteps: int | None) -> int:
    if timesteps is None:
        return model.timesteps
    if any("T" in port.layout for port in model.inputs):
        raise ValueError("to_onnx: timesteps is for inputs without T; here the input's first axis tells it")
    if not 1 <= timesteps <= MOST_STEPS:
        raise ValueError(f"to_onnx: expected timesteps of 1 to {MOST_STEPS}, received {timesteps}")
    return timesteps


def _recorded(nodes: list[dict[str, Any]], record: Iterable[str]) -> dict[str, str]:
    """Give the edges of the layers to record, by name."""
    edges = {node["name"]: node["outputs"][0] for node in nodes if node["op"] != "readout"}
    wanted = [record] if isinstance(record, str) else sorted(set(record))
    unknown = [name for name in wanted if name not in edges]
    if unknown:
        raise ValueError(f"to_onnx: record: there is no layer '{unknown[0]}' with a value for each step")
    return {name: edges[name] for name in wanted}
