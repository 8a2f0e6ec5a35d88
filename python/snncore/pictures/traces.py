"""How a state moves over time: membranes or synaptic currents of a few neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .picture import LINES, Picture, columns, new_figure, plain, takes_unicode, whole_numbers
from .rows import bins

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = "_.-~=+*#"
_STYLES = ("-", "--", ":")
MOST = len(LINES) * len(_STYLES)


class Traces(Picture):
    """A state of some neurons of one sample.

    Attributes
    ----------
    name
        What was recorded, such as "lif1.v".
    values
        By neuron, as its coordinates ("3" or "3,0,4"): [T], int or float32.
    spikes
        By neuron: bool [T], where the layer's spikes were recorded, too.
    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, NDArray[Any]],
        spikes: Mapping[str, NDArray[np.bool_]] | None = None,
        sample: int = 0,
    ) -> None:
        self.name, self.values = name, dict(values)
        self.spikes, self.sample = dict(spikes or {}), sample

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """``neurons``: their places; ``values``: [T, neurons]; ``spikes``, if known: bool [T, neurons]."""
        facts = {
            "neurons": np.array(list(self.values)),
            "values": np.stack(list(self.values.values()), axis=1),
        }
        return facts | ({"spikes": np.stack(list(self.spikes.values()), axis=1)} if self.spikes else {})

    @property
    def unit(self) -> str:
        """What the values are, in words."""
        what = {"v": "membrane after reset", "i": "synaptic current"}.get(
            self.name.rpartition(".")[2], "state"
        )
        integers = next(iter(self.values.values())).dtype.kind == "i"
        return f"{what}, {'integers of the file' if integers else 'unit of the threshold'}"

    def text(self, width: int | None = None, *, ascii_only: bool | None = None) -> str:
        """One line a neuron, from the smallest value of all to the largest; columns may be means of steps."""
        total, fancy = columns(width), takes_unicode(ascii_only)
        levels = _LEVELS if fancy else _ASCII_LEVELS
        label = max(map(len, self.values))
        steps = len(next(iter(self.values.values())))
        runs = bins(steps, total - label - 3)
        everything = np.stack(list(self.values.values())).astype(np.float64)
        low, high = float(np.nanmin(everything)), float(np.nanmax(everything))
        scale = (len(levels) - 1) / (high - low) if high > low else 0.0
        together = "" if len(runs) == steps else f", {runs[0][1]} steps a column"
        lines = [f"{self.name} of sample {self.sample}: {self.unit}; {low:.6g} to {high:.6g}{together}"]
        for neuron, values in self.values.items():
            means = [float(np.mean(values[a:b])) for a, b in runs]
            line = "".join("?" if np.isnan(m) else levels[round((m - low) * scale)] for m in means)
            lines.append(f"{neuron:>{label}} |{line}|")
        return "\n".join(lines)

    def figure(self) -> Any:
        """Draw a line a neuron and, above, its spikes where they are known."""
        figure = new_figure(9.6, 4.2 + 0.14 * len(self.spikes))
        if self.spikes:
            heights = [0.16 * len(self.spikes) + 0.2, 3.4]
            above, ax = figure.subplots(2, 1, sharex=True, height_ratios=heights)
            self._ticks(above)
        else:
            ax = above = figure.subplots()
        steps = np.arange(len(next(iter(self.values.values()))))
        dots = "." if len(steps) <= 64 else None
        for i, (neuron, values) in enumerate(self.values.items()):
            style = _STYLES[i // len(LINES) % len(_STYLES)]
            ax.plot(steps, values, style, color=_colour(i), linewidth=1.4, marker=dots, label=neuron)
        ax.set_xlabel("time step", fontsize=9)
        ax.set_ylabel(self.unit.replace(", ", "\n"), fontsize=9)
        above.set_title(f"{self.name} of sample {self.sample}", loc="left", fontsize=11)
        ax.grid(axis="y", color="#eeeeee")
        ax.legend(
            title="neuron",
            fontsize=8,
            title_fontsize=8,
            frameon=False,
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
        )
        whole_numbers(ax.xaxis)
        plain(ax)
        return figure

    def _ticks(self, ax: Any) -> None:
        """Draw a row of ticks a neuron, the first at the top."""
        for i, fired in enumerate(self.spikes.values()):
            ax.eventplot(
                np.flatnonzero(fired), lineoffsets=-i, linelengths=0.8, linewidths=1.6, colors=_colour(i)
            )
        ax.set_ylim(-len(self.spikes) + 0.4, 0.6)
        ax.set_yticks([])
        ax.set_ylabel("spikes", fontsize=9, rotation=0, ha="right", va="center")
        plain(ax)


def _colour(i: int) -> str:
    return LINES[i % len(LINES)]
