"""What changes values behind a recorded graph: hooks of layers, operations in place. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, fx, nn
from torch.utils.hooks import RemovableHandle


def version(value: Any) -> int | None:
    """Count how often a tensor was changed in place; None: nobody counts."""
    return value._version if isinstance(value, Tensor) and not value.is_inference() else None


@contextmanager
def watched(root: nn.Module, changed: Callable[[str], None]) -> Iterator[None]:
    """Call `changed` with the path of a module whose hooks change what it takes or gives.

    Values are not compared, since those of an example may be anything, zeros too: a hook changes what it
    returns another object for, and what it writes to. One that only looks on is let be.
    """
    handles = [
        handle
        for path, module in root.named_modules()
        if module._forward_hooks or module._forward_pre_hooks
        for handle in _watch(module, path, changed)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _watch(module: nn.Module, path: str, changed: Callable[[str], None]) -> list[RemovableHandle]:
    """Look at what a module takes and gives, in front of its own hooks and behind them."""
    before: list[tuple[Any, int | None]] = []

    def first(*values: Any) -> None:
        before[:] = _leaves(values)

    def last(*values: Any) -> None:
        after = _leaves(values)
        same = len(before) == len(after) and all(
            a is b and m == n for (a, m), (b, n) in zip(before, after, strict=True)
        )
        if not same:
            changed(path)

    return [
        module.register_forward_pre_hook(lambda _, *taken: first(*taken), prepend=True, with_kwargs=True),
        module.register_forward_pre_hook(lambda _, *taken: last(*taken), with_kwargs=True),
        module.register_forward_hook(lambda _, __, given: first(given), prepend=True),
        module.register_forward_hook(lambda _, __, given: last(given)),
    ]


def _leaves(values: Any) -> list[tuple[Any, int | None]]:
    found: list[tuple[Any, int | None]] = []
    fx.node.map_aggregate(values, lambda value: found.append((value, version(value))))
    return found
