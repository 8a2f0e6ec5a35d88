"""What may crash or fill the memory, in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any


def apart(name: str, items: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    """Yield what `items` yields in a copy of this process; why it ended early is a line of standard error."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(name, items, theirs))
    child.start()
    theirs.close()
    try:
        while True:
            yield ours.recv()
    except EOFError:
        pass
    child.join()
    if child.exitcode:
        print(f"{name}: crashed ({child.exitcode}); what it gave before is kept", file=sys.stderr)


def _send(name: str, items: Callable[[], Iterator[Any]], to: Connection) -> None:
    try:
        for item in items():
            to.send(item)
    except ImportError as missing:
        print(f"{name}: not installed ({missing.name})", file=sys.stderr)
