"""Queries a second against recall: the fronts of a data set, asked one by one and all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

from .fronts import by_index, front

matplotlib.use("Agg")
from matplotlib import pyplot as plt

OURS = ["#0b4f6c", "#1b8ab5", "#0f766e", "#22a06b", "#6d28d9"]
OTHERS = ["#c2410c", "#e08e0b", "#9a3412", "#b45309", "#be123c", "#737373", "#a3a3a3", "#44403c"]
PANELS = (("qps", "asked one by one"), ("batch_qps", "asked all at once"))
#: Recall is drawn by what is missed, so that 0.9, 0.99 and 0.999 are as far apart.
RECALLS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
LEAST_MISSED = 5e-4


def draw_all(run: dict[str, Any], folder: Path) -> list[Path]:
    """Draw ann-<set>.png for each data set and give their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_draw(run, about, folder) for about in run["sets"]]


def _draw(run: dict[str, Any], about: dict[str, Any], folder: Path) -> Path:
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained", sharey=True)
    ours, others = iter(OURS), iter(OTHERS)
    for name, rows in by_index(run, about["dataset"]).items():
        own = name.startswith("snncore")
        style = {"color": next(ours if own else others, "#000"), "linewidth": 2 if own else 1}
        style |= {"marker": "o" if own else "s", "markersize": 4, "label": name}
        for axis, (speed, _) in zip(axes, PANELS, strict=True):
            points = front(rows, speed)
            missed = [max(LEAST_MISSED, 1 - p["recall"]) for p in points]
            axis.plot(missed, [p[speed] for p in points], **style)
    for axis, (_, title) in zip(axes, PANELS, strict=True):
        axis.set(xscale="log", yscale="log", xlabel="recall@10 (the last line: 0.9995 and more)")
        axis.set_xlim(1 - RECALLS[0], LEAST_MISSED * 0.85)
        axis.set_xticks([*(1 - r for r in RECALLS), LEAST_MISSED], [*(f"{r:g}" for r in RECALLS), "1"])
        axis.minorticks_off()
        axis.set_title(title, fontsize=10)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("queries a second (logarithmic)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper", fontsize=8, frameon=False)
    title = f"{about['dataset']}: {about['vectors']:,} vectors of {about['dim']}"
    figure.suptitle(f"{title}, {run['threads']} thread, {run['machine']}", fontsize=11)
    path = folder / f"ann-{about['dataset']}.png"
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
    return path
