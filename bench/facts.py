"""Where and with what a run was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Any

import snncore
from levels import limits

PACKAGES = ("torch", "onnxruntime", "faiss-cpu", "hnswlib", "usearch", "numkong", "numpy")


def facts() -> dict[str, Any]:
    return {
        "machine": _cpu(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "isa": snncore.isa(),
        "limited_by": limits(),
        "avx512": "avx512" in _flags() if platform.machine() == "x86_64" else None,
        "commit": _commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "versions": {"snncore": snncore.__version__, "python": platform.python_version(), **_versions()},
        "clock": "processor time with 1 thread, wall time with several; medians, subjects in turns",
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def _cpu() -> str:
    """Give its name and, on x86, family and model: a virtual machine seldom names more than the brand."""
    pairs = [line.split(":", 1) for line in _cpuinfo().splitlines() if ":" in line]
    fields = {key.strip(): value.strip() for key, value in reversed(pairs)}  # of the first core
    name = fields.get("model name") or fields.get("Model") or platform.processor() or platform.machine()
    name = " ".join(re.sub(r"\((R|TM)\)|\bProcessor\b|\bCPU\b|@.*", "", name).split())
    if "cpu family" not in fields:
        return name
    return f"{name} (family {fields['cpu family']}, model {fields['model']})"


def folder() -> str:
    """Give the name of this CPU as that of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", _cpu().lower()).strip("-")


def _flags() -> str:
    return next((line for line in _cpuinfo().splitlines() if line.startswith("flags")), "")


def _commit() -> str:
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=here, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + (
        "+changes" if git("status", "--porcelain", "-uno") else ""
    )
