"""Which operation each layer and function of PyTorch is, and with what options. Needs torch."""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from snncore.reference import (
    IF,
    LIF,
    ChannelMap,
    Conv2d,
    Count,
    Coupling,
    HeadMean,
    HeadSums,
    Linear,
    MapProduct,
    MapScores,
    Mask,
    QuantizedLIF,
    Saccade,
    StepGain,
)
from snncore.reference.saccades import JOINT

from .calls import Shape, Unsupported

RECTIFIERS: set[Any] = {nn.ReLU, nn.ReLU6, F.relu, torch.relu, "relu", "relu_"}
DOES_NOT_SPIKE = (
    "an activation that does not spike: train with a spiking neuron in its place, or let snncore.convert_ann "
    "turn nn.ReLU modules into integrate-and-fire neurons"
)
ADD: set[Any] = {operator.add, operator.iadd, torch.add, "add", "add_"}
RESHAPE: set[Any] = {torch.flatten, torch.reshape, "flatten", "reshape", "view", "unflatten"}
#: Kinds of calls that go through time. What they give is spikes, whatever reached them.
TEMPORAL = ("lif", "neuron", "psn", "saccade")
#: Of which the second axis is that of the channels, whatever the first ones are.
NORMALISERS: set[Any] = {nn.BatchNorm1d, nn.BatchNorm2d}
DROPOUTS: set[Any] = {F.dropout, F.dropout2d}
KEEP: set[Any] = {*DROPOUTS, "contiguous", "float", "clone", "detach"}
REDUCE: dict[Any, str] = {torch.mean: "mean", "mean": "mean", torch.sum: "sum", "sum": "sum"}
POOLS: dict[Any, Callable[..., nn.Module]] = {
    F.max_pool2d: lambda *a, **k: nn.MaxPool2d(*a[:4], **k),
    F.avg_pool2d: nn.AvgPool2d,
    F.adaptive_avg_pool2d: nn.AdaptiveAvgPool2d,
    F.adaptive_max_pool2d: nn.AdaptiveMaxPool2d,
}


def _pair(value: Any) -> list[int]:
    return [int(value), int(value)] if isinstance(value, int) else [int(v) for v in value]


