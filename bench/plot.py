"""docs/img/performance-*.png: for each workload our time, the peers and the limit, one thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from rows import Row, case_name, ours, same_case, strongest
from shares import Limits, limit_ms

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OURS, PEER, OTHER, LIMIT = "#1b6e8c", "#c9c4ba", "#8a8478", "#c2410c"


def plot(run: dict[str, Any], limits: Limits, path: Path) -> None:
    rows = run["rows"]
    shown = [row for row in ours(rows, threads=1) if _shown(row)]
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.42 * len(shown)), layout="constrained")
    for y, row in enumerate(shown):
        best = strongest(rows, row)
        if best is not None:
            axes.barh(y - 0.19, best["median_ms"], 0.36, color=PEER)
        others = [r["median_ms"] for r in same_case(rows, row) if not r["peer"].startswith("snncore")]
        axes.plot(others, [y - 0.19] * len(others), ".", color=OTHER, markersize=4)
        if best is not None:
            name = {"s": best["peer"], "x": best["median_ms"] * 0.94, "ha": "right"}
            axes.text(y=y - 0.19, va="center", fontsize=7.5, color="#444", **name)
        axes.barh(y + 0.19, row["median_ms"], 0.36, color=OURS)
        least = limit_ms(row, limits, run["isa"])
        if least is not None:
            axes.plot([least, least], [y - 0.02, y + 0.4], color=LIMIT, linewidth=2)
    axes.set_yticks(range(len(shown)), [case_name(row) for row in shown])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.12, y=0.01)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("milliseconds, one thread (logarithmic)")
    axes.set_title(f"{run['machine']}, kernels {run['isa']}", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    marks = [plt.Rectangle((0, 0), 1, 1, color=c) for c in (OURS, PEER)]
    marks.append(plt.Line2D([], [], color=OTHER, marker=".", linestyle="none"))
    marks.append(plt.Line2D([], [], color=LIMIT, linewidth=2))
    names = ["snncore", "strongest peer", "each peer", "limit of the machine"]
    axes.legend(marks, names, frameon=False, fontsize=8, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def _shown(row: Row) -> bool:
    return row["density"] in (None, 20) and row["variant"] != "lif-fused"
