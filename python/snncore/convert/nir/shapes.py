"""The shape of what each node gives in a step of one sample: [F], [C, L] or [C, H, W], as NIR counts axes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Final

import numpy as np

from .graph import NEURONS, SPIKING, Graph, Node, array_of, brief

Shape = tuple[int, ...]

_LARGEST: Final = 2**31 - 1


def shapes_of(graph: Graph) -> dict[str, Shape]:
    """Give the shape of every node's value.

    Raises
    ------
    ValueError
        A shape that does not fit, or that cannot be told; the message names the node.
    """
    before, after = graph.before(), graph.after()
    readers = {name: [graph.nodes[n] for n in names] for name, names in after.items()}
    shapes = {n.name: _input_shape(n, readers[n.name]) for n in graph.nodes.values() if n.kind == "Input"}
    reached = deque(sorted(shapes))
    while reached:
        source = reached.popleft()
        for name in after[source]:
            if name not in shapes:
                shapes[name] = _output_shape(graph.nodes[name], shapes[source], readers[name])
                reached.append(name)
    lost = sorted(set(graph.nodes) - set(shapes))
    if lost:
        raise ValueError(f"{graph.nodes[lost[0]].label}: no way leads there from an Input")
    for name, others in before.items():
        for other in others:
            if shapes[other] != shapes[others[0]]:
                raise ValueError(
                    f"{graph.nodes[name].label}: expected one shape for all that lead there, received "
                    f"{list(shapes[others[0]])} of '{others[0]}' and {list(shapes[other])} of '{other}'"
                )
    return shapes


def integers(node: Node, name: str, count: int) -> tuple[int, ...]:
    """Give a field of one number, or of one for each axis."""
    given = node.fields[name]
    numbers = _whole(given)
    if numbers is None or len(numbers) not in (1, count):
        raise ValueError(f"{node.label}: expected {count} whole numbers for {name}, received {brief(given)}")
    return numbers * count if len(numbers) == 1 else numbers


def _whole(given: Any) -> tuple[int, ...] | None:
    """Give whole numbers that a size can be; None for anything else."""
    array = array_of(given).ravel()
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or (np.abs(array) > _LARGEST).any():
        return None
    return tuple(int(n) for n in array) if (array == np.floor(array)).all() else None


def window(node: Node) -> dict[str, Any]:
    """Give what `GraphBuilder` calls stride, padding (of four sides) and dilation, and the kernel's size."""
    axes = 1 if node.kind == "Conv1d" else 2
    if "weight" in node.values:
        weight = node.values["weight"]
        kernel, dilation = weight.shape[2:], integers(node, "dilation", axes)
        stride = integers(node, "stride", axes)
    else:
        kernel, dilation = integers(node, "kernel_size", axes), (1,) * axes
        stride = kernel if node.fields["stride"] is None else integers(node, "stride", axes)
    padding = _padding(node, axes, kernel, dilation, stride)
    if min(*kernel, *stride, *dilation) < 1 or min(n for sides in padding for n in sides) < 0:
        raise ValueError(f"{node.label}: kernel, stride and dilation must be 1 or more, padding 0 or more")
    lift = (1,) * (2 - axes)
    rows, columns = ((0, 0), padding[0]) if axes == 1 else padding
    return {
        "kernel": lift + tuple(kernel),
        "stride": lift + stride,
        "padding": (*rows, *columns),
        "dilation": lift + dilation,
    }


