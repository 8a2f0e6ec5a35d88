"""Runs that the C++ program `run_cases` repeats where no Python is: on an emulated Arm.

Where SNNCORE_CASES names a folder, every call of `Model.run` in a test leaves a file there: model, input and
what the engine gave, which the test compares with the reference.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

import snncore

#: Larger ones would take an emulator long.
MOST_BYTES = 64 << 10
DTYPES = ("bool", "uint8", "float32")


def keep(folder: Path) -> None:
    """From now on write the runs of one array that record nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = snncore.Model.run

    def run(self: snncore.Model, x: Any, **options: Any) -> Any:
        made = plain(self, x, **options)
        if isinstance(x, np.ndarray) and x.dtype.name in DTYPES and options.get("record") is None:
            _write(folder, self, x, options, made)
        return made

    snncore.Model.run = run  # type: ignore[method-assign]


def _write(folder: Path, model: snncore.Model, x: np.ndarray, options: dict[str, Any], made: Any) -> None:
    layout = options.get("layout") or model.inputs[0].layout
    outputs = (
        [made] if isinstance(made, np.ndarray) else list(made.values()) if isinstance(made, dict) else []
    )
    if "N" not in layout or len(model.inputs) != 1 or not outputs or options.get("packed"):
        return
    timed = x.shape[layout.index("T")] if "T" in layout else None
    steps = timed or options.get("timesteps") or model.timesteps
    blobs = [model.to_bytes(), np.ascontiguousarray(x).tobytes(), b"".join(y.tobytes() for y in outputs)]
    if sum(map(len, blobs)) > MOST_BYTES:
        return
    header = {
        "layout": layout,
        "steps": steps,
        "batch": x.shape[layout.index("N")],
        "dtype": "f32" if x.dtype == np.float32 else "u8" if x.dtype == np.uint8 else "bool",
        "shape": " ".join(map(str, x.shape)),
        "bytes": " ".join(str(len(blob)) for blob in blobs),
    }
    text = "".join(f"{key} {value}\n" for key, value in header.items())
    data = b"".join([text.encode(), b"\n", *blobs])
    (folder / f"{hashlib.sha1(data).hexdigest()}.case").write_bytes(data)
