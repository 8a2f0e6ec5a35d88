"""Checkpoints of the authors of QP-SNN and Q-SNN: their names for parameters, read into our networks.

Their modules wrap a convolution and a batch normalisation to run them over time, and register some of them
twice, so that one tensor has several names. `_ALIASES` brings all of them to the shortest; what then is left,
by architecture (i counts convolutions *and* pools, s stages, b blocks)::

    QP-SNN  vgg16, vggsnn   features.convbn{i}.layer.module.weight (bias: the first), .bn.bn.*;
                            classifier.linear1.module.weight, .bias
            resnet20        conv1.weight, bn1.bn.*; layer{s}.{b}.conv1.weight, .bn1.bn.*, .conv2, .bn2;
                            fc.module.weight, .bias
    Q-SNN   resnet19        as resnet20, and layer{s}.0.downsample.layer.module.weight, .downsample.bn.bn.*;
                            fc.ops.weight, .bias

`clip_val` and `zero` of a QP-SNN layer are constants of its formula and not read. How many bits a layer has
is not in a checkpoint: the caller's `scheme` says it. Names and behaviour are those of the public code that
the papers (arXiv 2502.05905, 2406.13672) come with; none of it is copied.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from .network import Network
from .networks import Scheme, q_snn, qp_snn, resnet19, resnet20, vgg16, vggsnn
from .networks.vgg16 import PLAN as VGG16
from .networks.vggsnn import PLAN as VGGSNN

State = Mapping[str, Any]
Shapes = Mapping[str, tuple[int, ...]]

#: Another name of the same tensor, and the name that we look for.
_ALIASES = (
    (re.compile(r"\.seqbn\.module\."), ".bn."),
    (re.compile(r"(^|\.)conv(\d)_s\.layer\.module\."), r"\1conv\2."),
    (re.compile(r"(^|\.)conv(\d)_s\.bn\."), r"\1bn\2."),
)
_CONSTANTS = ("clip_val", "zero")
_NAMED = 4  # how many names an error lists


def load_qp_snn(
    state: State,
    architecture: Literal["vgg16", "vggsnn", "resnet20"],
    *,
    scheme: Scheme | None = None,
    **options: Any,
) -> Network:
    """Make a network from a QP-SNN state dict, pruned or not: widths and classes come from the shapes.

    Parameters
    ----------
    state
        What ``torch.load(path, weights_only=True)`` gives: the state dict, or a mapping that holds it under
        "state_dict".
    architecture
        Which of the authors' networks it is of.
    scheme
        What is quantised; default: `qp_snn` with 4 bits.
    options
        Passed to the network: `timesteps`, `preprocess`, `labels`.

    Raises
    ------
    ValueError
        Names that are missing or left over, or a shape that does not fit; the message lists them.
    """
    return _load("load_qp_snn", state, architecture, scheme or qp_snn(4), options)


def load_q_snn(state: State, *, scheme: Scheme | None = None, **options: Any) -> Network:
    """Make ResNet-19 from a Q-SNN state dict: widths and classes come from the shapes.

    The authors scale 8-bit layers by the largest weight, not by the largest magnitude as we do. The two agree
    unless the most negative weight is larger in magnitude; then their codes would not fit 8 bits, the layer
    is quantised anew, and a warning names it.

    Parameters
    ----------
    state
        As for `load_qp_snn`.
    scheme
        What is quantised; default: `q_snn` of 8-bit membranes as published, tanh with a dynamic alpha, which
        trains and evaluates here; the engine needs form "linear".
    options
        Passed to `resnet19`.

    Raises
    ------
    ValueError
        As for `load_qp_snn`.
    """
    chosen = scheme or q_snn(8, form="tanh", alpha=None)
    net = _load("load_q_snn", state, "resnet19", chosen, options)
    if chosen.ends is not None:
        _warn_of_other_codes(net)
    return net


@dataclass(frozen=True)
class _Layout:
    """One architecture: our network, their name of one of its parameters, its widths in their shapes."""

    build: Callable[..., Network]
    theirs: Callable[[str], str]
    widths: Callable[[Shapes], dict[str, Any]]
    classifier: str


def _warn_of_other_codes(net: Network) -> None:
    for name in ("conv", "fc"):
        weight: Any = net.layers.get_submodule(name).weight
        low, high = weight.min().item(), weight.max().item()
        if -low > high:
            warnings.warn(
                f"load_q_snn: '{name}' has weights of {low:.3g} to {high:.3g}, which the authors' scale "
                "gives codes below -127; it is scaled by the largest magnitude instead",
                stacklevel=3,
            )


def _load(caller: str, state: State, architecture: str, scheme: Scheme, options: dict[str, Any]) -> Network:
    layout = _LAYOUTS.get(architecture)
    if layout is None:
        raise ValueError(f"{caller}: architecture must be one of {', '.join(_LAYOUTS)}, got {architecture!r}")
    found = tensors_of(caller, state)
    with torch.device("meta"):
        expected = {layout.theirs(name) for name in layout.build().state_dict()}
    check_names(caller, expected, set(found))
    shapes = {name: tuple(values.shape) for name, values in found.items()}
    for name, shape in shapes.items():
        if len(shape) != _rank(name) or 0 in shape:
            axes = f"{_rank(name)} axes of 1 or more"
            raise ValueError(f"{caller}: '{name}' must have {axes}, has shape {list(shape)}")
    classes = shapes[f"{layout.classifier}.weight"][0]
    widths = layout.widths(shapes)
    with torch.device("meta"):  # before anything is as large as the shapes say together
        plan = layout.build(classes, scheme=scheme, **widths, **options)
    ours = {name: found[layout.theirs(name)] for name in plan.state_dict()}
    check_shapes(caller, plan, ours, layout.theirs)
    net = layout.build(classes, scheme=scheme, **widths, **options)
    net.load_state_dict(ours)
    return net.eval()


def tensors_of(caller: str, state: State) -> dict[str, Tensor]:
    """Give the tensors of a state dict, or of a mapping that holds one, under their shortest names."""
    inner = state.get("state_dict", state) if isinstance(state, Mapping) else None
    if not isinstance(inner, Mapping) or not all(isinstance(v, Tensor) for v in inner.values()):
        raise ValueError(f"{caller}: expected a mapping from names to tensors, received {_kind_of(state)}")
    found: dict[str, Tensor] = {}
    for name, values in inner.items():
        short = str(name).removeprefix("module.")  # of a network that was trained on several devices
        for pattern, replacement in _ALIASES:
            short = pattern.sub(replacement, short)
        if short.rpartition(".")[2] in _CONSTANTS:
            continue
        if short in found and not torch.equal(found[short], values):
            raise ValueError(f"{caller}: '{name}' should equal '{short}', which is the same parameter")
        found[short] = values
    return found


def _kind_of(state: Any) -> str:
    if not isinstance(state, Mapping):
        return type(state).__name__
    return "a mapping with " + ", ".join(sorted({type(v).__name__ for v in state.values()}))


def check_names(caller: str, expected: set[str], found: set[str]) -> None:
    """Refuse names that are missing or left over."""
    missing, left = sorted(expected - found), sorted(found - expected)
    if missing or left:
        parts = [
            f"{len(names)} {what} ({', '.join(names[:_NAMED])}{', ...' if len(names) > _NAMED else ''})"
            for what, names in (("missing", missing), ("left over", left))
            if names
        ]
        raise ValueError(f"{caller}: the names are not those of this architecture: {'; '.join(parts)}")


def _rank(name: str) -> int:
    role = name.rpartition(".")[2]
    if role == "num_batches_tracked":
        return 0
    if role != "weight" or ".bn." in name:
        return 1
    return 2 if name.startswith(("fc.", "classifier.")) else 4


def check_shapes(caller: str, net: Network, ours: Mapping[str, Tensor], theirs: Callable[[str], str]) -> None:
    """Refuse tensors that are not of the shapes of `net`; `theirs` says how a message calls one."""
    wrong = [
        f"'{theirs(name)}' must be {list(values.shape)}, is {list(ours[name].shape)}"
        for name, values in net.state_dict().items()
        if values.shape != ours[name].shape
    ]
    if wrong:
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise ValueError(f"{caller}: shapes do not fit each other: {'; '.join(wrong[:_NAMED])}{more}")


def _vgg(plan: tuple[int | str, ...]) -> tuple[Callable[[str], str], Callable[[Shapes], dict[str, Any]]]:
    at = [i for i, entry in enumerate(plan) if isinstance(entry, int)]
    halvings = len(plan) - len(at) + 1

    def theirs(name: str) -> str:
        layer, role = name.removeprefix("layers.").split(".")
        if layer == "fc":
            return f"classifier.linear1.module.{role}"
        kind, number = (layer[:4], layer[4:]) if layer.startswith("conv") else (layer[:2], layer[2:])
        part = "layer.module" if kind == "conv" else "bn.bn"
        return f"features.convbn{at[int(number) - 1]}.{part}.{role}"

    def widths(shapes: Shapes) -> dict[str, Any]:
        channels = [shapes[f"features.convbn{i}.layer.module.weight"][0] for i in at]
        columns = shapes["classifier.linear1.module.weight"][1]
        side = max(1, math.isqrt(columns // channels[-1])) if channels[-1] else 1
        return {"channels": channels, "size": side * 2**halvings}

    return theirs, widths


def _resnet(classifier: str) -> Callable[[str], str]:
    def theirs(name: str) -> str:
        parts = name.removeprefix("layers.").split(".")
        layer, role = parts[0], parts[-1]
        if layer == "fc":
            return f"{classifier}.{role}"
        if len(parts) == 2:  # the stem
            return f"conv1.{role}" if layer == "conv" else f"bn1.bn.{role}"
        stage, block = layer.removeprefix("block").split("_")
        before = f"layer{stage}.{int(block) - 1}"
        _, row, part, _ = parts
        if row == "shortcut":
            return f"{before}.downsample.{'layer.module' if part == 'conv' else 'bn.bn'}.{role}"
        return f"{before}.{part}.{role}" if part.startswith("conv") else f"{before}.{part}.bn.{role}"

    return theirs


def _resnet20_widths(shapes: Shapes) -> dict[str, Any]:
    stages = [shapes[f"layer{s}.0.conv2.weight"][0] for s in (1, 2, 3)]
    inner = [shapes[f"layer{s}.{b}.conv1.weight"][0] for s in (1, 2, 3) for b in range(3)]
    return {"channels": ([shapes["conv1.weight"][0], *stages], inner)}


def _resnet19_widths(shapes: Shapes) -> dict[str, Any]:
    return {"channels": [shapes[f"layer{s}.0.conv2.weight"][0] for s in (1, 2, 3)]}


_LAYOUTS: dict[str, _Layout] = {
    "vgg16": _Layout(vgg16, *_vgg(VGG16), "classifier.linear1.module"),
    "vggsnn": _Layout(vggsnn, *_vgg(VGGSNN), "classifier.linear1.module"),
    "resnet20": _Layout(resnet20, _resnet("fc.module"), _resnet20_widths, "fc.module"),
    "resnet19": _Layout(resnet19, _resnet("fc.ops"), _resnet19_widths, "fc.ops"),
}
