"""Where the time of a run goes, layer by layer."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import asdict, dataclass
from typing import NamedTuple

from snncore import _core
from snncore.inputs import CoreArray

#: Operations whose spikes `Model.run` records.
FIRING = ("lif", "if", "cuba_lif", "neuron", "psn", "saccade")
#: A profile has at least so many runs, however long one takes.
MIN_RUNS = 3


@dataclass(frozen=True)
class LayerProfile:
    """What one layer of a run took."""

    name: str  #: of its node; a neuron's is that of all that is computed on the way into it
    op: str
    sums: tuple[str, ...]  #: nodes whose sums are computed in it
    milliseconds: float  #: median of the runs: of the processor with one thread, else wall time
    operations: int  #: weights times inputs, or bits compared, zeros and borders included; 0: it has none
    rate: float | None  #: share of its neurons and steps that fired; None: it has no neurons


@dataclass(frozen=True)
class Profile:
    """What the layers of a run took, in the order in which they ran."""

    layers: tuple[LayerProfile, ...]
    milliseconds: float  #: of all layers, median of the runs
    runs: int
    timesteps: int
    batch: int
    threads: int

    def table(self) -> str:
        """Write a table of the layers."""
        rows = [("layer", "op", "ms", "share", "operations", "10^9 a second", "fires")]
        whole = sum(layer.milliseconds for layer in self.layers) or 1.0
        for layer in self.layers:
            speed = layer.operations / layer.milliseconds / 1e6 if layer.milliseconds > 0 else 0.0
            rows.append(
                (
                    layer.name or "-",
                    layer.op or "-",
                    f"{layer.milliseconds:.4f}",
                    f"{100 * layer.milliseconds / whole:.1f} %",
                    f"{layer.operations:,}" if layer.operations else "-",
                    f"{speed:.1f}" if layer.operations else "-",
                    "-" if layer.rate is None else f"{100 * layer.rate:.1f} %",
                )
            )
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = ["  ".join(_cell(row, i, widths[i]) for i in range(len(row))).rstrip() for row in rows]
        total = (
            f"{self.milliseconds:.3f} ms, T = {self.timesteps}, batch {self.batch}, threads {self.threads}, "
            f"{self.runs} runs"
        )
        return "\n".join([*lines, total])

    def to_json(self) -> str:
        """Write everything as a JSON object."""
        return json.dumps(asdict(self), indent=2)


def _cell(row: tuple[str, ...], column: int, width: int) -> str:
    return row[column].ljust(width) if column < 2 else row[column].rjust(width)


class Timed(NamedTuple):
    """Medians of some runs: name, sums, milliseconds and operations of each layer; of all of them; runs."""

    layers: list[tuple[str, tuple[str, ...], float, int]]
    milliseconds: float
    runs: int


def timed(session: _core.Session, arrays: list[CoreArray], seconds: float) -> Timed:
    """Run for so many seconds."""
    session.run(arrays)  # warms caches
    spent: list[list[float]] = []
    end = time.perf_counter() + seconds
    try:
        while len(spent) < MIN_RUNS or time.perf_counter() < end:
            session.time_layers(True)
            session.run(arrays)
            times = session.layer_times()
            spent.append([1e3 * row[2] for row in times])
    finally:
        session.time_layers(False)
    medians = map(statistics.median, zip(*spent, strict=True))
    layers = [
        (name, tuple(sums), median, round(operations))
        for (name, sums, _, operations), median in zip(times, medians, strict=True)
    ]
    return Timed(layers, statistics.median(map(sum, spent)), len(spent))
