"""PyTorch: one convolution or matrix product in float32, bfloat16 and int8."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import Call, MissingError, Subject, fastest

try:
    import torch
    import torch.nn.functional as F
except ImportError as problem:
    raise MissingError("torch is not installed") from problem

Array = NDArray[Any]

#: int8 results are stored as bytes, zero at 128, scale 1: what a next int8 layer would read.
ZERO = 128
ENGINES = ("qnnpack",) if platform.machine() in ("aarch64", "arm64") else ("x86", "fbgemm", "onednn")


def with_threads(threads: int, call: Callable[..., Any], *arguments: Any) -> Call:
    """Run `call` in inference mode; torch's number of threads is that of the process."""
    torch.set_num_threads(threads)

    def run() -> Any:
        with torch.inference_mode():
            return call(*arguments)

    return run


def rounded(values: Array) -> Array:
    """Round to bfloat16, to nearest even."""
    return torch.from_numpy(values.astype(np.float32)).bfloat16().float().numpy()


def as_bytes(sums: Array) -> Array:
    return np.clip(sums + ZERO, 0, 255)


def numpy_of(y: torch.Tensor) -> Array:
    array: Array = (y.int_repr() if y.is_quantized else y.float()).numpy()
    return array


def conv_subjects(x: Array, w: Array, sums: Array, int8: bool = True) -> list[Subject]:
    """`x` [T, H, W, C], `w` [K, C, 3, 3], `sums` [T, H, W, K]; one batch of T frames."""
    images = torch.from_numpy(x).float().permute(0, 3, 1, 2)
    weight = torch.from_numpy(w).float()
    expected = sums.transpose(0, 3, 1, 2)

    def plain(dtype: torch.dtype) -> Callable[[int], Call]:
        def prepare(threads: int) -> Call:
            forms = (torch.contiguous_format, torch.channels_last)
            return fastest(
                [
                    with_threads(
                        threads,
                        lambda a, b: F.conv2d(a, b, padding=1),
                        images.to(dtype).contiguous(memory_format=form),
                        weight.to(dtype).contiguous(memory_format=form),
                    )
                    for form in forms
                ]
            )

        return prepare

    def quantised(threads: int) -> Call:
        def call(engine: str) -> Call:
            qx, qw = _quantised(images), _quantised(weight, torch.qint8)
            torch.backends.quantized.engine = engine
            packed = torch.ops.quantized.conv2d_prepack(qw, None, [1, 1], [1, 1], [1, 1], 1)
            qx = qx.contiguous(memory_format=torch.channels_last)
            return with_threads(threads, lambda: torch.ops.quantized.conv2d(qx, packed, 1.0, ZERO))

        return _best_engine(call)

    return _subjects(plain, quantised if int8 else None, expected)


def linear_subjects(x: Array, w: Array, sums: Array, int8: bool = True) -> list[Subject]:
    """`x` [rows, F], `w` [K, F], `sums` [rows, K]."""
    rows, weight = torch.from_numpy(x).float(), torch.from_numpy(w).float()

    def plain(dtype: torch.dtype) -> Callable[[int], Call]:
        return lambda threads: with_threads(threads, F.linear, rows.to(dtype), weight.to(dtype))

    def quantised(threads: int) -> Call:
        def call(engine: str) -> Call:
            qx, qw = _quantised(rows), _quantised(weight, torch.qint8)
            torch.backends.quantized.engine = engine
            packed = torch.ops.quantized.linear_prepack(qw, None)
            return with_threads(threads, lambda: torch.ops.quantized.linear(qx, packed, 1.0, ZERO))

        return _best_engine(call)

    return _subjects(plain, quantised if int8 else None, sums)


def _subjects(
    plain: Callable[[torch.dtype], Callable[[int], Call]],
    quantised: Callable[[int], Call] | None,
    sums: Array,
) -> list[Subject]:
    def equals(expected: Array) -> Callable[[torch.Tensor], bool]:
        return lambda y: bool(np.array_equal(numpy_of(y), expected))

    subjects = [
        Subject("torch-f32", plain(torch.float32), equals(sums)),
        Subject("torch-bf16", plain(torch.bfloat16), equals(rounded(sums))),
    ]
    if quantised is not None:
        subjects.append(Subject("torch-int8", quantised, equals(as_bytes(sums))))
    return subjects


def _quantised(values: torch.Tensor, dtype: torch.dtype = torch.quint8) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, without a replacement for these kernels
        return torch.quantize_per_tensor(values, 1.0, 0, dtype)


def _best_engine(call: Callable[[str], Call]) -> Call:
    calls = []
    for engine in set(ENGINES) & set(torch.backends.quantized.supported_engines):
        try:
            candidate = call(engine)
            candidate()
        except RuntimeError:
            continue  # built in, but not for this CPU
        calls.append(candidate)
    if not calls:
        raise MissingError("this torch has no int8 engine for this CPU")
    return fastest(calls)
