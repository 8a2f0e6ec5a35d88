"""Result files: whole or not there."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: str | Path, text: str) -> None:
    """Write under a temporary name beside `path`, then rename; "-" is standard output."""
    if str(path) == "-":
        print(text)
        return
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text + "\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
