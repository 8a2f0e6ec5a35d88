"""What a comparison found: as text, as JSON, as a picture."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore.json_text import finite, json_text
from snncore.pictures import RasterPair, Rates


@dataclass(frozen=True)
class Difference:
    """Where two runs part: the first step, then the first layer, then the first neuron."""

    step: int
    layer: str  #: name in the model; of an output where all spikes agree
    index: list[int]  #: sample, then C, H, W or feature
    ours: float
    theirs: float


@dataclass(frozen=True)
class Margin:
    """How close to its threshold the first different neuron was, and what float32 sums may be off by.

    Both sides' membranes lie within `bound` of `h`, whatever the order of their sums, so their spikes can
    only differ where `distance` is at most `bound`; `within` says whether it is.
    """

    h: float  #: what is compared with the threshold, computed again in float64
    threshold: float
    distance: float  #: |h - threshold|
    bound: float

    @property
    def within(self) -> bool:
        """Whether rounding alone explains the difference."""
        return self.distance <= self.bound

    def __str__(self) -> str:
        return (
            f"within bound: {'yes' if self.within else 'NO'}, |h - theta| = {self.distance:.3g}, "
            f"bound = {self.bound:.3g} (h = {self.h:.9g}, theta = {self.threshold:.9g})"
        )


@dataclass(frozen=True)
class MembraneDifference:
    """The largest |ours - theirs| of a layer's membranes after reset, and where it is."""

    value: float
    step: int
    index: list[int]  #: sample, then C, H, W or feature
    ours: float
    theirs: float


