"""The blocks of a .net file, as lava-dl 0.6 writes them and its `netx` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from snncore import Error, FormatError

from ..hdf5 import Tree
from .fields import Fields, Integers

KINDS = ("input", "dense", "dense_rec", "conv", "pool", "flatten", "average")
_NEURONS = ("CUBA", "LOIHI")
#: What a membrane never reaches: it stays below 2^23.
_NEVER = 1 << 23
_MOST_DELAY = 62


@dataclass(frozen=True)
class Cuba:
    """What `cuba_lif` takes: decays of 4096 that stay, thresholds int32 [C] or [1]."""

    current_decay: int
    decay: int
    theta: Integers


#: A dense block without neuron integrates without leak and never fires.
INTEGRATOR = Cuba(4096, 0, np.array([_NEVER], np.int32))


@dataclass(frozen=True)
class Window:
    """How a kernel is moved; (vertical, horizontal)."""

    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class Block:
    """One block. `shape` is that of its output, [C, H, W] or [F]; arrays are whole numbers."""

    label: str
    name: str
    kind: str
    shape: tuple[int, ...] = ()
    neuron: Cuba | None = None
    weight: Integers | None = None  #: [C, F]; [C, C_in / groups, kh, kw]; pool [kh, kw]
    weight_rec: Integers | None = None  #: [C, C]
    bias: Integers | None = None  #: mantissas, [C], [1] or the shape
    delay: Integers | None = None  #: steps; [], [C], [F] or that of the weight
    window: Window = Window()


def blocks_of(layers: Tree, source: str) -> list[Block]:
    """Read and check every block.

    Raises
    ------
    snncore.FormatError
        Values that a block cannot have.
    snncore.Error
        Blocks without counterpart, all of them in one message.
    """
    keys = [str(i) for i in range(len(layers))]
    if not keys or set(layers) != set(keys) or not all(isinstance(layers[k], dict) for k in keys):
        raise FormatError(f"'{source}': expected blocks '0', '1' ... in the group 'layer'")
    blocks, problems = [], []
    for key in keys:
        kind = Fields(layers[key], f"block {key}").text("type")
        fields = Fields(layers[key], f"block {key} ({kind})")
        found = _problems(fields, kind)
        problems += [f"{fields.label}: {why}" for why in found]
        if not found:
            blocks.append(_READERS[kind](fields, kind, f"{kind}{key}"))
    if problems:
        raise Error("from_lava_dl: these have no counterpart: " + "; ".join(problems))
    return blocks


def _problems(fields: Fields, kind: str) -> list[str]:
    """Say all that keeps a block from being converted."""
    if kind not in KINDS:
        return ["unknown to snncore"]
    found = []
    if isinstance(fields.tree.get("weight"), dict):
        found.append("complex weights")
    if "delay" in fields and kind == "dense_rec":
        found.append("delays of a recurrent block, which Lava cannot run either")
    if "delay" in fields and "bias" in fields and kind == "conv":
        found.append("delays together with a bias: Lava leaves such delays out")
    return found + (_neuron_problems(fields.inside("neuron")) if "neuron" in fields else [])


def _neuron_problems(neuron: Fields) -> list[str]:
    kind = neuron.text("type")
    if kind not in _NEURONS:
        return [f"neuron '{kind}'; expected one of {', '.join(_NEURONS)}"]
    refused = {
        "gradedSpike": (0, "graded spikes"),
        "messageBits": (0, "spikes that carry a value (messageBits)"),
        "refDelay": (1, "a refractory time (refDelay other than 1)"),
        "wgtExp": (0, "a weight exponent (wgtExp)"),
        "weight_exp": (0, "a weight exponent (weight_exp)"),
    }
    found = [
        why
        for key, (plain, why) in refused.items()
        if key in neuron and (neuron.integers(key, -(2**30), 2**30) != plain).any()
    ]
    differ = [k for k in ("iDecay", "vDecay") if np.unique(neuron.integers(k, 0, 4096)).size > 1]
    return found + [f"values of {key} that differ from neuron to neuron" for key in differ]


def _neuron(fields: Fields, channels: int) -> Cuba | None:
    if "neuron" not in fields:
        return None
    neuron = fields.inside("neuron")
    mantissa = neuron.integers("vThMant", 0, (1 << 24) - 1).ravel()
    _check_size(fields, "vThMant", mantissa, {1, channels})
    return Cuba(
        current_decay=4096 - neuron.whole("iDecay", 0, 4096),
        decay=4096 - neuron.whole("vDecay", 0, 4096),
        theta=np.minimum((mantissa << 6) + 1, _NEVER).astype(np.int32),
    )


def _bias(fields: Fields, sizes: set[int]) -> Integers | None:
    if "bias" not in fields:
        return None
    bias = fields.integers("bias", -(1 << 17), 1 << 17).ravel()
    _check_size(fields, "bias", bias, sizes)
    return bias


def _check_size(fields: Fields, key: str, values: Integers, sizes: set[int]) -> None:
    if values.size not in sizes:
        wanted = " or ".join(map(str, sorted(sizes)))
        raise FormatError(f"{fields.label}: expected {wanted} values for '{key}', received {values.size}")


def _input(fields: Fields, kind: str, name: str) -> Block:
    shape = fields.shape("shape")
    if len(shape) not in (1, 3):
        raise FormatError(f"{fields.label}: expected a shape [F] or [C, H, W], received {list(shape)}")
    return Block(fields.label, name, kind, shape, _neuron(fields, shape[0]))


def _dense(fields: Fields, kind: str, name: str) -> Block:
    channels = prod(fields.shape("shape"))
    weight = _matrix(fields, "weight", channels)
    back = _matrix(fields, "weight_rec", channels) if kind == "dense_rec" else None
    if back is not None and back.shape != (channels, channels):
        raise FormatError(
            f"{fields.label}: expected 'weight_rec' of shape [{channels}, {channels}], received "
            f"{list(back.shape)}"
        )
    delay = _delay(fields)
    if delay is not None and delay.size not in {1, *weight.shape} and delay.shape != weight.shape:
        raise FormatError(
            f"{fields.label}: a delay of shape {list(delay.shape)} does not go with weights of shape "
            f"{list(weight.shape)}"
        )
    return Block(
        fields.label, name, kind, (channels,), _neuron(fields, channels) or INTEGRATOR, weight, back,
        bias=_bias(fields, {1, channels}), delay=delay,
    )  # fmt: skip


def _matrix(fields: Fields, key: str, rows: int) -> Integers:
    weight = fields.integers(key, -256, 255)
    if weight.size % rows or (weight.ndim > 1 and weight.shape[0] != rows):
        raise FormatError(
            f"{fields.label}: expected {rows} rows in '{key}', received shape {list(weight.shape)}"
        )
    return weight.reshape(rows, -1)


def _delay(fields: Fields) -> Integers | None:
    return np.minimum(fields.integers("delay", 0, 1 << 20), _MOST_DELAY) if "delay" in fields else None


def _conv(fields: Fields, kind: str, name: str) -> Block:
    shape = fields.shape("shape")
    weight = fields.integers("weight", -256, 255)
    weight = weight[..., 0] if weight.ndim == 5 and weight.shape[-1] == 1 else weight
    if weight.ndim != 4 or len(shape) != 3 or weight.shape[0] != shape[0]:
        raise FormatError(
            f"{fields.label}: expected 'weight' of shape [{shape[0]}, C_in, kh, kw] and a 'shape' [C, H, W], "
            f"received {list(weight.shape)} and {list(shape)}"
        )
    delay = _delay(fields)
    if delay is not None:
        _check_size(fields, "delay", delay, {1, shape[0]})
    return Block(
        fields.label, name, kind, shape, _needed(fields, shape[0]), weight,
        bias=_bias(fields, {1, shape[0]}), delay=delay, window=_window(fields, (1, 1)),
    )  # fmt: skip


def _pool(fields: Fields, kind: str, name: str) -> Block:
    shape = fields.shape("shape")
    weight = fields.integers("weight", -256, 255)
    size = fields.pair("kernelSize", 1, 1)
    if len(shape) != 3 or weight.size != prod(size):
        raise FormatError(
            f"{fields.label}: expected 'weight' of the kernelSize {list(size)} and a 'shape' [C, H, W], "
            f"received {list(weight.shape)} and {list(shape)}"
        )
    delay = _delay(fields)
    if delay is not None:
        _check_size(fields, "delay", delay, {1, shape[0]})
    return Block(
        fields.label, name, kind, shape, _needed(fields, shape[0]), weight.reshape(size), delay=delay,
        window=_window(fields, size),
    )  # fmt: skip


def _needed(fields: Fields, channels: int) -> Cuba:
    neuron = _neuron(fields, channels)
    if neuron is None:
        raise FormatError(f"{fields.label}: 'neuron' is missing")
    return neuron


def _window(fields: Fields, stride: tuple[int, int]) -> Window:
    return Window(
        stride=fields.pair("stride", 1, 1) if "stride" in fields else stride,
        padding=fields.pair("padding", 0, 0),
        dilation=fields.pair("dilation", 1, 1),
        groups=fields.whole("groups", 1, 1 << 24) if "groups" in fields else 1,
    )


def _flatten(fields: Fields, kind: str, name: str) -> Block:
    return Block(fields.label, name, kind)


def _average(fields: Fields, kind: str, name: str) -> Block:
    return Block(fields.label, name, kind, (prod(fields.shape("shape")),))


_READERS = {
    "input": _input,
    "dense": _dense,
    "dense_rec": _dense,
    "conv": _conv,
    "pool": _pool,
    "flatten": _flatten,
    "average": _average,
}
