"""One line about the machine that a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def machine() -> str:
    """Write "AMD EPYC 7543, 2 CPUs, Linux x86_64"."""
    return f"{_processor()}, {_cpus()} CPUs, {platform.system()} {platform.machine()}"


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    board = Path("/proc/device-tree/model")
    if board.exists():  # "Raspberry Pi 4 Model B Rev 1.4"
        return board.read_text(errors="replace").strip("\0\n ")
    info = Path("/proc/cpuinfo")
    for line in info.read_text(errors="replace").splitlines() if info.exists() else ():
        if line.startswith(("model name", "Model")) and ":" in line:
            return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or "unknown processor"
