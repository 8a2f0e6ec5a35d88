"""Limiting this process to an instruction set: ours, and the peers that can be told."""

from __future__ import annotations

import os

#: What is set for a level besides SNNCORE_ISA. torch reads the first, its oneDNN the second. Other peers
#: cannot be told and use what the CPU has.
PEERS = {
    "scalar": {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "avx512": {"ATEN_CPU_CAPABILITY": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"},
}
LEVELS = ("scalar", "avx2", "avx512", "avx512_amx", "neon", "neon_dotprod", "neon32")
#: Those with AVX-512, for which promises were made.
WITH_AVX512 = ("avx512", "avx512_amx")


def limit_to(level: str) -> None:
    """Set the variables; to be called before anything that reads them is imported."""
    os.environ.update({"SNNCORE_ISA": level, **PEERS.get(level, {})})


def limits() -> dict[str, str]:
    """Give the variables that are set."""
    names = ("SNNCORE_ISA", *PEERS["avx2"])
    return {name: os.environ[name] for name in names if os.environ.get(name)}
