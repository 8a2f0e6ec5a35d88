"""Queries a second against recall: the fronts of each data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Row = dict[str, Any]


def front(rows: list[Row]) -> list[Row]:
    """Keep the rows that no other beats in recall and speed."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda r: (-r["recall"], -r["qps"])):
        if not best or row["qps"] > best[-1]["qps"]:
            best.append(row)
    return best[::-1]


def draw(rows: list[Row], path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    figure, axes = plt.subplots(1, len(datasets), figsize=(6 * len(datasets), 5), squeeze=False)
    for axis, dataset in zip(axes[0], datasets, strict=True):
        some = [row for row in rows if row["dataset"] == dataset]
        for name in dict.fromkeys(row["index"] for row in some):
            points = front([row for row in some if row["index"] == name])
            axis.plot(
                [p["recall"] for p in points],
                [p["qps"] for p in points],
                marker="o",
                label=name,
                linewidth=2 if name.startswith("snncore") else 1,
            )
        axis.set(yscale="log", xlabel="recall@10", ylabel="queries a second", title=dataset)
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
