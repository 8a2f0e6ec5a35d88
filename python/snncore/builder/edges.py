"""What has been added so far."""

from __future__ import annotations

from snncore import _core


class Edges:
    """The engine's builder, to which each family of layers adds methods."""

    def __init__(self) -> None:
        self._core = _core.GraphBuilder()

    def shape(self, edge: str) -> tuple[int, ...]:
        """Give the shape of an edge, [C, H, W] or [C]."""
        return tuple(self._core.shape(edge))
