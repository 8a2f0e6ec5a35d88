"""Which values of a network are residual streams: integer sums that neurons read and later sums continue."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # that module needs torch
    from .calls import Call, Trace

#: What reads a whole stream, and cannot read the sum of several layers.
_ENDS: Final = ("avgpool2d", "flatten", "linear", "readout")


def stream_values(found: Trace) -> set[str]:
    """Name the values of a trace that are to be int32 streams.

    A sum of coded layers, with or without a batch norm, that one neuron alone reads goes straight into that
    neuron, with one rounding. With several readers, such as a later sum behind a membrane shortcut, or
    averaged, it is a stream: written once, whoever reads it.
    """
    source: dict[str, str] = {}
    readers: defaultdict[str, list[str]] = defaultdict(list)
    sums: dict[str, str] = {}  # value: the kind of call that makes it
    for call in found.calls:
        inputs = [source.get(value, value) for value in call.inputs]
        if call.kind == "drop":
            source[call.value] = inputs[0]
            continue
        for value in inputs:
            readers[value].append(call.kind)
        if _is_sum(call, inputs, sums):
            sums[call.value] = call.kind
    readers[source.get(found.result, found.result)].append("readout")
    return {value for value, kind in sums.items() if is_stream(kind, readers[value])}


def _is_sum(call: Call, inputs: list[str], sums: dict[str, str]) -> bool:
    if call.kind in ("conv2d", "linear"):
        return getattr(call.module, "quantizer", None) is not None
    return call.kind in ("batch_norm", "add", "couple") and any(value in sums for value in inputs)


def is_stream(kind: str, readers: list[str]) -> bool:
    """Whether a sum of coded layers, made and read by calls of these kinds, is a stream."""
    if "batch_norm" in readers:
        return False  # it becomes part of the layer's scale
    if kind == "couple":
        return True
    ends = any(reader in _ENDS for reader in readers)
    return len(readers) > 1 or "avgpool2d" in readers or (kind == "add" and ends)
