"""onnxruntime: one convolution or matrix product in float32 and int8."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, MissingError, Subject

try:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as problem:
    raise MissingError("onnxruntime or onnx is not installed") from problem

Array = NDArray[Any]

ZERO = 128
OPSET = 17


def graph_call(nodes: list[Any], constants: dict[str, Array], inputs: dict[str, Array], threads: int) -> Call:
    """Run a graph of `nodes` whose last one writes "y"."""
    types = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.uint8): TensorProto.UINT8}
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info(name, types[x.dtype], x.shape) for name, x in inputs.items()],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(None, inputs)[0]


def conv_subjects(x: Array, w: Array, sums: Array, int8: bool = True) -> list[Subject]:
    """As `torch_ops.conv_subjects`."""
    images = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    expected = sums.transpose(0, 3, 1, 2)
    attributes: dict[str, Any] = {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}

    def plain(threads: int) -> Call:
        node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
        return graph_call([node], {"w": w.astype(np.float32)}, {"x": images.astype(np.float32)}, threads)

    def quantised(threads: int) -> Call:
        names = ["x", "one", "zero", "w", "one", "signed_zero", "one", "middle"]
        constants = {
            "w": w.astype(np.int8),
            "one": np.float32(1).reshape(()),
            "zero": np.uint8(0).reshape(()),
            "signed_zero": np.int8(0).reshape(()),
            "middle": np.uint8(ZERO).reshape(()),
        }
        node = helper.make_node("QLinearConv", names, ["y"], **attributes)
        return graph_call([node], constants, {"x": images}, threads)

    subjects = [Subject("onnxruntime-f32", plain, _equals(expected))]
    if int8:
        subjects.append(Subject("onnxruntime-int8", quantised, _equals(np.clip(expected + ZERO, 0, 255))))
    return subjects


def linear_subjects(x: Array, w: Array, sums: Array, int8: bool = True) -> list[Subject]:
    """As `torch_ops.linear_subjects`; int8 gives exact int32 sums."""
    weight = np.ascontiguousarray(w.T)

    def plain(threads: int) -> Call:
        node = helper.make_node("MatMul", ["x", "w"], ["y"])
        return graph_call([node], {"w": weight.astype(np.float32)}, {"x": x.astype(np.float32)}, threads)

    def quantised(threads: int) -> Call:
        node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
        return graph_call([node], {"w": weight.astype(np.int8)}, {"x": x}, threads)

    subjects = [Subject("onnxruntime-f32", plain, _equals(sums))]
    if int8:
        subjects.append(Subject("onnxruntime-int8", quantised, _equals(sums)))
    return subjects


def _equals(expected: Array) -> Callable[[Array], bool]:
    return lambda y: bool(np.array_equal(y, expected))
