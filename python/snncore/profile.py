"""Where the time of a run goes, layer by layer."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple, TypedDict

from snncore import _core
from snncore.files import write_atomically
from snncore.infos import Layer, byte_text
from snncore.inputs import CoreArray
from snncore.json_text import json_text

#: A profile has at least so many runs, however long one takes.
MIN_RUNS = 3


class SynapticOperations(TypedDict):
    """NeuroBench's counts, under its names: `snncore.synapses` says what each is."""

    Effective_MACs: int
    Effective_ACs: int
    Dense: int


@dataclass(frozen=True)
class LayerProfile:
    """What one layer of a run took."""

    name: str  #: of its node; a neuron's is that of all that is computed on the way into it
    op: str
    sums: tuple[str, ...]  #: nodes whose sums are computed in it
    milliseconds: float  #: median of the runs: of the processor with one thread, else wall time
    operations: int  #: weights times inputs, or bits compared, zeros and borders included; 0: it has none
    rate: float | None  #: share of its neurons and steps that fired; None: it has no neurons
    bytes: int  #: of its tensors in a file
    #: Of its convolutions and linear layers; None: it has none.
    synaptic_operations: SynapticOperations | None

    @property
    def label(self) -> str:
        """What it is called where it must be called something."""
        return self.name or "-"

    @property
    def speed(self) -> float | None:
        """10^9 operations a second; None: it has none, or took no time that a clock shows."""
        return self.operations / self.milliseconds / 1e6 if self.operations and self.milliseconds else None

    @property
    def effective(self) -> float | None:
        """Share of NeuroBench's `Dense` that is effective; None: there are none."""
        counted = self.synaptic_operations
        if counted is None or not counted["Dense"]:
            return None
        return (counted["Effective_MACs"] + counted["Effective_ACs"]) / counted["Dense"]


@dataclass(frozen=True)
class Profile:
    """What the layers of a run took, in the order in which they ran."""

    layers: tuple[LayerProfile, ...]
    milliseconds: float  #: of all layers, median of the runs
    runs: int
    timesteps: int
    batch: int
    threads: int

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of the time that each layer took, 0..1."""
        whole = sum(layer.milliseconds for layer in self.layers) or 1.0
        return tuple(layer.milliseconds / whole for layer in self.layers)

    @property
    def synaptic_operations(self) -> SynapticOperations:
        """NeuroBench's counts of all layers, samples and steps; it reports them for one sample."""
        counts = [layer.synaptic_operations for layer in self.layers]
        return _summed([each for each in counts if each is not None])

    @property
    def work(self) -> str:
        """The synaptic operations, in words."""
        counted = self.synaptic_operations
        return (
            f"synaptic operations: {counted['Effective_ACs']:,} effective ACs and "
            f"{counted['Effective_MACs']:,} effective MACs, {counted['Dense']:,} dense"
        )

    @property
    def conditions(self) -> str:
        """How it was measured, in words."""
        return (
            f"{self.milliseconds:.3f} ms, T = {self.timesteps}, batch {self.batch}, threads {self.threads}, "
            f"{self.runs} runs"
        )

    def table(self) -> str:
        """Write a table of the layers."""
        rows = [HEADINGS, *(cells(*row) for row in zip(self.layers, self.shares, strict=True))]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
        lines = ["  ".join(_cell(row, i, widths[i]) for i in range(len(row))).rstrip() for row in rows]
        return "\n".join([*lines, self.work, self.conditions])

    def to_json(self) -> str:
        """Write everything as a JSON object."""
        return json_text(asdict(self), indent=2)

    def to_html(self, title: str = "Profile") -> str:
        """Write a page of bars, a file of its own that needs no network; any text may be its title."""
        from snncore.profile_page import page

        return page(self, title)

    def chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file of Chrome's Trace Event Format, for chrome://tracing and ui.perfetto.dev.

        Its times are not the time stamps of one run: layers are laid end to end, each as long as the median
        of its times, on one track whatever the threads.

        Parameters
        ----------
        path
            The file; written under a temporary name first, then renamed.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        from snncore.profile_trace import trace

        write_atomically(path, json_text(trace(self)).encode())


HEADINGS = ("layer", "op", "ms", "share", "bytes", "operations", "effective", "10^9 a second", "fires")


def cells(layer: LayerProfile, share: float) -> tuple[str, ...]:
    """Write a row under `HEADINGS`."""
    return (
        layer.label,
        layer.op or "-",
        f"{layer.milliseconds:.4f}",
        percent(share),
        byte_text(layer.bytes) if layer.bytes else "-",
        f"{layer.operations:,}" if layer.operations else "-",
        percent(layer.effective),
        "-" if layer.speed is None else f"{layer.speed:.1f}",
        percent(layer.rate),
    )


def percent(share: float | None) -> str:
    """Write a share: "12.3 %"; "-" for none."""
    return "-" if share is None else f"{100 * share:.1f} %"


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


def layer_profiles(
    found: Timed,
    layers: Sequence[Layer],
    rates: Mapping[str, float],
    counted: Mapping[str, SynapticOperations],
) -> tuple[LayerProfile, ...]:
    """Put together what is known of each layer that was timed: by the names of its node and of its sums."""
    known = {layer.name: layer for layer in layers}
    rows = []
    for name, sums, milliseconds, operations in found.layers:
        parts = [known[part] for part in {name, *sums} if part in known]
        weighted = [counted[part] for part in sums if part in counted]
        rows.append(
            LayerProfile(
                name=name,
                op=known[name].op if name in known else "",
                sums=sums,
                milliseconds=milliseconds,
                operations=operations,
                rate=rates.get(name),
                bytes=sum(part.bytes for part in parts),
                synaptic_operations=_summed(weighted) if weighted else None,
            )
        )
    return tuple(rows)


def _summed(counted: list[SynapticOperations]) -> SynapticOperations:
    return {
        "Effective_MACs": sum(each["Effective_MACs"] for each in counted),
        "Effective_ACs": sum(each["Effective_ACs"] for each in counted),
        "Dense": sum(each["Dense"] for each in counted),
    }
