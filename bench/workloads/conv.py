"""W1 and W2: 3 x 3 convolutions on spikes, T = 4, weights of 1, 4 and 8 bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness import Case, Options, Subject
from peer_runners import ours, subjects
from workloads.data import STEPS, conv_sums, lif_spikes, spikes, threshold, weights

SIZES = {"W1": (128, 32), "W2": (256, 16)}
QUICK = (16, 6)
VARIANTS = ("w1", "w4", "w8", "w4-pruned90")


def cases(name: str, options: Options) -> Iterator[Case]:
    for variant in VARIANTS:
        for density in options.densities:
            yield Case(name, variant, density, _subjects(name, variant, density, options))


def _subjects(name: str, variant: str, density: int, options: Options) -> list[Subject]:
    channels, side = QUICK if options.quick else SIZES[name]
    x = spikes((STEPS, side, side, channels), density)
    values, arguments = weights((channels, channels, 3, 3), variant)
    sums = conv_sums(x, values)
    found = _ours(x, arguments, sums)
    if variant == "w4-pruned90":
        dense_values, dense = weights((channels, channels, 3, 3), "w4")
        found.append(_dense(_ours(x, dense, conv_sums(x, dense_values))[0]))
    found += subjects("torch_ops", "conv_subjects", x, values, sums)
    return found + subjects("onnx_ops", "conv_subjects", x, values, sums)


def _ours(x: np.ndarray, arguments: dict, sums: np.ndarray) -> list[Subject]:
    theta = threshold(sums)
    sample = [x.shape[3], *x.shape[1:3]]
    model = ours.layer_model("conv2d", sample, arguments, theta, STEPS)
    return ours.packed_subjects(model, x[:, np.newaxis], "TNHWC", lif_spikes(sums, theta))


def _dense(subject: Subject) -> Subject:
    return Subject("snncore-dense", subject.prepare, subject.equal, subject.packing)
