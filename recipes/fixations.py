"""Pictures of attention: which patches a saccadic network looks at, step by step, drawn over the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cifar10
import numpy as np
import torch
from numpy.typing import NDArray

from snncore.reference import Network, saccades

DIM = 0.25  # brightness of a patch that is not looked at
FRAME = np.array([255, 200, 0], dtype=np.uint8)


def draw(net: Network, images: NDArray[np.uint8], labels: NDArray[np.int64], path: Path) -> None:
    """Draw images uint8 [N, H, W, 3], one a row: as it is, then every saccadic neuron at every step.

    A patch that is looked at keeps its brightness and has a frame. With several heads, one of them is enough.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    x = net.normalise(torch.from_numpy(images).permute(0, 3, 1, 2))
    spikes = net.spikes(x)
    looks = {n: s.amax(2).bool().numpy() for n, s in spikes.items() if n in saccades(net)}  # [T, N, H, W]
    answers = net(x).argmax(1).tolist()
    steps = len(next(iter(looks.values())))
    figure, axes = plt.subplots(
        len(images),
        1 + steps * len(looks),
        figsize=(1.3 * (1 + steps * len(looks)), 1.35 * len(images)),
        squeeze=False,
    )
    for row, image in enumerate(images):
        cells = [(image, f"{cifar10.LABELS[labels[row]]} (says {cifar10.LABELS[answers[row]]})")]
        for number, fixated in enumerate(looks.values(), 1):
            cells += [
                (_seen(image, fixated[t, row]), f"block {number}, t = {t + 1}: {fixated[t, row].mean():.0%}")
                for t in range(steps)
            ]
        for axis, (picture, title) in zip(axes[row], cells, strict=True):
            _show(axis, picture, title)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _show(axis: Any, picture: NDArray[np.uint8], title: str) -> None:
    axis.imshow(picture, interpolation="nearest")
    axis.set_title(title, fontsize=5)
    axis.axis("off")


def _seen(image: NDArray[np.uint8], fixated: NDArray[np.bool_], zoom: int = 4) -> NDArray[np.uint8]:
    """Dim what is not looked at, and frame what is: uint8 [zoom * H, zoom * W, 3]."""
    large = image.repeat(zoom, 0).repeat(zoom, 1)
    side = large.shape[0] // fixated.shape[0], large.shape[1] // fixated.shape[1]
    bright = np.where(fixated, 1.0, DIM).repeat(side[0], 0).repeat(side[1], 1)[..., None]
    seen: NDArray[np.uint8] = (large * bright).astype(np.uint8)
    for i, j in np.argwhere(fixated):
        patch = seen[i * side[0] : (i + 1) * side[0], j * side[1] : (j + 1) * side[1]]
        patch[0], patch[-1], patch[:, 0], patch[:, -1] = FRAME, FRAME, FRAME, FRAME
    return seen
