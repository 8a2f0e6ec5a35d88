"""CIFAR-10 for training: pixels to inputs, batches shifted and mirrored, the accuracy of a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cifar10
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncore.reference import Network

PREPROCESS: dict[str, Any] = {"zero_point": [125, 123, 114], "scale": 1.0 / (255 * 0.25), "size": [32, 32]}


class Augmented:
    """Training batches, shuffled, shifted by up to 4 pixels, mirrored: uint8 [N, 3, 32, 32], NHWC order."""

    PAD = 4

    def __init__(self, split: cifar10.Split, batch: int, rng: torch.Generator) -> None:
        images = torch.from_numpy(split.images)
        n, size = images.shape[0], images.shape[1]
        # The border has the value that normalises to 0, as the zero padding of a convolution does.
        border = torch.tensor(PREPROCESS["zero_point"], dtype=torch.uint8)
        self.padded = border.expand(n, size + 2 * self.PAD, size + 2 * self.PAD, 3).clone()
        self.padded[:, self.PAD : self.PAD + size, self.PAD : self.PAD + size] = images
        self.labels = torch.from_numpy(split.labels)
        self.size, self.batch, self.rng = size, batch, rng

    def __len__(self) -> int:
        return len(self.labels) // self.batch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.labels), generator=self.rng)
        for i in range(len(self)):
            index = order[i * self.batch : (i + 1) * self.batch]
            shift = torch.randint(0, 2 * self.PAD + 1, (2, self.batch, 1), generator=self.rng)
            mirror = torch.rand((self.batch, 1), generator=self.rng) < 0.5
            line = torch.arange(self.size)
            rows = shift[0] + line
            columns = shift[1] + torch.where(mirror, line.flip(0), line)
            pixels = self.padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]
            yield pixels.permute(0, 3, 1, 2), self.labels[index]


@torch.no_grad()
def predictions(net: Network, split: cifar10.Split, batch: int = 250) -> NDArray[np.int64]:
    """Give the label that a network in evaluation mode answers for each image."""
    net.eval()
    images = torch.from_numpy(split.images).permute(0, 3, 1, 2)
    answers = [net(net.normalise(images[i : i + batch])).argmax(1) for i in range(0, len(images), batch)]
    labels: NDArray[np.int64] = torch.cat(answers).numpy()
    return labels


def accuracy(net: Network, split: cifar10.Split, batch: int = 250) -> float:
    """Share of right answers, in per cent, in evaluation mode."""
    return 100.0 * float((predictions(net, split, batch) == split.labels).mean())
