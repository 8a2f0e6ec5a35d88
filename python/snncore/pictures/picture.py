"""What all pictures share: text, matplotlib figure, files."""

from __future__ import annotations

import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore.files import write_atomically

#: Endings that matplotlib writes, and those that need nothing.
DRAWN, WRITTEN = (".png", ".svg", ".pdf"), (".txt", ".npz")
DPI = 110

INK, PALE, GRID = "#222222", "#c4c4c4", "#e6e6e6"
#: Colours that people of any colour vision tell apart (Okabe and Ito, 2008).
OURS, THEIRS = "#0072b2", "#d55e00"
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")

#: Columns of a text that goes nowhere a width is known.
_WIDTH = 100


class Picture(ABC):
    """Shown as text by ``print``, as a picture by a notebook, and saved to a file by `save`.

    `arrays` holds the numbers that are drawn.
    """

    @property
    @abstractmethod
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """What is drawn, by name: what `save` writes to a .npz file."""

    @abstractmethod
    def text(self, width: int | None = None, *, ascii_only: bool | None = None) -> str:
        """Draw with characters.

        Parameters
        ----------
        width
            Columns to use. Default: those of the terminal, else 100.
        ascii_only
            Use no characters but ASCII. Default: where standard output takes no others.
        """

    @abstractmethod
    def figure(self) -> Any:
        """Draw as a `matplotlib.figure.Figure`, which no window needs and no `pyplot` knows.

        Raises
        ------
        ImportError
            No matplotlib.
        """

    def __str__(self) -> str:
        return self.text()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file: under a temporary name first, then renamed.

        Parameters
        ----------
        path
            By its ending .png, .svg or .pdf (through matplotlib), .txt (100 columns), or .npz (`arrays`).

        Raises
        ------
        ValueError
            Another ending.
        ImportError
            matplotlib is needed and missing.
        OSError
            The file cannot be written.
        """
        check_path(path)
        write_atomically(path, self._encoded(Path(path).suffix.lower()))

    def _encoded(self, ending: str) -> bytes:
        if ending == ".txt":
            return (self.text(_WIDTH, ascii_only=False) + "\n").encode()
        buffer = io.BytesIO()
        if ending == ".npz":
            np.savez_compressed(buffer, **self.arrays)  # type: ignore[arg-type]
            return buffer.getvalue()
        self.figure().savefig(buffer, format=ending[1:], dpi=DPI, metadata=_UNDATED[ending])
        return buffer.getvalue()

    def _repr_png_(self) -> bytes | None:
        return self._drawn(".png")

    def _repr_svg_(self) -> str | None:
        data = self._drawn(".svg")
        return None if data is None else data.decode()

    def _drawn(self, ending: str) -> bytes | None:
        """Draw for a notebook; without matplotlib it shows the text."""
        if find_spec("matplotlib") is None:
            return None
        return self._encoded(ending)


#: Formats keep the time of writing: left out, so that equal pictures are equal files.
_UNDATED: Mapping[str, dict[str, None]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


def check_path(path: str | os.PathLike[str]) -> None:
    """Refuse what `Picture.save` would refuse, before anything is computed.

    Raises
    ------
    ValueError
        An ending that no picture has.
    ImportError
        matplotlib is needed and missing.
    """
    ending = Path(path).suffix.lower()
    if ending in DRAWN:
        _need_matplotlib()
    elif ending not in WRITTEN:
        raise ValueError(f"'{os.fspath(path)}': expected a name that ends in {', '.join(DRAWN + WRITTEN)}")


def _need_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise ImportError(
            "a picture needs matplotlib: pip install 'snncore[plot]'; .txt and .npz files need nothing",
            name="matplotlib",
        )


def new_figure(width: float, height: float) -> Any:
    """Make a matplotlib Figure of so many inches, laid out by itself, drawn without a display."""
    _need_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Any) -> None:
    """Take off the frame that says nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#888888")
    axes.tick_params(colors="#444444", labelsize=8, length=3)


def whole_numbers(axis: Any) -> None:
    """Put ticks at whole numbers, few of them."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def columns(width: int | None) -> int:
    """Give the columns to draw in: what was asked for, the terminal's, or 100; 20 at least."""
    if width is None:
        width = get_terminal_size((_WIDTH, 24)).columns
    return max(20, width)


def takes_unicode(ascii_only: bool | None) -> bool:
    """Whether block characters may be used."""
    if ascii_only is not None:
        return not ascii_only
    try:
        "█┃▲▼·".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def short(name: str, width: int) -> str:
    """Cut a name that is too long in the middle."""
    if len(name) <= width:
        return name
    head = (width - 1) // 2
    return f"{name[:head]}…{name[len(name) - (width - 1 - head) :]}"
