"""What a traced network is: calls, each of which one method of `GraphBuilder` answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import nn

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One layer. `kind` is a method of `GraphBuilder`, or "drop" (the value passes through)."""

    kind: str
    name: str  #: of the node in the file
    value: str  #: what fx calls its result
    inputs: list[str]  #: fx names; a "delay" may read a call that comes later
    module: nn.Module | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trace:
    """Calls in order; `source` and `result` are the fx names of the input and the output."""

    calls: list[Call]
    source: str
    result: str
    steps: int | None = None  #: that the module takes by itself, in a loop over one frame


class Unsupported(Exception):  # noqa: N818 - becomes a line of one error
    """Why a call has no counterpart."""
