"""Rows as Markdown tables: one for each workload and number of threads."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
#: The column of our share of what the machine could do.
SHARE = "share of limit"


def markdown(rows: list[Row]) -> str:
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["workload"], row["threads"]), []).append(row)
    return "\n\n".join(_table(workload, threads, group) for (workload, threads), group in groups.items())


def _table(workload: str, threads: int, rows: list[Row]) -> str:
    """One line for each case; one column for each subject: milliseconds, and how many times ours."""
    packings = sorted({row["packing"] for row in rows}, reverse=True)  # outside first
    peers = list(dict.fromkeys(row["peer"] for row in rows if row["peer"] != "snncore"))
    own = [f"snncore, packing {p}" for p in packings]
    shares = [SHARE] if any("limit_ms" in row for row in rows) else []
    lines = [["case", *own, *shares, *peers]]
    for case in dict.fromkeys((row["variant"], row["density"]) for row in rows):
        found = {
            (row["peer"], row["packing"]): row for row in rows if (row["variant"], row["density"]) == case
        }
        lines.append(_line(case, found, packings, [*shares, *peers]))
    title = f"**{workload}**, {threads} thread{'s' if threads > 1 else ''}, ms (times ours)"
    rule = ["---"] + ["---:"] * (len(lines[0]) - 1)
    return "\n".join(
        [title, "", *("| " + " | ".join(cells) + " |" for cells in [lines[0], rule, *lines[1:]])]
    )


def _line(
    case: tuple[str, int | None], found: dict[tuple[str, str], Row], packings: list[str], others: list[str]
) -> list[str]:
    variant, density = case
    cells = [variant if density is None else f"{variant}, {density} %"]
    cells += [cell(found.get(("snncore", p))) for p in packings]
    for other in others:
        row = found.get((other, "outside")) or found.get((other, "inside"))
        cells.append(_share(found[("snncore", packings[0])]) if other == SHARE else cell(row, ratio=True))
    return cells


def _share(row: Row) -> str:
    return f"{row['limit_ms'] / row['median_ms']:.1%}" if "limit_ms" in row else "-"


def cell(row: Row | None, ratio: bool = False) -> str:
    if row is None:
        return "-"
    text = f"{row['median_ms']:.3g}" if row["median_ms"] < 100 else f"{row['median_ms']:.0f}"
    if ratio:
        text += f" ({row['ratio']:.2g}x)" if row["ratio"] < 100 else f" ({row['ratio']:.0f}x)"
    return text if row["equal"] else f"{text} DIFFERS"
