"""W7: whole networks, a picture in and logits out, T = 4, batch 1, 1-bit weights, 8-bit first layer.

Every scale is a power of two and every bias a multiple of its layer's scale, so float32 is exact and gives
the same logits. The ResNet-20 has 16, 32 and 64 channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

import snncore
from harness import Call, Case, Options, Subject
from peer_runners import subjects
from workloads.data import STEPS

VGG = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")
#: Integer neurons hold 2^(T-1) times a sum, so that halving is exact.
UNIT = 2 ** (STEPS - 1)
ZERO_POINT = 128


@dataclass
class Layer:
    """A convolution or linear layer: weight = values * 2^-shift, bias = offsets * 2^-shift."""

    values: np.ndarray
    offsets: np.ndarray
    shift: int
    stride: int = 1


@dataclass
class Block:
    """Two convolutions and a shortcut: spikes as they are, or a 1 x 1 convolution."""

    first: Layer
    second: Layer
    shortcut: Layer | None


@dataclass
class Network:
    """A stack of layers with a neuron behind each, blocks, and "M" (2 x 2 pooling), then a linear head."""

    head: Layer
    body: list[Layer | Block | str] = field(default_factory=list)
    global_average: bool = False


def cases(name: str, options: Options) -> Iterator[Case]:
    image = np.random.default_rng(5).integers(0, 256, (1, 3, 32, 32), dtype=np.uint8)
    for variant, make in (("vgg16", vgg), ("resnet20", resnet)):
        network = make(8 if options.quick else 1)
        model = build(network)
        found = [_ours(model, image)]
        found += subjects("networks_ops", "torch_subjects", network, image, options.quick)
        reference = {}
        for subject in found:
            subject.equal = _same(reference)
        yield Case(name, variant, None, found)


def _same(reference: dict[str, np.ndarray]):
    """All logits are equal to those of the first subject that ran: ours, held to torch's."""
    return lambda y: bool(np.array_equal(np.asarray(y), reference.setdefault("y", np.asarray(y))))


def _ours(model: snncore.Model, image: np.ndarray) -> Subject:
    def prepare(threads: int) -> Call:
        return lambda: model.run(image, threads=threads)

    return Subject("snncore", prepare, lambda y: True, "outside")


def _layer(rng: np.random.Generator, shape: tuple[int, ...], stride: int = 1) -> Layer:
    signs = rng.integers(0, 2, shape) * 2 - 1
    fan_in = int(np.prod(shape[1:]))
    # A sum of spikes that fire one time in five is about as large as the threshold 1.
    shift = max(0, round(np.log2(np.sqrt(0.2 * fan_in))))
    offsets = rng.integers(-(2**shift) // 4, 2**shift // 4 + 1, shape[0])
    return Layer(signs.astype(np.int8), offsets, shift, stride)


def _first(rng: np.random.Generator, channels: int) -> Layer:
    values = rng.integers(-127, 128, (channels, 3, 3, 3)).astype(np.int8)
    return Layer(values, rng.integers(-(2**13), 2**13, channels), 15)


def vgg(narrower: int) -> Network:
    rng = np.random.default_rng(3)
    widths = [w if isinstance(w, str) else w // narrower for w in VGG]
    body: list[Layer | Block | str] = [_first(rng, int(widths[0]))]
    channels = int(widths[0])
    for width in widths[1:]:
        if isinstance(width, str):
            body.append(width)
        else:
            body.append(_layer(rng, (width, channels, 3, 3)))
            channels = width
    return Network(_layer(rng, (10, channels)), body)


def resnet(narrower: int) -> Network:
    rng = np.random.default_rng(4)
    widths = [16 // min(narrower, 2), 32 // min(narrower, 2), 64 // min(narrower, 2)]
    channels = widths[0]
    body: list[Layer | Block | str] = [_first(rng, channels)]
    for stage, width in enumerate(widths):
        for index in range(3):
            stride = 2 if stage > 0 and index == 0 else 1
            shortcut = None
            if stride > 1:
                shortcut = _layer(rng, (width, channels, 1, 1), stride)
            first = _layer(rng, (width, channels, 3, 3), stride)
            body.append(Block(first, _layer(rng, (width, width, 3, 3)), shortcut))
            channels = width
    return Network(_layer(rng, (10, channels)), body, global_average=True)


def build(network: Network) -> snncore.Model:
    """Make our model; integer neurons hold UNIT * 2^shift for the threshold 1."""
    b = snncore.GraphBuilder()
    x = b.input("image", "u8", [3, 32, 32], zero_point=[ZERO_POINT] * 3, scale=1.0)
    for i, part in enumerate(network.body):
        if isinstance(part, str):
            x = b.maxpool2d(f"pool{i}", x, 2)
        elif isinstance(part, Layer):
            x = _neuron(b, f"lif{i}", [_synapse(b, f"conv{i}", x, part)], [part], i == 0)
        else:
            x = _block(b, i, x, part)
    if network.global_average:
        x = b.avgpool2d("average", x, b.shape(x)[1:])
    x = b.flatten("vector", x)
    head = network.head
    scale = 2.0**-head.shift
    x = b.linear("head", x, _codes(head), encoding="odd", bits=1, scale=scale, bias=head.offsets * scale)
    b.output("logits", b.readout("mean", x))
    return b.build(timesteps=STEPS)


def _codes(layer: Layer) -> np.ndarray:
    return ((layer.values - 1) // 2).astype(np.int8)


def _synapse(b: snncore.GraphBuilder, name: str, x: str, layer: Layer) -> str:
    padding = layer.values.shape[2] // 2
    if layer.values.shape[1] == 3:
        return b.conv2d(name, x, layer.values, encoding="sym", bits=8, scale=1.0, padding=padding)
    return b.conv2d(
        name, x, _codes(layer), encoding="odd", bits=1, scale=1.0, padding=padding, stride=layer.stride
    )


def _neuron(
    b: snncore.GraphBuilder, name: str, inputs: list[str], layers: list[Layer | None], first: bool = False
) -> str:
    """Add sums of layers (None: spikes that count 1), their offsets, and a neuron with threshold 1."""
    channels = b.shape(inputs[0])[0]
    ones = np.ones(channels, np.int32)
    shift = max(layer.shift for layer in layers if layer is not None)
    factors = [ones * UNIT * 2 ** (shift - (0 if layer is None else layer.shift)) for layer in layers]
    offsets = sum(
        (UNIT * 2 ** (shift - layer.shift) * layer.offsets for layer in layers if layer is not None), 0 * ones
    )
    current = b.requant(f"{name}.current", inputs, factors, offsets, 0 * ones)
    state = "i32" if first else "i16"
    return b.lif_int(name, current, theta=ones * UNIT * 2**shift, state=state, leak="half_floor")


def _block(b: snncore.GraphBuilder, i: int, x: str, block: Block) -> str:
    inner = _neuron(b, f"lif{i}a", [_synapse(b, f"conv{i}a", x, block.first)], [block.first])
    second = _synapse(b, f"conv{i}b", inner, block.second)
    other = x if block.shortcut is None else _synapse(b, f"short{i}", x, block.shortcut)
    return _neuron(b, f"lif{i}b", [second, other], [block.second, block.shortcut])