@dataclass(frozen=True)
class LayerParity:
    """One neuron layer on both sides."""

    name: str
    neurons: int
    spikes: int  #: how many spikes and silences were compared; 0: the layer fires counts or never
    different_spikes: int
    rate_ours: float | None  #: spikes per neuron and step
    rate_theirs: float | None
    membrane: MembraneDifference | None  #: None: `note` says why
    membrane_while_equal: float | None  #: the largest before a sample's first different spike
    note: str = ""


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found."""

    equal: bool  #: every compared spike and every output
    samples: int
    label_agreement: float  #: share of samples whose largest output is the same, 0..1
    first_difference: Difference | None
    max_abs_difference: float  #: of the outputs
    against: str  #: what the model was compared with
    spikes: int  #: how many spikes and silences were compared
    different_spikes: int  #: how many of them differ
    layers: tuple[str, ...]  #: the neuron layers whose spikes were compared
    parity: tuple[LayerParity, ...] = ()  #: every neuron layer
    margin: Margin | None = None  #: of the first difference, if it is a spike
    margin_note: str = ""  #: why there is no margin
    #: Spikes [T, neurons] of both sides by layer, of the sample that parts first (else of the first).
    rasters: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    raster_sample: int = 0

    @property
    def max_membrane_difference(self) -> MembraneDifference | None:
        """The largest difference of all layers; None where none was compared."""
        found = [layer.membrane for layer in self.parity if layer.membrane is not None]
        return max(found, key=lambda m: m.value, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Give what `to_json` writes; numbers that JSON has no word for, such as infinities, become None."""
        first, margin, largest = self.first_difference, self.margin, self.max_membrane_difference
        facts = {
            "equal": self.equal,
            "samples": self.samples,
            "label_agreement": self.label_agreement,
            "first_difference": None if first is None else asdict(first),
            "max_abs_difference": self.max_abs_difference,
            "against": self.against,
            "spikes": self.spikes,
            "different_spikes": self.different_spikes,
            "margin": None if margin is None else {**asdict(margin), "within": margin.within},
            "margin_note": self.margin_note,
            "max_membrane_difference": None if largest is None else asdict(largest),
            "layers": [asdict(layer) for layer in self.parity],
        }
        known: dict[str, Any] = finite(facts)
        return known

    def to_json(self) -> str:
        """Write everything but the rasters.

        The keys equal, samples, label_agreement, first_difference and max_abs_difference stay as they are.
        """
        return json_text(self.to_dict())

    def picture(self, path: str | os.PathLike[str] | None = None, layer: str | None = None) -> RasterPair:
        """Draw both rasters and their difference, for the sample that parts first.

        Parameters
        ----------
        path
            Where to save: .png, .svg or .pdf (need matplotlib), .txt or .npz. Default: nowhere.
        layer
            Default: every layer whose spikes were compared.

        Returns
        -------
        RasterPair
            ``print`` shows it as text, a notebook as a picture.

        Raises
        ------
        ValueError
            A layer that was not compared, or nothing was; another ending.
        ImportError
            matplotlib is needed and missing.
        """
        if not self.rasters or (layer is not None and layer not in self.rasters):
            known = ", ".join(f"'{name}'" for name in self.rasters) or "none"
            raise ValueError(
                f"picture: expected a layer whose spikes were compared ({known}), received {layer!r}"
            )
        chosen = {layer: self.rasters[layer]} if layer is not None else self.rasters
        first = self.first_difference
        drawn = RasterPair(
            chosen,
            sample=self.raster_sample,
            names=("snncore", self.against),
            first=None if first is None else (first.layer, first.step),
        )
        if path is not None:
            drawn.save(path)
        return drawn

    def rates(self) -> Rates:
        """Give the firing rates of both sides, as bars."""
        rows = [layer for layer in self.parity if layer.rate_ours is not None]
        sides = {
            "snncore": {layer.name: layer.rate_ours or 0.0 for layer in rows},
            self.against: {layer.name: layer.rate_theirs or 0.0 for layer in rows},
        }
        return Rates(sides)

    def __str__(self) -> str:
        verdict = "equal" if self.equal else "DIFFERENT"
        samples = f"{self.samples} sample{'s' if self.samples != 1 else ''}"
        lines = [f"{verdict}: {samples} against {self.against}"]
        if self.layers:
            equal = "all equal"
            if self.different_spikes:
                equal = f"{self.different_spikes:,} differ"
            lines.append(f"spikes compared: {self.spikes:,} in {len(self.layers)} layers, {equal}")
        lines.append(f"labels that agree: {100 * self.label_agreement:.1f} %")
        lines.append(f"largest difference of an output: {self.max_abs_difference:.3g}")
        lines += self._where()
        if self.parity:
            lines += ["", *_table(self.parity)]
        return "\n".join(lines)

    def _where(self) -> list[str]:
        lines = []
        largest = self.max_membrane_difference
        if largest is not None:
            name = next(layer.name for layer in self.parity if layer.membrane is largest)
            lines.append(
                f"largest difference of a membrane: {largest.value:.3g}, layer '{name}', "
                f"step {largest.step}, index {largest.index}"
            )
        if self.first_difference is not None:
            d = self.first_difference
            lines.append(
                f"first difference: step {d.step}, layer '{d.layer}', index {list(d.index)}: "
                f"ours {d.ours:g}, theirs {d.theirs:g}"
            )
        if self.margin is not None:
            lines.append(f"  {self.margin}")
        elif self.margin_note:
            lines.append(f"  no bound: {self.margin_note}")
        return lines


def _table(layers: tuple[LayerParity, ...]) -> list[str]:
    """One line a layer; rates in spikes per neuron and step."""
    head = ("layer", "neurons", "rate", "theirs", "different", "membranes", "while equal")
    rows = [
        (
            layer.name,
            f"{layer.neurons:,}",
            "-" if layer.rate_ours is None else f"{layer.rate_ours:.4f}",
            "-" if layer.rate_theirs is None else f"{layer.rate_theirs:.4f}",
            f"{layer.different_spikes:,}" if layer.spikes else "-",
            layer.note if layer.membrane is None else f"{layer.membrane.value:.2e}",
            "" if layer.membrane_while_equal is None else f"{layer.membrane_while_equal:.2e}",
        )
        for layer in layers
    ]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    aligned = [
        "  ".join(
            cell.ljust(width) if i in (0, 5) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
    return [aligned[0], "  ".join("-" * width for width in widths), *aligned[1:]]
