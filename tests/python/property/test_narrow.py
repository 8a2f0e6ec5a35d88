"""Layers of every small number of channels, where only spikes are kept: the engine against the reference."""

from typing import Any

import numpy as np
import pytest
from nets import codes

import snncore
from snncore.reference.run import run


def network(rng: np.random.Generator, channels: int, height: int, width: int) -> snncore.Model:
    """Pixels, conv 8 bit, lif, max-pool, conv 4 bit, lif, conv 2 bit, lif, linear 4 bit, sum."""
    colours, kernel, more = int(rng.integers(1, 5)), int(rng.integers(1, 5)), int(rng.integers(1, 71))
    b = snncore.GraphBuilder()
    x = b.input("x", "u8", (colours, height, width), zero_point=[7, 99, 255, 0][:colours], scale=1 / 64)
    stem = rng.integers(-127, 128, (channels, colours, kernel, kernel)).astype(np.int8)
    padding = tuple(int(p) for p in rng.integers(0, kernel, 4))
    x = b.conv2d(
        "conv1", x, stem, encoding="sym", bits=8, scale=rng.uniform(2e-3, 6e-3, channels), padding=padding
    )
    x = b.lif("lif1", x, **habit(rng))
    x = b.maxpool2d("pool", x, 2)
    x = b.conv2d(
        "conv2", x, codes(rng, (more, channels, 3, 3), 4), encoding="odd", bits=4, scale=[0.02], padding=1
    )
    x = b.lif("lif2", x, **habit(rng))
    stride = int(rng.integers(1, 3))
    x = b.conv2d(
        "conv3",
        x,
        codes(rng, (channels, more, 3, 3), 2),
        encoding="odd",
        bits=2,
        scale=[0.05],
        padding=1,
        stride=stride,
    )
    x = b.flatten("flat", b.lif("lif3", x, **habit(rng)))
    b.output(
        "y",
        b.readout(
            "sum", b.linear("fc", x, codes(rng, (5, b.shape(x)[0]), 4), encoding="odd", bits=4, scale=[1.0])
        ),
    )
    return b.build(int(rng.integers(1, 6)))


def habit(rng: np.random.Generator) -> dict[str, Any]:
    """Some neuron with an integer membrane."""
    return {
        "reset": ("zero", "subtract")[rng.integers(2)],
        "state": ("i8", "i16")[rng.integers(2)],
        "leak": ("q15", "half_floor")[rng.integers(2)],
        "leak_at_store": bool(rng.integers(2)),
    }


@pytest.mark.parametrize("channels", range(1, 71))
def test_every_number_of_channels(channels: int) -> None:
    rng = np.random.default_rng(channels)
    height, width = (int(n) for n in rng.integers(6, 40, 2))
    model = network(rng, channels, height, width)
    images = rng.integers(0, 256, (2, *model.inputs[0].shape), dtype=np.uint8)
    neurons = ["lif1", "lif2", "lif3"]
    expected = run(model.to_bytes(format_version=1), images, "NCHW", record=neurons)
    for threads in (1, 2):
        got = model.run(images, layout="NCHW", threads=threads, record=neurons)
        for name in neurons:
            np.testing.assert_array_equal(got.spikes[name].numpy(), expected.spikes[name].numpy(), name)
        np.testing.assert_array_equal(got.outputs, expected.outputs["y"].numpy())


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (3, 1), (1, 2)])
@pytest.mark.parametrize("bits", [1, 4])
def test_steps_side_by_side(steps: int, stride: tuple[int, int], bits: int) -> None:
    """Lines of an image may be as far apart as those of tiles whose steps lie side by side."""
    rng = np.random.default_rng(steps)
    for width, kernel, padding in ((4, 1, 0), (8, 5, 0), (6, 3, 1), (12, 7, 0), (16, 3, 1), (10, 6, 0)):
        b = snncore.GraphBuilder()
        x = b.input("x", "b1", (3, 7, width), layout="TNCHW")
        weight = codes(rng, (5, 3, 1, kernel), bits)
        x = b.conv2d(
            "conv", x, weight, encoding="odd", bits=bits, scale=[0.1], stride=stride, padding=(0, padding)
        )
        b.output("y", b.lif("lif", x, **habit(rng)))
        model = b.build(steps)
        spikes = rng.random((steps, 2, 3, 7, width)) < 0.5
        expected = run(model.to_bytes(format_version=1), spikes, "TNCHW").outputs["y"].numpy()
        np.testing.assert_array_equal(model.run(spikes), expected)
