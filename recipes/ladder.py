"""What `compress_cifar10.py` measures of each rung, and how it shows it: JSON, a table, a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cifar10
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

import snncore
from snncore.reference import Network
from snncore.tools.subjects import ours
from snncore.tools.timing import alternate

COMPARED_IMAGES = 1000  # test images on which engine and integer reference are compared, spikes counted


@dataclass
class Measured:
    """One rung. The accuracy is the engine's, on the test images of CIFAR-10 (JPEG)."""

    name: str
    right: int
    images: int
    equal: bool  #: engine and reference of the file agree bit for bit on the compared images
    weights: int  #: of the convolutions
    synaptic_operations: float  #: of one image, all steps: spikes times the weights that read them
    file_bytes: int
    milliseconds: float = math.nan  #: median of single images, one thread
    memory_bytes: int = 0  #: all that running one image takes beside the file, one thread
    membrane_bytes: int = 0  #: what the neurons keep from step to step in a stream

    @property
    def accuracy(self) -> float:
        """Share of right answers, in per cent."""
        return 100 * self.right / self.images

    @property
    def error(self) -> float:
        """Binomial standard error of the accuracy, in points."""
        share = self.right / self.images
        return 100 * math.sqrt(share * (1 - share) / self.images)


@dataclass(frozen=True)
class Difference:
    """Accuracy of `first` less that of `second` on the same images, in points, with its standard error."""

    first: str
    second: str
    points: float
    error: float


def answers(model: snncore.Model, split: cifar10.Split) -> NDArray[np.bool_]:
    """Say of every image whether the engine is right."""
    images = np.ascontiguousarray(split.images.transpose(0, 3, 1, 2))
    labels = [model.run(images[i : i + 100]).argmax(axis=1) for i in range(0, len(images), 100)]
    found: NDArray[np.bool_] = np.concatenate(labels) == split.labels
    return found


def compared(model: snncore.Model, split: cifar10.Split) -> bool:
    """Run engine and reference on the first `COMPARED_IMAGES` of an evenly spread selection."""
    step = max(1, len(split) // COMPARED_IMAGES)
    images = np.ascontiguousarray(split.images[::step][:COMPARED_IMAGES].transpose(0, 3, 1, 2))
    return all(
        bool(snncore.verify(model, None, images[i : i + 100]).equal) for i in range(0, len(images), 100)
    )


@torch.no_grad()
def synaptic_operations(net: Network, split: cifar10.Split) -> float:
    """Count the weights that spikes meet, of one image on average; pixels and padding do not count."""
    step = max(1, len(split) // COMPARED_IMAGES)
    images = torch.from_numpy(split.images[::step][:COMPARED_IMAGES]).permute(0, 3, 1, 2)
    counts: list[float] = []

    def met(layer: Any, given: tuple[Tensor, ...], _: Tensor) -> None:
        x = given[0]
        if isinstance(layer, nn.Linear):
            counts.append(float(x.sum()) * layer.out_features)
            return
        ones = torch.ones(1, *layer.weight.shape[1:])
        sums = F.conv2d(x, ones, stride=layer.stride, padding=layer.padding)
        counts.append(float(sums.sum()) * layer.out_channels)

    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(met) for layer in layers[1:]]
    try:
        for some in images.split(250):
            net(net.normalise(some))
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts) / len(images)


def measured(
    name: str, net: Network, model: snncore.Model, split: cifar10.Split
) -> tuple[Measured, NDArray[np.bool_]]:
    """Measure all but the speed; and say which images the model knows."""
    right, running = answers(model, split), model.memory(threads=1)
    row = Measured(
        name=name,
        right=int(right.sum()),
        images=len(split),
        equal=compared(model, split),
        weights=sum(m.weight.numel() for m in net.modules() if isinstance(m, nn.Conv2d)),
        synaptic_operations=synaptic_operations(net, split),
        file_bytes=model.file_bytes,
        memory_bytes=running.weights + running.session,
        membrane_bytes=model.memory(stream=True, threads=1).membranes,
    )
    return row, right


def time_all(models: Sequence[snncore.Model], split: cifar10.Split, seconds: float) -> list[float]:
    """Give the median milliseconds of an image, one thread, all models in turns."""
    images = [np.ascontiguousarray(split.images[i : i + 1].transpose(0, 3, 1, 2)) for i in range(16)]
    subjects = [ours(model, images, 1) for model in models]
    return [times.median for times in alternate(subjects, len(images), seconds)]


