"""What a workload asks of the machine, and the least time that its measured limits allow."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import MissingError

Row = dict[str, Any]
Limits = list[dict[str, Any]]

#: Where preset release builds what measures them.
PROGRAM = Path(__file__).parent.parent / "build" / "release" / "bench" / "bench_limits"

CONV = 4 * 32 * 32 * 128 * 9 * 128  # W2 has as many
#: (workload, variant): operations, and the limits that bound them, the fastest counting. For a layer this is
#: one popcount a word, as was promised, though AVX-512 does with two for three (``and_popcount_parity``) and
#: may pass it; its tile has no room for more adders. A scan of codes may count as it likes.
WORK: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {
    **{(w, "w1"): (CONV, ("and_popcount",)) for w in ("W1", "W2")},
    **{(w, "w4"): (CONV, ("lookup_add",)) for w in ("W1", "W2")},
    ("W3", "w1"): (4 * 196 * 384 * 1536, ("and_popcount",)),
    ("W5", "lif"): (4 * 524_288, ("lif_i16",)),
    ("W6", "k10-256-q1"): (32e6, ("read_32mb",)),  # bytes: one query reads each code once
    ("W6", "k10-256"): (1000 * 1e6 * 256, ("and_popcount", "and_popcount_carry_save")),
}
#: The level below: its limit holds where a level has none of its own.
BELOW = {"neon_dotprod": "neon", "avx512_amx": "avx512", "avx512": "avx2", "avx2": "scalar"}


def limit_ms(row: Row, limits: Limits, isa: str) -> float | None:
    """Give the least time for the row's workload at its threads and the run's level, where one is known.

    Limits that were measured right before and after the row, if any, else those given.
    """
    if "limit_ms" in row:
        return float(row["limit_ms"])
    work = WORK.get((row["workload"], row["variant"]))
    if work is None:
        return None
    operations, names = work
    most = rate(limits, names, row["threads"], isa)
    return None if most is None else operations / most * 1e3


def measured(program: Path, name: str, threads: int = 1) -> Limits:
    """Measure the limits of that name, now, on this machine."""
    if not program.is_file():
        raise MissingError(
            f"no {program}: build the target bench_limits of preset release, or say where it is"
        )
    command = [str(program), "--filter", name, "--threads", str(threads), "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    limits: Limits = json.loads(found.stdout)["results"]
    return limits


def beside_limits(program: Path, work: Callable[[], list[Row]], *, case: Row, isa: str) -> list[Row]:
    """Give the rows of `work`, ours with the least time by limits measured before and after it.

    A machine that others use is not as fast from one minute to the next. `case`: workload, variant, threads.
    """
    known = WORK.get((case["workload"], case["variant"]))
    if known is None:
        return work()
    name = known[1][0]  # of the names the shortest, with which the others begin
    before = limit_ms(case, measured(program, name, case["threads"]), isa)
    rows = work()
    after = limit_ms(case, measured(program, name, case["threads"]), isa)
    if before is not None and after is not None:
        for row in rows:
            if row["peer"] == "snncore":
                row["limit_ms"] = round((before + after) / 2, 5)
    return rows


def rate(limits: Limits, names: tuple[str, ...], threads: int, isa: str) -> float | None:
    """Give the most operations a second of these limits, at this level or the next one below that has any."""
    level: str | None = isa
    while level is not None:
        rates: list[float] = [
            e["best"] for e in limits if e["name"] in names and e["threads"] == threads and e["isa"] == level
        ]
        if rates:
            return max(rates)
        level = BELOW.get(level)
    return None


def share(row: Row, limits: Limits, isa: str) -> float | None:
    least = limit_ms(row, limits, isa)
    return None if least is None else least / row["median_ms"]
