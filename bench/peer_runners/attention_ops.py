"""(Q K^T) V without soft-max, in the faster of its two orders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, Subject, fastest

Array = NDArray[Any]


def torch_subjects(q: Array, k: Array, v: Array, expected: Array) -> list[Subject]:
    from peer_runners.torch_ops import numpy_of, rounded, torch, with_threads

    def subject(peer: str, dtype: torch.dtype, right: Array) -> Subject:
        tensors = [torch.from_numpy(x).to(dtype) for x in (q, k, v)]

        def prepare(threads: int) -> Call:
            return fastest(
                [
                    with_threads(threads, lambda a, b, c: (a @ b.transpose(-1, -2)) @ c, *tensors),
                    with_threads(threads, lambda a, b, c: a @ (b.transpose(-1, -2) @ c), *tensors),
                ]
            )

        return Subject(peer, prepare, lambda y: bool(np.array_equal(numpy_of(y), right)))

    return [
        subject("torch-f32", torch.float32, expected),
        subject("torch-bf16", torch.bfloat16, rounded(expected)),
    ]


def onnx_subjects(q: Array, k: Array, v: Array, expected: Array) -> list[Subject]:
    from peer_runners.onnx_ops import graph_call, helper

    inputs = {name: x.astype(np.float32) for name, x in zip("qkv", (q, k, v), strict=True)}
    turn = helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 1, 2, 4, 3])
    orders = [
        [turn, helper.make_node("MatMul", ["q", "kt"], ["s"]), helper.make_node("MatMul", ["s", "v"], ["y"])],
        [turn, helper.make_node("MatMul", ["kt", "v"], ["s"]), helper.make_node("MatMul", ["q", "s"], ["y"])],
    ]

    def prepare(threads: int) -> Call:
        return fastest([graph_call(nodes, {}, inputs, threads) for nodes in orders])

    return [Subject("onnxruntime-f32", prepare, lambda y: bool(np.array_equal(y, expected)))]
