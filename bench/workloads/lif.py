"""W5: LIF neurons, T = 4, alone on integer currents, and behind the convolution of W1 (`lif-fused`).

Currents are multiples of 2^(T-1): halving them T - 1 times is exact, so float32 and int16 fire alike. Behind
W1, `snncore-nolif` is the same convolution that stores its integer sums; there both rows time the engine
alone, without what `Model.run` does around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import snncore
from harness import Call, Case, Options, Subject
from peer_runners import ours, subjects
from snncore import _core
from workloads import conv
from workloads.data import STEPS, conv_sums, lif_spikes, spikes, threshold, weights

NEURONS, CHANNELS = 524_288, 128
THETA = 4000


def cases(name: str, options: Options) -> Iterator[Case]:
    yield Case(name, "lif", None, _alone(options))
    for density in options.densities:
        yield Case(name, "lif-fused", density, _fused(density, options))


def _alone(options: Options) -> list[Subject]:
    neurons = 2048 if options.quick else NEURONS
    rng = np.random.default_rng(0)
    shape = (STEPS, neurons // CHANNELS, CHANNELS)
    unit = 2 ** (STEPS - 1)
    currents = (rng.integers(-6000 // unit, 6000 // unit, shape) * unit).astype(np.int16)
    expected = lif_spikes(currents.astype(np.float32), THETA)
    return [
        _neurons(currents, expected),
        *subjects("lif_ops", "all_subjects", currents, THETA, expected, options.quick),
    ]


def _neurons(currents: np.ndarray, expected: np.ndarray) -> Subject:
    """Take int16 currents to packed spikes; nobody wants the membranes."""

    def prepare(threads: int) -> Call:
        options: Any = {"theta": THETA, "leak": "half_floor", "membranes": False, "threads": threads}
        return lambda: snncore.functional.lif_int(currents, **options)

    return Subject("snncore", prepare, lambda y: bool(np.array_equal(y.numpy(), expected)), "outside")


def _fused(density: int, options: Options) -> list[Subject]:
    channels, side = conv.QUICK if options.quick else conv.SIZES["W1"]
    x = spikes((STEPS, side, side, channels), density)
    values, arguments = weights((channels, channels, 3, 3), "w1")
    sums = conv_sums(x, values)
    theta = threshold(sums)
    model = ours.layer_model("conv2d", [channels, side, side], arguments, theta, STEPS)
    fired = snncore.pack(lif_spikes(sums, theta)).words
    words = snncore.pack(x).words[:, np.newaxis]
    bits = _core.BitTensor.from_words(np.ascontiguousarray(words), [STEPS, 1, side, side, channels])

    def engine(**plan: Any) -> Any:
        def prepare(threads: int) -> Call:
            session = ours.engine_session(model, threads, **plan)

            def call() -> _core.Session:
                session.run([bits])
                return session

            return call

        return prepare

    def right_spikes(session: _core.Session) -> bool:
        return bool(np.array_equal(session.packed_output().words()[:, 0], fired))

    def right_sums(session: _core.Session) -> bool:
        found = dict(session.recordings())["layer.sum"][:, 0]
        return bool(np.array_equal(found, sums.transpose(0, 3, 1, 2)))

    return [
        Subject("snncore", engine(record=[]), right_spikes, "outside"),
        Subject("snncore-nolif", engine(record=["layer.sum"], outputs=False), right_sums),
    ]
