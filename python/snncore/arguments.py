"""Arguments that many calls take, checked before the engine sees them."""

from __future__ import annotations

import operator
import os
from typing import SupportsIndex

#: Of one call.
MOST_THREADS = 256
#: Of one run.
MOST_STEPS = 4096

_VARIABLE = "SNNCORE_NUM_THREADS"


def whole(what: str, value: SupportsIndex) -> int:
    """Give a whole number; the TypeError of anything else starts with `what`."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what}: expected a whole number, received {brief(value)}") from None


def integer(what: str, value: SupportsIndex) -> int:
    """Give a whole number of 64 bits, which the engine checks further; errors as of `whole`, ValueError."""
    number = whole(what, value)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{what}: expected a number of 64 bits, received {number}")
    return number


def path_text(op: str, path: str | os.PathLike[str]) -> str:
    """Give a path as text; the TypeError of anything else starts with `op`."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(f"{op}: expected a path, received {brief(path)}")
    return text


def brief(value: object) -> str:
    """Say in a line what a value is."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else type(value).__name__


def thread_count(op: str, threads: int | None) -> int:
    """Give the number asked for, else what SNNCORE_NUM_THREADS says, else 1.

    Raises
    ------
    TypeError, ValueError
        No whole number, or one out of 1 to 256; the message starts with `op`.
    """
    if threads is None:
        op, count = f"environment variable {_VARIABLE}", _environment()
    else:
        count = whole(f"{op}: threads", threads)
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"{op}: expected 1 to {MOST_THREADS} threads, received {count}")
    return count


def _environment() -> int:
    text = os.environ.get(_VARIABLE, "1")
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"environment variable {_VARIABLE}: expected a number of threads, received {text!r}")
    return int(text)
