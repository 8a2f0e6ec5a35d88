"""What `prune` did, stream by stream."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from snncore.infos import byte_text
from snncore.json_text import json_text
from snncore.memory import Memory, change_text


@dataclass(frozen=True)
class PrunedStream:
    """Layers and neurons that share one set of channels; or, of single weights, one layer."""

    name: str  #: of the first layer with weights that writes it
    members: tuple[str, ...]  #: its layers with weights and its neurons
    channels_before: int
    channels_after: int
    kept: tuple[int, ...]  #: which channels stay, ascending
    weights_before: int  #: of the layers that write it; zeros are not counted
    weights_after: int
    bytes_before: int  #: of the layers that write it
    bytes_after: int
    reason: str | None  #: why it was left alone


@dataclass(frozen=True)
class PruneReport:
    """What `snncore.prune` found; ``str(report)`` is a table."""

    criterion: str
    ratio: float | None  #: None: "dead"
    unstructured: bool
    bytes_before: int  #: of the files
    bytes_after: int
    samples: int  #: of the calibration data
    label_agreement: float | None  #: with the model before, on calibration data; None: without any
    outputs_equal: bool | None  #: every output of the calibration data has the same bits; None: without any
    memory_before: Memory  #: of running one sample step by step, one thread
    memory_after: Memory
    streams: tuple[PrunedStream, ...]
    notes: tuple[str, ...]

    @property
    def weights_before(self) -> int:
        """Weights that are not zero."""
        return sum(row.weights_before for row in self.streams)

    @property
    def weights_after(self) -> int:
        """Weights that are left and not zero."""
        return sum(row.weights_after for row in self.streams)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Names of the streams that keep all channels for a reason."""
        return tuple(row.name for row in self.streams if row.reason is not None)

    def to_json(self) -> str:
        """Write all of it, streams as a list."""
        return json_text(asdict(self))

    def __str__(self) -> str:
        return "\n".join([*_table(self.streams), *self._facts()])

    def _facts(self) -> list[str]:
        share = 100 * self.bytes_after / self.bytes_before
        before, after = byte_text(self.bytes_before), byte_text(self.bytes_after)
        left = 100 * self.weights_after / max(self.weights_before, 1)
        lines = [
            f"file: {before} -> {after} ({share:.0f} %)",
            change_text(self.memory_before, self.memory_after),
            f"weights: {self.weights_before:,} -> {self.weights_after:,} ({left:.1f} %)",
        ]
        if self.outputs_equal:
            lines.append(f"outputs are the same, bit for bit, on {self.samples} samples (run on the engine)")
        elif self.label_agreement is not None:
            lines.append(f"labels that stay: {100 * self.label_agreement:.1f} % of {self.samples} samples")
        lines += [f"'{row.name}' stays whole: {row.reason}" for row in self.streams if row.reason is not None]
        return lines + list(self.notes)


_HEADER = ("layer", "shares channels with", "channels", "weights", "bytes")


def _table(streams: tuple[PrunedStream, ...]) -> list[str]:
    rows = [_HEADER, *map(_cells, streams)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    rule = "  ".join("-" * width for width in widths)
    return [lines[0], rule, *lines[1:], rule]


def _cells(row: PrunedStream) -> tuple[str, ...]:
    return (
        row.name,
        ", ".join(name for name in row.members if name != row.name) or "-",
        f"{row.channels_before} -> {row.channels_after}",
        f"{row.weights_before:,} -> {row.weights_after:,}",
        f"{byte_text(row.bytes_before)} -> {byte_text(row.bytes_after)}",
    )
