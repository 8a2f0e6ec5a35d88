"""What the recipes share: a log, files that are never half written, intervals of accuracies."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import torch


class Log:
    """Lines on the terminal and in a file, with the time of day."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, line: str) -> None:
        """Write one line."""
        text = f"{time.strftime('%H:%M:%S')} {line}"
        print(text, flush=True)
        with self.path.open("a") as file:
            file.write(text + "\n")


def write_atomically(content: dict[str, Any], path: Path) -> None:
    """Save under another name first, then rename."""
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


def cosine_rate(peak: float, progress: float, warm_up: float) -> float:
    """Learning rate at `progress` 0..1: up in a line for the share `warm_up`, then half a cosine to 0."""
    if progress < warm_up:
        return peak * progress / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (progress - warm_up) / (1 - warm_up)))


def wilson(right: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Give the Wilson score interval of a share, 95 % unless told otherwise, in per cent."""
    share, square = right / count, z * z
    centre = (share + square / (2 * count)) / (1 + square / count)
    half = z * math.sqrt(share * (1 - share) / count + square / (4 * count * count)) / (1 + square / count)
    return 100 * (centre - half), 100 * (centre + half)


def share_text(right: int, count: int) -> str:
    """Write "95 of 100 (95.0 %, 95 % interval 88.8..97.8)"."""
    low, high = wilson(right, count)
    return f"{right} of {count} ({100 * right / count:.1f} %, 95 % interval {low:.1f}..{high:.1f})"
