"""W8: the layers of W1 and W3 with float32 weights on spikes, as a model has them right after import.

Weights are multiples of 1/64, so that float32 sums are exact in any order and results can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness import Case, Options, Subject
from peer_runners import ours, subjects
from workloads import conv, linear
from workloads.data import STEPS, conv_sums, lif_spikes, spikes


def cases(name: str, options: Options) -> Iterator[Case]:
    for density in options.densities:
        yield Case(name, "conv", density, _conv(density, options))
        yield Case(name, "linear", density, _linear(density, options))


def _weights(shape: tuple[int, ...]) -> np.ndarray:
    return (np.random.default_rng(1).integers(-64, 65, shape) / 64).astype(np.float32)


def _theta(sums: np.ndarray) -> float:
    return max(1.0, round(float(sums.std())))


def _conv(density: int, options: Options) -> list[Subject]:
    channels, side = conv.QUICK if options.quick else conv.SIZES["W1"]
    x = spikes((STEPS, side, side, channels), density)
    values = _weights((channels, channels, 3, 3))
    sums = conv_sums(x, values)
    model = ours.layer_model("conv2d", [channels, side, side], {"weight": values}, _theta(sums), STEPS)
    fired = lif_spikes(sums, _theta(sums), floor=False)
    found = ours.packed_subjects(model, x[:, np.newaxis], "TNHWC", fired)
    for module in ("torch_ops", "onnx_ops"):
        found += subjects(module, "conv_subjects", x, values, sums, int8=False)
    return found


def _linear(density: int, options: Options) -> list[Subject]:
    inputs, outputs = linear.QUICK if options.quick else linear.SIZE
    x = spikes((STEPS, options.tokens, inputs), density)
    values = _weights((outputs, inputs))
    rows = x.reshape(-1, inputs)
    sums = rows.astype(np.float32) @ values.T
    model = ours.layer_model("linear", [inputs], {"weight": values}, _theta(sums), STEPS)
    fired = lif_spikes(sums.reshape(STEPS, options.tokens, outputs), _theta(sums), floor=False)
    found = ours.packed_subjects(model, x, "TNC", fired)
    for module in ("torch_ops", "onnx_ops"):
        found += subjects(module, "linear_subjects", rows, values, sums, int8=False)
    return found
