"""Calibration data: checked once, run on two models, compared."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snncore.bits import BitTensor
from snncore.inputs import Inputs, feed
from snncore.model import Model

_BATCH: Final = 32
#: Samples on which the integer reference counts saturations: it is exact and slow.
SATURATION_SAMPLES: Final = 32


@dataclass
class Comparison:
    """Two models on the same samples."""

    samples: int = 0
    same_labels: int | None = 0  #: None: the first output is not one value for each class
    same_spikes: dict[str, float] = field(default_factory=dict)  #: share of equal spikes, by neuron

    @property
    def label_agreement(self) -> float | None:
        """Share of samples with the same label."""
        return None if self.same_labels is None else self.same_labels / self.samples


class Calibration:
    """Samples for `model`.

    Raises
    ------
    ValueError
        Samples that do not fit, are not finite, or none.
    """

    def __init__(self, model: Model, x: Inputs, layout: str | None, pixels: Mapping[str, Any]) -> None:
        self.layout = layout
        values = {p.name: v for p, v in zip(model.inputs, _listed(model, x), strict=True)}
        self.values = {name: _reals(model, name, _array(v), pixels) for name, v in values.items()}
        for name, v in self.values.items():
            if v.size == 0:
                raise ValueError(
                    f"calibration: expected at least one sample for '{name}', received {list(v.shape)}"
                )
            if v.dtype.kind == "f" and not np.isfinite(v).all():
                raise ValueError(
                    f"calibration: expected finite values for '{name}', received NaN or infinity"
                )
        try:
            fed = feed(model.inputs, self.values, layout)
        except ValueError as why:
            raise ValueError(f"calibration: {why}") from None
        self.samples = fed.batch
        for port in model.inputs:
            if port.name in pixels:
                _check_pixels(port.name, self.values[port.name], layout or port.layout, pixels[port.name])
        self.axes = {p.name: (layout or p.layout).find("N") for p in model.inputs}

    def batches(self, first: int | None = None) -> Iterator[dict[str, NDArray[Any]]]:
        """Cut the samples, all or the first few, into batches."""
        samples = min(self.samples, first or self.samples)
        if -1 in self.axes.values():
            yield self.values
            return
        for start in range(0, samples, _BATCH):
            rows = range(start, min(start + _BATCH, samples))
            yield {n: v.take(rows, self.axes[n]) for n, v in self.values.items()}

    def labels(self, model: Model, threads: int | None) -> NDArray[np.intp] | None:
        """Give the label of each sample; None where the model gives none."""
        found = [_labels(model, model.run(x, layout=self.layout, threads=threads)) for x in self.batches()]
        return None if any(part is None for part in found) else np.concatenate(found)  # type: ignore[arg-type]

    def compare(self, a: Model, b: Model, neurons: Sequence[str], threads: int | None) -> Comparison:
        """Run both models and compare labels and the spikes of `neurons`."""
        total = Comparison()
        equal = dict.fromkeys(neurons, 0)
        count = dict.fromkeys(neurons, 0)
        for x in self.batches():
            one, two = (m.run(x, layout=self.layout, threads=threads, record=list(neurons)) for m in (a, b))
            labels, others = _labels(a, one.outputs), _labels(b, two.outputs)
            if labels is None or others is None:
                total.same_labels = None
            elif total.same_labels is not None:
                total.same_labels += int((labels == others).sum())
            for name in neurons:
                same = one.spikes[name].numpy() == two.spikes[name].numpy()
                equal[name] += int(same.sum())
                count[name] += same.size
        total.samples = self.samples
        total.same_spikes = {name: equal[name] / count[name] for name in neurons}
        return total

    def saturations(self, model: Model) -> dict[str, int] | None:
        """Count what the integer neurons clip on the first samples; None where torch is missing."""
        if not all(importlib.util.find_spec(name) for name in ("torch", "safetensors")):
            return None
        from snncore.reference.run import run

        data = model.to_bytes()
        total: dict[str, int] = {}
        for x in self.batches(SATURATION_SAMPLES):
            for name, s in run(data, x, layout=self.layout, record=()).saturations.items():
                total[name] = total.get(name, 0) + s.current + s.integrate + s.reset + s.store
        return total


def _listed(model: Model, x: Inputs) -> list[Any]:
    names = [port.name for port in model.inputs]
    values = [x.get(n) for n in names] if isinstance(x, Mapping) else list(x) if isinstance(x, tuple) else [x]
    if len(values) != len(names) or any(v is None for v in values):
        raise ValueError(f"calibration: expected an array for each of the inputs {', '.join(names)}")
    return values


def _array(values: Any) -> NDArray[Any]:
    if isinstance(values, BitTensor):
        return values.numpy()
    return np.asarray(values.detach() if hasattr(values, "detach") else values)


def _reals(model: Model, name: str, values: NDArray[Any], pixels: Mapping[str, Any]) -> NDArray[Any]:
    """Make values of raw pixels where the float model does not know yet what they are."""
    port = next(p for p in model.inputs if p.name == name)
    if values.dtype != np.uint8 or port.zero_point or name not in pixels:
        return values
    zero = np.array(pixels[name].zero_point, np.float32)
    centred: NDArray[np.float32] = values - zero.reshape(-1, *[1] * (len(port.shape) - 1))
    scaled: NDArray[np.float32] = centred * np.float32(pixels[name].scale)
    return scaled


def _check_pixels(name: str, values: NDArray[Any], layout: str, pixels: Any) -> None:
    """Refuse values that no pixel 0..255 stands for: the zero point or the scale is not theirs."""
    if values.dtype.kind != "f":
        return
    channel = [1] * values.ndim
    channel[layout.index("C")] = -1
    codes = values / np.float64(pixels.scale) + np.reshape(pixels.zero_point, channel)
    if codes.min() < -1 or codes.max() > 256:
        raise ValueError(
            f"calibration: with this zero_point and scale the values of '{name}' are pixels of "
            f"{codes.min():.0f} to {codes.max():.0f}, expected 0 to 255"
        )


def _labels(model: Model, outputs: Any) -> NDArray[np.intp] | None:
    port = model.outputs[0]
    values = outputs[port.name] if isinstance(outputs, dict) else outputs
    if len(port.shape) != 1:
        return None
    labels: NDArray[np.intp] = (values if values.ndim == 2 else values.sum(0)).argmax(-1)
    return labels