def _conv(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    if module.padding_mode != "zeros":
        raise Unsupported(f"padding_mode must be 'zeros', is {module.padding_mode!r}")
    kernel, dilation = _pair(module.kernel_size), _pair(module.dilation)
    if module.padding == "same":  # torch puts the odd one at the end
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        padding = [total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2]
    else:
        rows, columns = (0, 0) if module.padding == "valid" else _pair(module.padding)
        padding = [rows, rows, columns, columns]
    stride = _pair(module.stride)
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": module.groups}


def _window(module: Any, features: Shape) -> dict[str, Any]:
    kernel, padding = _pair(module.kernel_size), _pair(module.padding)
    stride = _pair(module.stride or module.kernel_size)
    rest = [(n + 2 * p - k) % s for n, k, s, p in zip(features[1:], kernel, stride, padding, strict=True)]
    if module.ceil_mode and any(rest):
        raise Unsupported("ceil_mode=True would add a window that is not full")
    return {"kernel": kernel, "stride": stride, "padding": padding}


def _max_pool(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    if _pair(module.dilation) != [1, 1] or module.return_indices:
        raise Unsupported("needs dilation=1 and return_indices=False")
    return _window(module, features)


def _avg_pool(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    options = _window(module, features)
    if any(options["padding"]) and not module.count_include_pad:
        raise Unsupported("count_include_pad=False with padding divides by different counts at the border")
    if module.divisor_override not in (None, prod(options["kernel"])):
        raise Unsupported("divisor_override is not the size of the window")
    return options


def _adaptive(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    if any(n % m for n, m in zip(features[1:], after[-2:], strict=True)):
        raise Unsupported(f"{list(features[1:])} does not divide evenly into {list(after[-2:])}")
    kernel = [n // m for n, m in zip(features[1:], after[-2:], strict=True)]
    return {"kernel": kernel, "stride": kernel, "padding": [0, 0]}


def _membrane(module: Any, features: Shape, after: Shape) -> dict[str, Any]:
    """Options of an integer neuron whose store is that of the module."""
    membrane = module.membrane
    if membrane.form == "tanh":
        if membrane.alpha is None:
            raise Unsupported(
                "a dynamic alpha depends on the other samples of a batch: fix it with calibrate_membranes, "
                "or set 1, and train a few epochs more"
            )
        return {"state": f"i{membrane.bits}", "quantiser": "tanh", "alpha": membrane.alpha}
    # An i8 state holds -127..127, so 127 units are the threshold; narrower ones hold codes of finer units.
    return {"state": f"i{membrane.bits}", "theta0": 127 if membrane.bits == 8 else 4096}


def _saccade(module: Saccade, features: Shape, after: Shape) -> dict[str, Any]:
    mix, threshold = module.tables(features[-2] * features[-1])
    return {"mode": module.mode, "mix": mix if module.mode in JOINT else None, "threshold": threshold}


# Exact types: a subclass may compute something else.
KINDS: dict[type[Any], str] = {
    nn.Conv2d: "conv2d",
    Conv2d: "conv2d",
    nn.Conv1d: "pointwise",
    nn.Linear: "linear",
    ChannelMap: "conv2d",
    Linear: "linear",
    nn.BatchNorm1d: "batch_norm",
    nn.BatchNorm2d: "batch_norm",
    LIF: "lif",
    IF: "lif",
    QuantizedLIF: "lif",
    Saccade: "saccade",
    HeadSums: "attention",
    Count: "count",
    MapScores: "map_scores",
    MapProduct: "map_product",
    StepGain: "step_gain",
    Mask: "mask",
    Coupling: "couple",
    HeadMean: "head_mean",
    nn.MaxPool2d: "maxpool2d",
    nn.AdaptiveMaxPool2d: "maxpool2d",
    nn.AvgPool2d: "avgpool2d",
    nn.AdaptiveAvgPool2d: "avgpool2d",
    nn.Flatten: "flatten",
    nn.Unflatten: "flatten",
    nn.Identity: "drop",
    nn.Dropout: "drop",
    nn.Dropout1d: "drop",
    nn.Dropout2d: "drop",
    nn.AlphaDropout: "drop",
    nn.FeatureAlphaDropout: "drop",
}
OPTIONS: dict[type[Any], Callable[[Any, Shape, Shape], dict[str, Any]]] = {
    nn.Conv2d: _conv,
    Conv2d: _conv,
    QuantizedLIF: _membrane,
    Saccade: _saccade,
    HeadSums: lambda module, *_: {"heads": module.heads},
    HeadMean: lambda module, features, after: {"width": after[-1]},
    Count: lambda module, *_: {"over": module.over, "heads": module.heads},
    MapScores: lambda module, *_: {"variant": module.variant, "heads": module.heads},
    MapProduct: lambda module, *_: {"variant": module.variant, "heads": module.heads},
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _avg_pool,
    nn.AdaptiveMaxPool2d: _adaptive,
    nn.AdaptiveAvgPool2d: _adaptive,
}


def pointwise(conv: Any, of_tokens: bool) -> nn.Conv2d:
    """Write a one-dimensional convolution of kernel 1 as the two-dimensional one of the tokens' image."""
    if not of_tokens:
        raise Unsupported("reads the tokens of an image: [T, N, C, H, W] with the last two axes flattened")
    if (conv.kernel_size, conv.stride, conv.dilation) != ((1,), (1,), (1,)) or conv.padding not in (
        (0,),
        "valid",
        "same",
    ):
        raise Unsupported(
            "only kernel_size=1, stride=1 and no padding, since tokens stand in rows and columns"
        )
    layer = nn.Conv2d(conv.in_channels, conv.out_channels, 1, groups=conv.groups, bias=conv.bias is not None)
    layer.weight = nn.Parameter(conv.weight.detach().unsqueeze(-1), requires_grad=False)
    if conv.bias is not None:
        layer.bias = nn.Parameter(conv.bias.detach(), requires_grad=False)
    return layer