def difference(first: str, second: str, right: dict[str, NDArray[np.bool_]]) -> Difference:
    """Compare two rungs on the same images; the error is that of paired answers (McNemar)."""
    a, b = right[first], right[second]
    only_a, only_b, count = int((a & ~b).sum()), int((b & ~a).sum()), len(a)
    variance = (only_a + only_b - (only_a - only_b) ** 2 / count) / count**2
    return Difference(first, second, 100 * (only_a - only_b) / count, 100 * math.sqrt(variance))


HEADINGS = (
    "rung",
    "right (test)",
    "weights",
    "file",
    "memory",
    "membranes",
    "ms an image",
    "speed",
    "M operations",
    "engine = reference",
)


def table(rows: Sequence[Measured], base: str) -> str:
    """Write the rows in Markdown; speeds are relative to the rung `base`."""
    of = {row.name: row for row in rows}
    lines = [HEADINGS, ("---",) * len(HEADINGS)]
    for row in rows:
        lines.append(
            (
                row.name,
                f"{row.accuracy:.2f} ± {row.error:.2f} %",
                f"{row.weights:,}",
                f"{row.file_bytes / 1024:.1f} KiB",
                f"{row.memory_bytes / 1024:.0f} KiB",
                f"{row.membrane_bytes / 1024:.1f} KiB",
                f"{row.milliseconds:.3f}",
                f"{of[base].milliseconds / row.milliseconds:.2f}x",
                f"{row.synaptic_operations / 1e6:.2f}",
                "yes" if row.equal else "NO",
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def differences_table(differences: Sequence[Difference]) -> str:
    """Write the comparisons in Markdown."""
    lines = [("compared", "difference, points"), ("---", "---")]
    lines += [(f"{d.first} - {d.second}", f"{d.points:+.2f} ± {d.error:.2f}") for d in differences]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(out: Path, rows: Sequence[Measured], differences: Sequence[Difference], base: str) -> None:
    """Write ``ladder.json``, ``ladder.md`` and ``ladder.png``."""
    content = {"rungs": [asdict(row) for row in rows], "differences": [asdict(d) for d in differences]}
    (out / "ladder.json").write_text(json.dumps(content, indent=1) + "\n")
    (out / "ladder.md").write_text(f"{table(rows, base)}\n\n{differences_table(differences)}\n")
    plot(rows, out / "ladder.png")


#: Name, colour, marker, and which rungs; those of the first three are joined by a line.
SERIES: tuple[tuple[str, str, str, Callable[[str], bool]], ...] = (
    ("bits of the weights", "#0072b2", "o", lambda name: name in ("float", "8bit", "4bit", "2bit", "1bit")),
    ("4 bit, pruned by SVS", "#d55e00", "v", lambda name: "-svs-" in name),
    ("4 bit, pruned by SCA", "#009e73", "^", lambda name: "-sca-" in name),
    ("1 bit, small membranes", "#cc79a7", "s", lambda name: name.startswith("1w")),
    ("2 bit without rescaling", "#000000", "x", lambda name: "vanilla" in name),
)


def plot(rows: Sequence[Measured], path: Path) -> None:
    """Draw accuracy over the size of the file, and over the time of an image."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    _draw(axes[0], rows, [row.file_bytes / 1024 for row in rows], "file, KiB")
    _draw(axes[1], rows, [row.milliseconds for row in rows], "one image, ms, one thread")
    axes[0].set_xscale("log")
    axes[0].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[1].set_xlim(left=0)
    axes[0].set_ylabel("right, % of 10,000 test images")
    axes[1].legend(loc="lower right", fontsize=8)
    figure.suptitle("One small spiking VGG, compressed: CIFAR-10 (JPEG)")
    figure.savefig(path, dpi=110)


def _draw(axes: Any, rows: Sequence[Measured], places: Sequence[float], label: str) -> None:
    for number, (series, colour, marker, belongs) in enumerate(SERIES):
        found = [(row, place) for row, place in zip(rows, places, strict=True) if belongs(row.name)]
        axes.errorbar(
            [place for _, place in found],
            [row.accuracy for row, _ in found],
            [row.error for row, _ in found],
            color=colour,
            marker=marker,
            ms=5,
            ls=":" if number < 3 else "",
            label=series,
        )
        for row, place in found if number < 2 else ():
            text = f"-{row.name.rpartition('-')[2]} %" if "-" in row.name else row.name
            axes.annotate(text, (place, row.accuracy), xytext=(5, 5), textcoords="offset points", fontsize=7)
    axes.set_xlabel(label)
    axes.grid(alpha=0.3)