def _padding(
    node: Node, axes: int, kernel: Sequence[int], dilation: Sequence[int], stride: Sequence[int]
) -> list[tuple[int, int]]:
    given = node.fields["padding"]
    if not isinstance(given, str):
        return [(n, n) for n in integers(node, "padding", axes)]
    if given == "valid":
        return [(0, 0)] * axes
    if given != "same" or any(n != 1 for n in stride):
        raise ValueError(
            f"{node.label}: expected padding 'valid', numbers, or 'same' with stride 1, received "
            f"{brief(given)} with stride {list(stride)}"
        )
    spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return [(span // 2, span - span // 2) for span in spans]


def flattened(node: Node, shape: Shape, readers: Sequence[Node]) -> Shape:
    """Give the shape behind a Flatten. NIR has no batch axis: `start_dim` 0 is the first of `shape`."""
    start, end = (integers(node, name, 1)[0] for name in ("start_dim", "end_dim"))
    first, last = (n + len(shape) if n < 0 else n for n in (start, end))
    if not 0 <= first <= last < len(shape):
        raise ValueError(f"{node.label}: no axes {start} to {end} in {list(shape)}")
    whole = prod(shape)
    takes = {r.values["weight"].shape[-1] for r in readers if r.kind in ("Linear", "Affine")}
    if takes == {whole}:  # some exporters count a batch axis; what reads the vector leaves no doubt
        return (whole,)
    return (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :])


def _input_shape(node: Node, readers: Sequence[Node]) -> Shape:
    wanted = next(filter(None, map(_wanted, readers)), ())
    shape = _declared(node) or wanted
    if [n for n in shape if n != 1] == [
        n for n in wanted if n != 1
    ]:  # axes of one element come and go between exporters
        shape = wanted
    if not 1 <= len(shape) <= 3 or min(shape) < 1:
        raise ValueError(
            f"{node.label}: expected shape [F], [C, L] or [C, H, W], received "
            f"{list(shape) if shape else 'none, and what reads it does not tell'}"
        )
    return shape


def _declared(node: Node) -> Shape:
    given = node.fields["shape"]
    shape = () if given is None else _whole(given)
    if shape is None:
        raise ValueError(f"{node.label}: expected whole numbers for shape, received {brief(given)}")
    return shape


def _wanted(node: Node) -> Shape:
    """Tell from a node's own values what shape it reads; () where they do not tell."""
    if node.kind in ("Linear", "Affine"):
        return node.values["weight"].shape[-1:]
    if node.kind in ("Conv1d", "Conv2d") and node.fields["input_shape"] is not None:
        channels = node.values["weight"].shape[1] * integers(node, "groups", 1)[0]
        return (channels, *integers(node, "input_shape", 2 if node.kind == "Conv2d" else 1))
    if node.kind in NEURONS or node.kind in ("Scale", "Threshold"):
        return max((v.shape for v in node.values.values()), key=prod, default=())
    return ()


def _output_shape(node: Node, shape: Shape, readers: Sequence[Node]) -> Shape:
    if node.kind in ("Linear", "Affine"):
        return _linear(node, shape)
    if node.kind in ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d"):
        return _sliding(node, shape)
    if node.kind == "Flatten":
        return flattened(node, shape, readers)
    for name, values in node.values.items():
        spread(node, name, values, shape)
    return shape


def _linear(node: Node, shape: Shape) -> Shape:
    weight = node.values["weight"]
    if shape != weight.shape[1:]:
        hint = "; put a Flatten before it" if prod(shape) == weight.shape[1] else ""
        raise ValueError(f"{node.label}: expected {weight.shape[1]} values, receives {list(shape)}{hint}")
    _per_output(node, weight.shape[0])
    return (weight.shape[0],)


def _per_output(node: Node, outputs: int) -> None:
    bias = node.values.get("bias")
    if bias is not None and bias.size not in (1, outputs):
        raise ValueError(f"{node.label}: expected {outputs} values of bias, received {list(bias.shape)}")


def _sliding(node: Node, shape: Shape) -> Shape:
    given, axes = window(node), 1 if node.kind == "Conv1d" else 2
    if len(shape) != axes + 1:
        raise ValueError(f"{node.label}: expected {axes + 1} axes (channels first), receives {list(shape)}")
    channels = shape[0]
    if "weight" in node.values:
        weight, groups = node.values["weight"], integers(node, "groups", 1)[0]
        if groups < 1 or weight.shape[1] * groups != channels or weight.shape[0] % groups:
            raise ValueError(
                f"{node.label}: weight {list(weight.shape)} in {groups} groups does not fit {channels} "
                "channels"
            )
        declared = node.fields["input_shape"]
        if declared is not None and integers(node, "input_shape", axes) != shape[1:]:
            raise ValueError(
                f"{node.label}: input_shape {brief(declared)} differs from {list(shape[1:])}, which comes"
            )
        channels = weight.shape[0]
        _per_output(node, channels)
    sizes = []
    lifted = (1, shape[1]) if axes == 1 else shape[1:]
    for axis in (0, 1):
        span = given["dilation"][axis] * (given["kernel"][axis] - 1) + 1
        room = lifted[axis] + sum(given["padding"][2 * axis : 2 * axis + 2]) - span
        if room < 0:
            raise ValueError(f"{node.label}: a window of {span} does not fit {list(shape)}")
        sizes.append(room // given["stride"][axis] + 1)
    return (channels, *sizes[2 - axes :])


def spread(node: Node, name: str, values: Any, shape: Shape) -> Any:
    """Give values for the neurons of `shape`: one number, one a channel [C], or one each.

    What is the same everywhere becomes one number, what is the same in each channel one a channel.
    """
    flat = values.ravel()
    if (flat == flat[0]).all() and (flat.size == 1 or _fits(values.shape, shape)):
        return flat[0]
    if not _fits(values.shape, shape):
        raise ValueError(f"{node.label}: {name} is {list(values.shape)}, for values of {list(shape)}")
    full = np.broadcast_to(_aligned(values, shape), shape)
    channels = full.reshape(shape[0], -1)
    return channels[:, 0].copy() if (channels == channels[:, :1]).all() else full.copy()


def _aligned(values: Any, shape: Shape) -> Any:
    """Put the axis of channels first where a value stands for each channel."""
    if values.ndim == 1 and len(shape) > 1:
        return values.reshape(-1, *[1] * (len(shape) - 1))
    return values


def _fits(given: Shape, shape: Shape) -> bool:
    if prod(given) == 1:
        return True
    padded = (*given, *[1] * (len(shape) - len(given))) if len(given) == 1 else given
    return len(padded) == len(shape) and all(a in (1, b) for a, b in zip(padded, shape, strict=True))


def spiking(nodes: Mapping[str, Node], name: str) -> bool:
    """Tell whether a node gives spikes whatever it reads."""
    return nodes[name].kind in SPIKING or nodes[name].kind == "Threshold"
