"""Exported files in onnxruntime, beside the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime

import snncore


def session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(proto: onnx.ModelProto, x: Any) -> dict[str, np.ndarray]:
    """All outputs by name; `x` is an array, or one for each input by name."""
    runtime = session(proto)
    names = [i.name for i in runtime.get_inputs()]
    feed = x if isinstance(x, dict) else {names[0]: x}
    return dict(zip([o.name for o in runtime.get_outputs()], runtime.run(None, feed), strict=True))


def same(model: snncore.Model, x: Any, record: list[str] = (), **options: Any) -> onnx.ModelProto:
    """Spikes and outputs of the engine and of onnxruntime are equal; gives the file."""
    proto = snncore.to_onnx(model, record=record, **options)
    onnx.checker.check_model(proto, full_check=True)
    ours, theirs = model.run(x, record=record, **options), run(proto, x)
    outputs = ours.outputs if isinstance(ours.outputs, dict) else {model.outputs[0].name: ours.outputs}
    for name, value in outputs.items():
        np.testing.assert_array_equal(theirs[name], value, err_msg=name)
    for name in record:
        np.testing.assert_array_equal(theirs[name], ours.spikes[name].numpy(), err_msg=name)
    return proto


def fed(port: snncore.Port, x: np.ndarray) -> np.ndarray:
    """What the engine takes in several forms in the one that a file has."""
    if not port.zero_point:
        return x
    z = np.array(port.zero_point).reshape([-1 if axis == "C" else 1 for axis in port.layout])
    if port.dtype == "u8" and x.dtype == np.float32:
        return np.clip(np.floor(x / np.float64(port.scale) + z + 0.5), 0, 255).astype(np.uint8)
    if port.dtype == "f32" and x.dtype == np.uint8:
        return (x.astype(np.int64) - z).astype(np.float32) * np.float32(port.scale)
    return x
