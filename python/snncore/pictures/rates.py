"""How often the neurons of a layer fire: bars, of one run or of several side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .picture import LINES, Picture, columns, new_figure, plain, short, takes_unicode

_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Rates(Picture):
    """Firing rates by layer, in spikes per neuron and step.

    Attributes
    ----------
    sides
        By run, then by layer. One run has the name "".
    """

    def __init__(self, sides: Mapping[str, Mapping[str, float]], about: str = "") -> None:
        self.sides, self.about = {who: dict(rates) for who, rates in sides.items()}, about

    @property
    def values(self) -> dict[str, float]:
        """The rates of the first run, by layer."""
        return dict(next(iter(self.sides.values())))

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """``layers``: the names; ``rates``: float64 [runs, layers]; ``runs``: their names."""
        names = list(self.values)
        return {
            "layers": np.array(names),
            "rates": np.array([[rates[name] for name in names] for rates in self.sides.values()]),
            "runs": np.array(list(self.sides)),
        }

    def text(self, width: int | None = None, *, ascii_only: bool | None = None) -> str:
        """One bar a layer and run, the longest as long as fits."""
        total, fancy = columns(width), takes_unicode(ascii_only)
        names = list(self.values)
        label = min(max(map(len, names), default=0), total // 3)
        run = min(max(map(len, self.sides)), total // 4)
        room = max(4, total - label - run - 11)
        top = max((r for rates in self.sides.values() for r in rates.values()), default=0.0) or 1.0
        lines = ["firing rate, spikes per neuron and step" + (f" ({self.about})" if self.about else "")]
        for name in names:
            for i, (who, rates) in enumerate(self.sides.items()):
                layer = short(name, label) if i == 0 else ""
                bar = _bar(rates[name] / top * room, fancy)
                lines.append(f"{layer:<{label}} {short(who, run):<{run}} {rates[name]:8.4f} {bar}".rstrip())
        return "\n".join(lines)

    def figure(self) -> Any:
        """Draw horizontal bars, the first layer at the top."""
        names, count = list(self.values), len(self.sides)
        figure = new_figure(9.6, min(1.2 + 0.26 * len(names) * (0.5 + 0.5 * count), 60.0))
        ax = figure.subplots()
        thick = 0.8 / count
        places = np.arange(len(names))
        for i, (who, rates) in enumerate(self.sides.items()):
            values = [rates[name] for name in names]
            bars = ax.barh(
                places + (i - (count - 1) / 2) * thick,
                values,
                thick * 0.92,
                color=LINES[i],
                label=who or None,
            )
            ax.bar_label(bars, [f"{value:.4f}" for value in values], padding=3, fontsize=8, color="#333333")
        ax.set_yticks(places, [short(name, 40) for name in names])
        ax.invert_yaxis()
        ax.margins(x=0.12)
        ax.set_xlim(left=0)
        ax.set_xlabel("spikes per neuron and step", fontsize=9)
        ax.set_title("Firing rates" + (f", {self.about}" if self.about else ""), loc="left", fontsize=11)
        if count > 1:
            ax.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0.45, 1.0), ncols=count)
        plain(ax)
        return figure


def _bar(length: float, fancy: bool) -> str:
    if not fancy:
        return "#" * round(length)
    whole, eighths = divmod(round(length * 8), 8)
    return "█" * whole + (_EIGHTHS[eighths] if eighths else "")
