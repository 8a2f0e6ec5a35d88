"""Who fired when: one run, or two and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .picture import (
    INK,
    OURS,
    PALE,
    THEIRS,
    Picture,
    columns,
    new_figure,
    plain,
    short,
    takes_unicode,
    whole_numbers,
)
from .rows import bins, shares, spread, with_marked

Grid = NDArray[np.bool_]

#: Neurons of a layer that a text and a picture show, and layers in one picture.
_TEXT_ROWS, _ROWS, _LAYERS = 32, 96, 24
#: Steps that a panel shows one by one; more are put together.
_STEPS, _PAIR_STEPS = 900, 300
_LEVELS = " ▁▂▃▄▅▆▇█"
_ASCII_LEVELS = " .:-=+*#@"


class Raster(Picture):
    """The spikes of one sample, layer by layer.

    Attributes
    ----------
    grids
        By layer: bool [T, neurons], neurons in the order C, H, W.
    """

    def __init__(self, grids: Mapping[str, Grid], sample: int = 0) -> None:
        self.grids, self.sample = dict(grids), sample

    @property
    def arrays(self) -> dict[str, Grid]:
        """The spikes by layer, bool [T, neurons]."""
        return dict(self.grids)

    def text(self, width: int | None = None, *, ascii_only: bool | None = None) -> str:
        """One line a neuron, at most 32 of a layer, spread evenly; a column a step, or several steps."""
        total, fancy = columns(width), takes_unicode(ascii_only)
        return "\n".join(_text(name, grid, total, fancy) for name, grid in self.grids.items())

    def figure(self) -> Any:
        """Draw a panel a layer, at most 96 neurons in each, spread evenly."""
        shown = list(self.grids.items())[:_LAYERS]
        heights = [_height(grid) for _, grid in shown]
        figure = new_figure(9.6, 0.7 + sum(heights))
        axes = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
        for (name, grid), ax in zip(shown, axes, strict=True):
            rows = spread(grid.shape[1], _ROWS)
            _cells(ax, grid, rows, _STEPS, {1: INK})
            some = "" if len(rows) == grid.shape[1] else f", {len(rows)} shown, spread evenly"
            facts = f"{grid.shape[1]:,} neurons{some}; {grid.mean():.4f} spikes per neuron and step"
            _heading(ax, short(name, 40), facts)
            ax.set_ylabel("neuron", fontsize=9)
        axes[-1].set_xlabel("time step", fontsize=9)
        left_out = len(self.grids) - len(shown)
        note = f", {left_out} more layers not shown" if left_out else ""
        figure.suptitle(f"Spikes of sample {self.sample}{note}", x=0.02, ha="left", fontsize=11)
        return figure


class RasterPair(Picture):
    """The spikes of one sample as two runs fired them, and where they differ.

    Attributes
    ----------
    pairs
        By layer: (ours, theirs), each bool [T, neurons].
    first
        (layer, step) of the first difference, if any.
    """

    def __init__(
        self,
        pairs: Mapping[str, tuple[Grid, Grid]],
        *,
        sample: int = 0,
        names: tuple[str, str] = ("ours", "theirs"),
        first: tuple[str, int] | None = None,
    ) -> None:
        self.pairs, self.sample, self.names, self.first = dict(pairs), sample, names, first

    @property
    def arrays(self) -> dict[str, Grid]:
        """By layer ``<layer>.ours`` and ``<layer>.theirs``, bool [T, neurons]."""
        sides: dict[str, Grid] = {}
        for name, (ours, theirs) in self.pairs.items():
            sides |= {f"{name}.ours": ours, f"{name}.theirs": theirs}
        return sides

    def text(self, width: int | None = None, *, ascii_only: bool | None = None) -> str:
        """One line a neuron, at most 32 of a layer: first those that differ, the others spread evenly.

        Where something differs, layers without a difference are one line.
        """
        total, fancy = columns(width), takes_unicode(ascii_only)
        none, both, ours, theirs = _PAIR_GLYPHS[fancy]
        legend = f"{both} both  {ours} {self.names[0]} only  {theirs} {self.names[1]} only  {none} neither"
        any_differ = any((a != b).any() for a, b in self.pairs.values())
        parts = [_pair_text(name, *pair, total, fancy, any_differ) for name, pair in self.pairs.items()]
        return "\n".join([f"sample {self.sample}: {legend}", *parts])

    def figure(self) -> Any:
        """Draw three panels a layer: each run, and the difference."""
        shown = self._shown()
        heights = [_height(ours) for ours, _ in shown.values()]
        figure = new_figure(11.0, 1.0 + sum(heights))
        axes = figure.subplots(len(shown), 3, squeeze=False, height_ratios=heights, sharey="row")
        for row, (name, (ours, theirs)) in zip(axes, shown.items(), strict=True):
            self._row(row, name, ours, theirs)
        for ax in axes[-1]:
            ax.set_xlabel("time step", fontsize=9)
        figure.suptitle(self._title(len(shown)), x=0.02, ha="left", fontsize=11)
        _legend(figure, self.names)
        return figure

    def _shown(self) -> dict[str, tuple[Grid, Grid]]:
        """Give the layers to draw: all, or the first ones with the one that parts first."""
        names = list(self.pairs)
        kept = names[:_LAYERS]
        if self.first is not None and self.first[0] in names[_LAYERS:]:
            kept[-1] = self.first[0]
        return {name: self.pairs[name] for name in kept}

    def _title(self, shown: int) -> str:
        differing = sum(int((a != b).sum()) for a, b in self.pairs.values())
        title = f"Sample {self.sample}: {self.names[0]} and {self.names[1]}, "
        title += f"{differing:,} spikes differ" if differing else "every spike equal"
        if self.first is not None and self.first[0] in self.pairs:
            title += f"; first in '{short(self.first[0], 40)}' at step {self.first[1]}"
        left_out = len(self.pairs) - shown
        return title + (f" ({left_out} more layers not shown)" if left_out else "")

    def _row(self, row: Any, name: str, ours: Grid, theirs: Grid) -> None:
        differ = ours != theirs
        rows = with_marked(differ.any(axis=0), _ROWS)
        for ax, grid, who in zip(row, (ours, theirs), self.names, strict=False):
            _cells(ax, grid, rows, _PAIR_STEPS, {1: INK})
            _heading(ax, f"{short(name, 24)}: {short(who, 24)}", f"rate {grid.mean():.4f}")
        _cells(row[2], _kinds(ours, theirs), rows, _PAIR_STEPS, {1: PALE, 2: OURS, 3: THEIRS})
        _ring(row[2], differ[:, rows], _PAIR_STEPS)
        some = "" if len(rows) == ours.shape[1] else f", {len(rows)} neurons shown"
        _heading(row[2], "difference", f"{int(differ.sum()):,} of {differ.size:,}{some}")
        row[0].set_ylabel("neuron", fontsize=9)


_GLYPHS = {True: ("┃", "·"), False: ("|", ".")}
#: By what `_kinds` says.
_PAIR_GLYPHS = {True: ("·", "┃", "▲", "▼"), False: (".", "|", "+", "-")}


def _text(name: str, grid: Grid, total: int, fancy: bool) -> str:
    steps, neurons = grid.shape
    rows = spread(neurons, _TEXT_ROWS)
    width = len(str(neurons - 1))
    runs = bins(steps, total - width - 3)
    fired, silent = _GLYPHS[fancy]
    if len(runs) == steps:
        lines = ["".join(fired if s else silent for s in grid[:, i]) for i in rows]
    else:
        levels = np.ceil(shares(grid[:, rows], runs) * 8).astype(int)
        lines = [
            "".join((_LEVELS if fancy else _ASCII_LEVELS)[k] for k in levels[:, i]) for i in range(len(rows))
        ]
    together = "" if len(runs) == steps else f", {runs[0][1]} steps a column"
    head = f"{name}: {neurons} neurons, {steps} steps{together}, {grid.mean():.3f} spikes per neuron and step"
    return "\n".join([head, *(f"{i:>{width}} |{line}|" for i, line in zip(rows, lines, strict=True))])


def _kinds(ours: Grid, theirs: Grid) -> NDArray[np.int8]:
    """Say of each place: 0 silent, 1 both fired, 2 only ours, 3 only theirs."""
    return np.where(ours, np.where(theirs, 1, 2), np.where(theirs, 3, 0)).astype(np.int8)


def _pair_text(name: str, ours: Grid, theirs: Grid, total: int, fancy: bool, brief: bool) -> str:
    """Draw one layer; `brief`: only its first line where nothing differs."""
    steps, neurons = ours.shape
    differ = ours != theirs
    width = len(str(neurons - 1))
    runs = bins(steps, total - width - 3)
    together = "" if len(runs) == steps else f", {runs[0][1]} steps a column"
    facts = f"{neurons} neurons, {steps} steps{together}"
    head = f"{name}: {facts}, {int(differ.sum()):,} of {differ.size:,} differ"
    if brief and not differ.any():
        return head
    rows = with_marked(differ.any(axis=0), _TEXT_ROWS)
    kinds = np.stack([_kinds(ours[a:b, rows], theirs[a:b, rows]).max(axis=0) for a, b in runs])
    lines = ["".join(_PAIR_GLYPHS[fancy][k] for k in column) for column in kinds.T]
    return "\n".join([head, *(f"{i:>{width}} |{line}|" for i, line in zip(rows, lines, strict=True))])


def _height(grid: Grid) -> float:
    """Inches for a panel: enough that a row can be seen."""
    return 0.9 + 0.021 * float(min(grid.shape[1], _ROWS))


def _cells(
    ax: Any, kinds: NDArray[Any], rows: NDArray[np.int64], most: int, colours: Mapping[int, str]
) -> None:
    """Draw [T, neurons] as cells, each in the colour of its kind; of steps put together the highest kind."""
    from matplotlib.colors import ListedColormap

    steps = len(kinds)
    runs = bins(steps, most)
    together = np.stack([kinds[a:b, rows].max(axis=0) for a, b in runs])
    shown = ListedColormap(["white", *(colours[k] for k in sorted(colours))])
    ax.imshow(
        together.T,
        cmap=shown,
        vmin=0,
        vmax=len(colours),
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, runs[-1][0] + runs[0][1] - 0.5, len(rows) - 0.5, -0.5),
    )
    ax.set_xlim(-0.5, steps - 0.5)
    for step in range(1, steps) if steps <= 16 else ():
        ax.axvline(step - 0.5, color="#eeeeee", linewidth=0.6)
    whole_numbers(ax.xaxis)
    places = spread(len(rows), 5)
    ax.set_yticks(places, [f"{rows[i]:,}" for i in places])
    if not kinds.any():
        ax.text(0.5, 0.5, "silent", transform=ax.transAxes, ha="center", va="center", color="#999999")
    plain(ax)


def _ring(ax: Any, differ: Grid, most: int) -> None:
    """Draw rings around cells that differ, where they are few enough to be overlooked."""
    steps, rows = np.nonzero(differ)
    if 0 < len(steps) <= 60:
        ax.scatter(
            steps, rows, s=70, facecolors="none", edgecolors=INK, linewidths=0.8, clip_on=False, zorder=3
        )


def _heading(ax: Any, name: str, facts: str) -> None:
    ax.set_title(f"{name}   ", loc="left", fontsize=9, fontweight="bold", color=INK)
    ax.set_title(facts, loc="right", fontsize=8, color="#555555")


def _legend(figure: Any, names: tuple[str, str]) -> None:
    from matplotlib.patches import Patch

    kinds = [(INK, "a spike"), (PALE, "both"), (OURS, f"{names[0]} only"), (THEIRS, f"{names[1]} only")]
    figure.legend(
        handles=[Patch(color=colour, label=label) for colour, label in kinds],
        loc="outside lower right",
        ncols=4,
        fontsize=8,
        frameon=False,
    )
