"""Finding rows of a run."""

from __future__ import annotations

from typing import Any

from harness import ALONE

Row = dict[str, Any]


def case_name(row: Row) -> str:
    density = "" if row["density"] is None else f", {row['density']} %"
    return f"{row['workload']} {row['variant']}{density}"


def ours(rows: list[Row], **wanted: Any) -> list[Row]:
    """Our own rows, packed outside, that have these values."""
    return [
        row
        for row in rows
        if row["peer"] == "snncore"
        and row["packing"] == "outside"
        and all(row[key] == value for key, value in wanted.items())
    ]


def same_case(rows: list[Row], row: Row) -> list[Row]:
    """Rows of every subject in the same case whose results were right."""
    keys = ("workload", "variant", "density", "threads", "packing")
    return [r for r in rows if r["equal"] and all(r[key] == row[key] for key in keys)]


def strongest(rows: list[Row], row: Row, peers: tuple[str, ...] = ()) -> Row | None:
    """Give the fastest of the peers (of all, where none is named) in the same case."""
    found = [
        r
        for r in same_case(rows, row)
        if (r["peer"] in peers if peers else not r["peer"].startswith("snncore"))
    ]
    return min(found, key=lambda r: r["median_ms"], default=None)


def speedup(rows: list[Row], row: Row) -> float | None:
    """How many times as fast as our own single thread: in turns with it, or (older runs) before."""
    found = strongest(rows, row, (ALONE,))
    if found is not None:
        return float(found["ratio"])
    case = {key: row[key] for key in ("workload", "variant", "density")}
    one = ours(rows, **case, threads=1)
    return one[0]["median_ms"] / row["median_ms"] if one else None
