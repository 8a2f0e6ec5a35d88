"""`verify`: both sides run, and compared spike by spike, membrane by membrane."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snncore.arguments import whole
from snncore.model import Model, check_model

from .others import Module, NirGraph, Other, Reference
from .report import Difference, LayerParity, Margin, MembraneDifference, VerifyReport
from .sides import Side, Subject, engine

if TYPE_CHECKING:
    import torch

#: By how much outputs of a float module may differ, relative to the largest: its sums are rounded.
TOLERANCE = 1e-4

#: Values of membranes that are compared at a time, for memory's sake.
_AT_A_TIME = 2**24


def verify(
    model: Model,
    module: torch.nn.Module | Any | None,
    x: Any,
    *,
    layout: str | None = None,
    threads: int | None = None,
    batch: int = 64,
) -> VerifyReport:
    """Run `model` and `module` on `x` and compare every spike, every membrane and every output.

    The model runs twice: spikes and membranes are recorded in one run, outputs are those of the other, which
    records nothing, as users run it.

    Parameters
    ----------
    model
        The engine's side.
    module
        `snncore.reference.Network`, or another module that `from_torch` takes, or a network of SpikingJelly,
        snnTorch, sinabs or Norse: float32, so spikes may differ where a membrane comes within rounding of the
        threshold; `VerifyReport.margin` says whether it does. The path of a .nir file or a `nir.NIRGraph`
        that the model was made from: its equations in float64. None: the integer reference, which reads the
        same file and must agree bit for bit.
    x
        Input, as for `Model.run`. A module gets raw pixels through the zero point and scale of the model.
    layout, threads
        As for `Model.run`.
    batch
        How many samples to compare at a time, at most.

    Raises
    ------
    ValueError
        `module` does not belong to `model`, or `x` does not fit.
    ImportError
        No torch (or, for the integer reference, no safetensors).
    """
    check_model("verify", model)
    if whole("verify: batch", batch) < 1:
        raise ValueError(f"verify: expected a batch of 1 or more, received {batch}")
    subject = Subject(model)
    other = _other(subject, module)
    comparison = Comparison(subject, exact=module is None)
    axes = layout or model.inputs[0].layout
    for start, part in _parts(subject, x, axes, batch):
        theirs = other.side(part, layout, axes)
        ours = engine(subject, part, layout, threads, theirs.spikes, theirs.membranes)
        comparison.add(ours, theirs, start, part)
    if not comparison.samples:
        raise ValueError("verify: expected at least one sample, received none")
    margin, note = _margin(comparison, other, axes)
    return comparison.report(other.name, margin, note)


def _other(subject: Subject, module: Any) -> Other:
    if module is None:
        return Reference(subject)
    if isinstance(module, (str, os.PathLike)) or (hasattr(module, "to_dict") and hasattr(module, "nodes")):
        return NirGraph(subject, module)
    return Module(subject, module)


def _parts(subject: Subject, x: Any, axes: str, batch: int) -> Iterator[tuple[int, Any]]:
    """Cut `x` along the samples: (first sample, part)."""
    if isinstance(x, (Mapping, tuple)):
        yield 0, x
        return
    array = np.asarray(x.detach() if hasattr(x, "detach") else x.numpy() if hasattr(x, "numpy") else x)
    if "N" not in axes or array.ndim != len(axes):  # where it does not fit, the engine says so best
        yield 0, array
        return
    steps = array.shape[axes.index("T")] if "T" in axes else subject.model.timesteps
    neurons = sum(map(subject.size, subject.nodes))
    batch = max(1, min(batch, _AT_A_TIME // max(1, steps * neurons)))
    axis = axes.index("N")
    for start in range(0, array.shape[axis], batch):
        yield start, array.take(range(start, min(start + batch, array.shape[axis])), axis)


def _margin(comparison: Comparison, other: Other, axes: str) -> tuple[Margin | None, str]:
    """Say how far from its threshold the first different neuron was; else why that is not known."""
    first, sample = comparison.first, comparison.shown
    if first is None or sample is None or first.layer not in sample.theirs:
        return None, ""
    return other.margin(sample.part, sample.local, sample.theirs, first, axes)


@dataclass(frozen=True)
class _Sample:
    """One sample of both sides: what a picture shows, and what a margin is computed from."""

    number: int
    local: int  #: its place in `part`
    part: Any
    ours: dict[str, NDArray[np.bool_]]  #: [T, ...]
    theirs: dict[str, NDArray[np.bool_]]


@dataclass
class _Sums:
    """What is known of a layer so far."""

    spikes: int = 0
    different: int = 0
    fired: list[int] = field(default_factory=lambda: [0, 0])
    membrane: MembraneDifference | None = None
    while_equal: float | None = None


class Comparison:
    """Takes parts of the samples, one after the other, and becomes a report."""

    def __init__(self, subject: Subject, exact: bool) -> None:
        self.subject, self.exact = subject, exact
        self.samples, self.agreed = 0, 0.0
        self.first: Difference | None = None
        self.shown: _Sample | None = None
        self.largest = 0.0
        self.layers = {name: _Sums() for name in subject.nodes}
        self.compared: tuple[str, ...] = ()
        self.order = {name: i for i, name in enumerate(subject.nodes)}

    def add(self, ours: Side, theirs: Side, start: int, part: Any) -> None:
        """Compare samples from number `start` on."""
        self.compared = tuple(theirs.spikes)
        differ = {}
        for name, expected in theirs.spikes.items():
            fired, expected = ours.spikes[name] != 0, expected != 0
            _same_shape(name, fired, expected)
            differ[name] = fired != expected
            sums = self.layers[name]
            sums.spikes += fired.size
            sums.different += int(differ[name].sum())
            sums.fired = [sums.fired[0] + int(fired.sum()), sums.fired[1] + int(expected.sum())]
        found = [_first(ours.spikes[n], theirs.spikes[n], d, n, start) for n, d in differ.items()]
        steps = max((len(s) for s in theirs.spikes.values()), default=1)
        found += self._outputs(ours, theirs, steps, start)
        self._keep_first([d for d in found if d is not None], ours, theirs, start, part)
        until = _equal_until(differ, steps, _samples(theirs))
        for name, expected in theirs.membranes.items():
            self._membranes(name, ours.membranes[name], expected, until, start)

    def _outputs(self, ours: Side, theirs: Side, steps: int, start: int) -> list[Difference | None]:
        found = []
        for position, (name, expected) in enumerate(theirs.outputs.items()):
            y = ours.outputs[name]
            _same_shape(name, y, expected)
            if y.ndim == 2:  # a readout, [N, F]: what stands after the last step
                y, expected = (np.broadcast_to(values, (steps, *values.shape)) for values in (y, expected))
            apart = _apart(y, expected)
            self.largest = max(self.largest, float(apart.max(initial=0.0)))
            over = ~(apart <= _allowed(expected, self.exact))
            if ours.outputs[name].ndim == 2:
                over[:-1] = False
            if position == 0:
                self.samples += y.shape[1]
                agree = y[-1].argmax(-1) == expected[-1].argmax(-1)
                self.agreed += float(agree.reshape(len(agree), -1).mean(axis=-1).sum())
            found.append(_first(y, expected, over, name, start))
        return found

    def _keep_first(self, found: list[Difference], ours: Side, theirs: Side, start: int, part: Any) -> None:
        """Keep the earliest difference so far and its sample; the very first sample while there is none."""

        def key(d: Difference) -> tuple[int, int, list[int]]:
            return d.step, self.order.get(d.layer, len(self.order)), d.index

        best = min([*found, *([self.first] if self.first else [])], key=key, default=None)
        if self.shown is not None and best is self.first:
            return
        self.first = best
        local = 0 if best is None else best.index[0] - start
        self.shown = _Sample(
            start + local,
            local,
            part,
            {name: ours.spikes[name][:, local] != 0 for name in theirs.spikes},
            {name: spikes[:, local] != 0 for name, spikes in theirs.spikes.items()},
        )

    def _membranes(
        self, name: str, ours: NDArray[Any], theirs: NDArray[Any], until: NDArray[np.int64], start: int
    ) -> None:
        _same_shape(f"{name}.v", ours, theirs)
        if theirs.dtype.kind == "f" and ours.dtype.kind != "f":
            unit = self.subject.units.get(name)
            if unit is None:
                return
            ours = ours * unit.reshape(-1, *[1] * (ours.ndim - 3))
        apart = _apart(ours, theirs)
        if not apart.size:
            return
        sums = self.layers[name]
        place = tuple(int(i) for i in np.unravel_index(int(apart.argmax()), apart.shape))
        value = float(apart[place])
        if sums.membrane is None or value > sums.membrane.value:
            index = [place[1] + start, *place[2:]]
            sums.membrane = MembraneDifference(
                value, place[0], index, float(ours[place]), float(theirs[place])
            )
        early = np.arange(len(apart))[:, None] < until  # [T, N]
        largest = apart.reshape(*apart.shape[:2], -1).max(axis=-1, initial=0.0)
        sums.while_equal = max(sums.while_equal or 0.0, float(largest.max(where=early, initial=0.0)))

    def report(self, against: str, margin: Margin | None, note: str) -> VerifyReport:
        """Put together what was found."""
        assert self.shown is not None
        layers = tuple(self._layer(name, sums) for name, sums in self.layers.items())
        return VerifyReport(
            equal=self.first is None,
            samples=self.samples,
            label_agreement=self.agreed / self.samples,
            first_difference=self.first,
            max_abs_difference=self.largest,
            against=against,
            spikes=sum(layer.spikes for layer in layers),
            different_spikes=sum(layer.different_spikes for layer in layers),
            layers=self.compared,
            parity=layers,
            margin=margin,
            margin_note=note,
            rasters={
                name: (_flat(self.shown.ours[name]), _flat(theirs))
                for name, theirs in self.shown.theirs.items()
            },
            raster_sample=self.shown.number,
        )

    def _layer(self, name: str, sums: _Sums) -> LayerParity:
        ours, theirs = (count / sums.spikes if sums.spikes else None for count in sums.fired)
        note = ""
        if sums.membrane is None:
            integers = self.subject.is_integer(name) and name not in self.subject.units
            note = "integers: no common unit" if integers else "not exposed"
        return LayerParity(
            name,
            self.subject.size(name),
            sums.spikes,
            sums.different,
            ours,
            theirs,
            sums.membrane,
            sums.while_equal,
            note,
        )


def _samples(side: Side) -> int:
    y = next(iter(side.outputs.values()))
    return int(y.shape[0] if y.ndim == 2 else y.shape[1])


def _flat(spikes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return spikes.reshape(len(spikes), -1)


def _equal_until(differ: Mapping[str, NDArray[np.bool_]], steps: int, samples: int) -> NDArray[np.int64]:
    """Give the first step in which any spike of a sample differs, [N]; `steps` where none does."""
    until = np.full(samples, steps, dtype=np.int64)
    for each in differ.values():
        somewhere = each.reshape(*each.shape[:2], -1).any(axis=-1)
        until = np.minimum(until, np.where(somewhere.any(axis=0), somewhere.argmax(axis=0), steps))
    return until


def _apart(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.float64]:
    """Give |ours - theirs|: 0 for equal infinities and for two NaN, infinite for one."""
    with np.errstate(invalid="ignore"):
        apart: NDArray[np.float64] = np.abs(ours.astype(np.float64) - theirs)
    unknown = np.isnan(apart)
    if unknown.any():
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        apart[unknown] = np.where(same[unknown], 0.0, np.inf)
    return apart


def _allowed(expected: NDArray[Any], exact: bool) -> float:
    return 0.0 if exact else TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0)))


def _same_shape(name: str, ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    if ours.shape != theirs.shape:
        raise ValueError(
            f"verify: '{name}' is {list(ours.shape)} in the model and {list(theirs.shape)} in the module"
        )


def _first(
    ours: NDArray[Any], theirs: NDArray[Any], differ: NDArray[np.bool_], name: str, start: int
) -> Difference | None:
    """Find the first place [T, N, ...] where `differ` holds, if any."""
    if not differ.any():
        return None
    step, sample, *rest = (int(i) for i in np.unravel_index(int(differ.argmax()), differ.shape))
    here = (step, sample, *rest)
    return Difference(step, name, [sample + start, *rest], float(ours[here]), float(theirs[here]))
