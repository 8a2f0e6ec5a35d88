"""docs/img/performance.png: for each workload our time, the strongest peer and the limit, one thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from chapters import case_name, strongest
from shares import limit_ms

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OURS, PEER, LIMIT = "#1b6e8c", "#c9c4ba", "#c2410c"


def plot(run: dict[str, Any], limits: list[dict[str, Any]], path: Path) -> None:
    rows = run["rows"]
    shown = [r for r in rows if r["peer"] == "snncore" and r["packing"] == "outside" and _shown(r)]
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.42 * len(shown)), layout="constrained")
    for y, ours in enumerate(shown):
        best = strongest(rows, ours)
        if best is not None:
            axes.barh(y - 0.19, best["median_ms"], 0.36, color=PEER)
            axes.text(
                best["median_ms"] * 1.06, y - 0.19, best["peer"], va="center", fontsize=7.5, color="#555"
            )
        axes.barh(y + 0.19, ours["median_ms"], 0.36, color=OURS)
        least = limit_ms(ours, limits)
        if least is not None:
            axes.plot([least, least], [y - 0.02, y + 0.4], color=LIMIT, linewidth=2)
    axes.set_yticks(range(len(shown)), [case_name(r) for r in shown])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.12, y=0.01)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("milliseconds, one thread (logarithmic)")
    axes.set_title(f"{run['machine']}, kernels {run['isa']}", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    marks = [plt.Rectangle((0, 0), 1, 1, color=c) for c in (OURS, PEER)]
    marks.append(plt.Line2D([], [], color=LIMIT, linewidth=2))
    names = ["snncore", "strongest peer", "limit of the machine"]
    axes.legend(marks, names, frameon=False, fontsize=8, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def _shown(row: dict[str, Any]) -> bool:
    return row["threads"] == 1 and row["density"] in (None, 20) and row["variant"] != "lif-fused"
