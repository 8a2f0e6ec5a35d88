"""What a workload asks of the machine, and the least time that its measured limits allow."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

CONV = 4 * 32 * 32 * 128 * 9 * 128  # W2 has as many
#: (workload, variant): operations, and the limits that bound them, the fastest counting.
WORK: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {
    **{(w, "w1"): (CONV, ("and_popcount", "and_popcount_carry_save")) for w in ("W1", "W2")},
    **{(w, "w4"): (CONV, ("lookup_add",)) for w in ("W1", "W2")},
    ("W3", "w1"): (4 * 196 * 384 * 1536, ("and_popcount", "and_popcount_carry_save")),
    ("W5", "lif"): (4 * 524_288, ("lif_i16",)),
    ("W6", "k10-256"): (1000 * 1e6 * 256, ("and_popcount", "and_popcount_carry_save")),
}


def limit_ms(row: Row, limits: list[dict[str, Any]]) -> float | None:
    """Give the least time for the row's workload at its number of threads, where one is known."""
    work = WORK.get((row["workload"], row["variant"]))
    if work is None:
        return None
    operations, names = work
    rates = [e["best"] for e in limits if e["name"] in names and e["threads"] == row["threads"]]
    return operations / max(rates) * 1e3 if rates else None


def share(row: Row, limits: list[dict[str, Any]]) -> float | None:
    least = limit_ms(row, limits)
    return None if least is None else least / row["median_ms"]
