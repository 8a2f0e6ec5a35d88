"""Memory of this process, as Linux tells it; elsewhere nothing is known."""

from __future__ import annotations

from pathlib import Path


def _status(name: str) -> int | None:
    path = Path("/proc/self/status")
    if not path.exists():
        return None
    for line in path.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return None


def resident() -> int | None:
    return _status("VmRSS")


def peak_since(before: int | None) -> int | None:
    """How much more than `before` was in memory at the worst moment, in a process that began with it."""
    peak = _status("VmHWM")
    return None if peak is None or before is None else max(0, peak - before)
