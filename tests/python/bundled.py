"""Runs the bundled model in a process of its own, so that each kernel level can be forced.

    python tests/python/bundled.py images.npy sequence|stream THREADS

prints the SHA-256 of the integer logits (int64 [N, 10]), and on a second line the labels.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np

MODEL = Path(str(files("snncore") / "data" / "cifar10_vgg.snn"))
SUMS = "logits.sum"  # the readout's integer sums over time
BATCH = 50


def integer_logits(images: np.ndarray, mode: str, threads: int) -> np.ndarray:
    """Sums over time of the readout, int64 [N, 10], of uint8 images [N, 3, 32, 32]."""
    import snncore

    model = snncore.load(MODEL)
    parts, name = [], SUMS
    for start in range(0, len(images), BATCH):
        part = np.ascontiguousarray(images[start : start + BATCH])
        if mode == "sequence":
            parts.append(model.run(part, threads=threads, record=[name]).states[name])
        else:
            parts.append(_streamed(model, part, threads, name))
    return np.concatenate(parts)


def _streamed(model, part: np.ndarray, threads: int, name: str) -> np.ndarray:
    with model.stream(threads=threads, batch=len(part), record=[name]) as session:
        for _ in range(model.timesteps):
            result = session.step(part)
        return result.states[name]


def digest(logits: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(logits, dtype="<i8").tobytes()).hexdigest()


def levels() -> list[str]:
    """The kernel levels that this CPU can run."""
    found = []
    for level in ("scalar", "avx2", "avx512", "avx512_amx", "neon", "neon_dotprod", "neon32"):
        done = subprocess.run(
            [sys.executable, "-c", "import snncore; snncore.isa()"],
            env={**os.environ, "SNNCORE_ISA": level},
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            found.append(level)
    return found


def at_level(level: str, images: Path, mode: str, threads: int) -> str:
    """The digest that a process with this level forced prints."""
    done = subprocess.run(
        [sys.executable, __file__, str(images), mode, str(threads)],
        env={**os.environ, "SNNCORE_ISA": level},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


if __name__ == "__main__":
    print(digest(integer_logits(np.load(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
