"""A progress bar of one line on standard error, without a library."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_WIDTH = 30


def tracked(items: Sequence[T], what: str, progress: bool | None) -> Iterator[T]:
    """Yield `items`; show how far it is where `progress` is True, or None on a terminal."""
    if not (sys.stderr.isatty() if progress is None else progress):
        yield from items
        return
    for done, item in enumerate(items):
        filled = _WIDTH * done // max(len(items), 1)
        print(f"\r{what} [{'#' * filled:<{_WIDTH}}] {done}/{len(items)}", end="", file=sys.stderr, flush=True)
        yield item
    print("\r" + " " * (len(what) + _WIDTH + 20) + "\r", end="", file=sys.stderr, flush=True)
