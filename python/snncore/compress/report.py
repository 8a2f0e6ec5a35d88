"""What `quantize` did, layer by layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from snncore.infos import byte_text
from snncore.json_text import json_text
from snncore.memory import Memory, change_text


@dataclass(frozen=True)
class QuantizedLayer:
    """A layer with weights, and the neuron that its sums go to."""

    name: str
    op: str
    method: str  #: "symmetric", "rescaw"; "float" where it was left alone
    bits: int  #: of a weight; 32 where it was left alone
    bytes_before: int
    bytes_after: int
    accumulator: int | None  #: the largest magnitude that a sum can have, from the weights; None: float
    neuron: str | None  #: name of the neuron, the first of several; None: a readout
    state_bits: int | None  #: of its membranes
    profile: str | None  #: the unit of its membranes, docs/format.md; None: float
    saturations: int | None  #: values that the neuron clipped on calibration data; None: not counted
    spike_agreement: float | None  #: share of its spikes that are the float model's, 0..1
    reason: str | None  #: why it was left alone


@dataclass(frozen=True)
class QuantizeReport:
    """What `snncore.quantize` found; ``str(report)`` is a table."""

    bits: int
    method: str
    bytes_before: int  #: of the files
    bytes_after: int
    samples: int  #: of the calibration data
    label_agreement: float | None  #: with the float model on calibration data; None: without any
    saturation_samples: int  #: on which saturations were counted; 0: not counted
    memory_before: Memory  #: of running one sample step by step, one thread
    memory_after: Memory
    layers: tuple[QuantizedLayer, ...]
    notes: tuple[str, ...]

    @property
    def left_float(self) -> tuple[str, ...]:
        """Names of the layers that were left alone."""
        return tuple(row.name for row in self.layers if row.reason is not None)

    def to_json(self) -> str:
        """Write all of it, layers as a list."""
        return json_text(asdict(self))

    def __str__(self) -> str:
        return "\n".join([*_table(self.layers), *self._facts()])

    def _facts(self) -> list[str]:
        share = 100 * self.bytes_after / self.bytes_before
        before, after = byte_text(self.bytes_before), byte_text(self.bytes_after)
        lines = [
            f"file: {before} -> {after} ({share:.0f} %)",
            change_text(self.memory_before, self.memory_after),
        ]
        if self.label_agreement is not None:
            lines.append(
                f"labels that agree with the float model: {100 * self.label_agreement:.1f} % of "
                f"{self.samples} samples"
            )
        if self.saturation_samples:
            lines.append(f"clipped: values at the end of their range, on {self.saturation_samples} samples")
        lines += [f"'{row.name}' stays float: {row.reason}" for row in self.layers if row.reason is not None]
        return lines + list(self.notes)


_HEADER = (
    "layer",
    "weights",
    "before",
    "after",
    "largest sum",
    "neuron",
    "state",
    "unit",
    "clipped",
    "spikes equal",
)


def _table(layers: tuple[QuantizedLayer, ...]) -> list[str]:
    rows = [_HEADER, *map(_cells, layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    rule = "  ".join("-" * width for width in widths)
    return [lines[0], rule, *lines[1:], rule]


def _cells(row: QuantizedLayer) -> tuple[str, ...]:
    def text(value: Any, form: str = "{}") -> str:
        return "-" if value is None else form.format(value)

    return (
        row.name,
        "float" if row.bits == 32 else f"{row.bits} bit {row.method}",
        byte_text(row.bytes_before),
        byte_text(row.bytes_after),
        text(row.accumulator, "{:,}"),
        text(row.neuron),
        text(row.state_bits, "{} bit"),
        text(row.profile),
        text(row.saturations, "{:,}"),
        text(None if row.spike_agreement is None else 100 * row.spike_agreement, "{:.2f} %"),
    )
