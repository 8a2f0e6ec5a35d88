"""Which settings of an index nothing beats."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
QPS = "qps"


def front(rows: list[Row], speed: str = QPS) -> list[Row]:
    """Keep the rows that no other beats in recall and speed, by rising recall."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda r: (-r["recall"], -r[speed])):
        if not best or row[speed] > best[-1][speed]:
            best.append(row)
    return best[::-1]


def fastest(rows: list[Row], recall: float, speed: str = QPS) -> Row | None:
    """Give the fastest row of at least that recall."""
    enough = [row for row in rows if row["recall"] >= recall]
    return max(enough, key=lambda row: float(row[speed]), default=None)


def by_index(run: dict[str, Any], dataset: str) -> dict[str, list[Row]]:
    """Give the rows of a data set, index by index, in the order in which they were measured."""
    found: dict[str, list[Row]] = {}
    for row in run["rows"]:
        if row["dataset"] == dataset:
            found.setdefault(row["index"], []).append(row)
    return found
