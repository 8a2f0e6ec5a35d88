"""Small pictures in a terminal: each character shows two pixels, the upper half block over its background."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.style import Style
from rich.text import Text


def thumbnail(pixels: NDArray[np.uint8], width: int) -> Text:
    """Draw an image [3, H, W] in `width` columns and half as many lines."""
    small = _shrunk(pixels, width)
    text = Text(no_wrap=True)
    for row in range(0, width - width % 2, 2):
        for column in range(width):
            upper, lower = (Color.from_rgb(*map(int, small[:, row + i, column])) for i in (0, 1))
            text.append("▀", Style(color=upper, bgcolor=lower))
        text.append("\n")
    text.rstrip()
    return text


def _shrunk(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Average over areas; every target pixel takes the source pixels that its span touches."""
    image = pixels.astype(np.float64)
    for axis in (1, 2):
        edges = np.linspace(0, image.shape[axis], width + 1)
        spans = [slice(int(a), max(int(np.ceil(b)), int(a) + 1)) for a, b in pairwise(edges)]
        image = np.stack([image.take(range(s.start, s.stop), axis).mean(axis) for s in spans], axis)
    small: NDArray[np.uint8] = image.round().astype(np.uint8)
    return small
