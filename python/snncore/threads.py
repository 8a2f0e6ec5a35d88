"""How many threads a call uses."""

from __future__ import annotations

import operator
import os

#: Of one call.
MOST_THREADS = 256

_VARIABLE = "SNNCORE_NUM_THREADS"


def thread_count(op: str, threads: int | None) -> int:
    """Give the number asked for, else what SNNCORE_NUM_THREADS says, else 1.

    Raises
    ------
    TypeError, ValueError
        No whole number, or one out of 1 to 256; the message starts with `op`.
    """
    if threads is None:
        op, threads = f"environment variable {_VARIABLE}", _environment()
    try:
        count = operator.index(threads)
    except TypeError:
        raise TypeError(f"{op}: expected a number of threads, received {threads!r}") from None
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"{op}: expected 1 to {MOST_THREADS} threads, received {count}")
    return count


def _environment() -> int:
    text = os.environ.get(_VARIABLE, "1")
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"environment variable {_VARIABLE}: expected a number of threads, received {text!r}")
    return int(text)
