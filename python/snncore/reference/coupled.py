"""Two coupled streams in the place of one residual stream, and the way back through them.

Rows F_1, F_2, ... of layers read the newer stream and write the next one, from y_0 = y_1 = x::

    coupled     y_{i+1} = F_i(y_i) + (y_{i-1} + y_i) / 2
    residual    y_{i+1} = F_i(y_i) + y_i

The last two, attention's and the MLP's, have a head each, and the answer is the mean of both. The coupled
rule can be undone with the same F, one step after the other::

    y_{i-1} = 2 (y_{i+1} - F_i(y_i)) - y_i

Each step doubles the rounding errors of what it starts from, so the way back is for float64. `recompute` uses
it: streams are kept in float64 and read by F in float32; forward keeps the last two only, and backward
computes the others again, with what the layers between need of one row at a time.

Source: "Binary Event-Driven Spiking Transformer", IJCAI 2025 (arXiv 2501.05904), and its public code, which
never goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.modules.batchnorm import _BatchNorm

from .network import Call, Composite, Head, Timed, run_row

Rule = Literal["coupled", "residual"]
RULES: tuple[Rule, ...] = get_args(Rule)
Row = Callable[[Tensor], Tensor]  #: of a stream [T, N, D, H, W]


def coupled(written: Tensor, before: Tensor, now: Tensor) -> Tensor:
    """Give the stream after `now`, of what F has written: one sum, halved, then the other."""
    return written + (before + now) / 2


def uncoupled(written: Tensor, now: Tensor, after: Tensor) -> Tensor:
    """Give the stream before `now`, of what F has written of `now`."""
    return 2 * (after - written) - now


class Coupling(nn.Module):
    """`coupled` as a layer."""

    def forward(self, written: Tensor, before: Tensor, now: Tensor) -> Tensor:
        """Add."""
        return coupled(written, before, now)


class HeadMean(nn.Module):
    """The mean of two answers."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute ``(x + y) / 2``."""
        return (x + y) / 2


class Coupled(Composite):
    """Rows of layers in two streams, and a head for each of the last two: images to answers, in a `Network`.

    Parameters
    ----------
    rows
        F_1, F_2, ... by name: real values [N, D, H, W] to alike.
    heads
        Two: of the stream before the last, and of the last.
    rule
        "coupled", or "residual", which is what the network would be without the second stream.
    recompute
        Train with the activations of one row at a time in memory; for rule "coupled". Spikes of `rows` are
        then not recorded, and gradients go through what the way back gives, in float64.
    """

    def __init__(
        self,
        rows: Mapping[str, nn.Sequential],
        heads: Mapping[str, Head],
        *,
        rule: Rule = "coupled",
        recompute: bool = False,
    ) -> None:
        super().__init__()
        if rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {rule!r}")
        if recompute and rule != "coupled":
            raise ValueError(f"recompute needs the way back, which rule 'coupled' has, got rule {rule!r}")
        if len(rows) < 1 or len(heads) != 2:
            raise ValueError(f"expected one row or more and two heads, got {len(rows)} and {len(heads)}")
        self.rule: Rule = rule
        self.recompute = recompute
        self.rows = nn.ModuleDict(rows)
        self.heads = nn.ModuleDict(heads)
        self.couple = Coupling()
        self.mean = HeadMean()

    def flow(self, x: Any, call: Call) -> Any:
        """Run the rows, each on the newest stream, then the heads."""
        if self.recompute and torch.is_grad_enabled():
            both = call(_Recomputed(list(self.rows.values())), x)
            before, now = (call(part, both) for part in (_first_half, _second_half))
        else:
            before = now = x
            for row in self.rows.values():
                written = call(row, now)
                after = (
                    call(self.couple, written, before, now)
                    if self.rule == "coupled"
                    else call(torch.add, written, now)
                )
                before, now = now, after
        return call(self.mean, *map(call, self.heads.values(), (before, now)))

    def streams(
        self, before: Tensor, now: Tensor, rows: Sequence[str] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Go through the named rows, default all: the last two streams, each [T, N, D, H, W]."""
        for row in self._named(rows):
            before, now = now, coupled(run_row(row, now), before, now)
        return before, now

    def inverse(self, now: Tensor, after: Tensor, rows: Sequence[str] | None = None) -> tuple[Tensor, Tensor]:
        """Go back through the same rows, from what `streams` gave to what it was given."""
        for row in reversed(self._named(rows)):
            now, after = uncoupled(run_row(row, now), now, after), now
        return now, after

    def _named(self, rows: Sequence[str] | None) -> list[nn.Sequential]:
        if self.rule != "coupled":
            raise ValueError(f"streams are coupled in rule 'coupled' only, this is '{self.rule}'")
        return [self.rows[name] for name in (self.rows if rows is None else rows)]  # type: ignore[misc]

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"rule={self.rule!r}, recompute={self.recompute}"


def _first_half(x: Tensor) -> Tensor:
    return x.chunk(2, dim=1)[0]


def _second_half(x: Tensor) -> Tensor:
    return x.chunk(2, dim=1)[1]


class _Recomputed(Timed):
    """All rows in one call: [T, N, D, H, W] to the last two streams side by side, [T, N, 2 D, H, W]."""

    def __init__(self, rows: Sequence[nn.Module]) -> None:
        super().__init__()
        self.rows = nn.ModuleList(rows)

    def forward(self, x: Tensor) -> Tensor:
        """Run the rows; of what they compute only the result is kept."""
        both: Tensor = _Streams.apply(list(self.rows), x, *self.rows.parameters())  # type: ignore[no-untyped-call]
        return both


class _Streams(torch.autograd.Function):
    """Forward without a graph; backward goes back through the rows and builds the graph of one at a time."""

    @staticmethod
    def forward(ctx: Any, rows: list[nn.Sequential], x: Tensor, *parameters: Tensor) -> Tensor:
        before = now = x.double()
        for row in rows:
            before, now = now, coupled(run_row(row, now.to(x.dtype)).double(), before, now)
        ctx.rows = rows
        ctx.dtype = x.dtype
        ctx.save_for_backward(before, now)
        return torch.cat([before, now], dim=2).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        now, after = ctx.saved_tensors
        grad_now, grad_after = grad.chunk(2, dim=2)
        of_rows: list[tuple[Tensor, ...]] = []
        for row in reversed(ctx.rows):
            read = now.to(ctx.dtype).requires_grad_()
            with torch.enable_grad(), _statistics_kept(row):
                written = run_row(row, read)
            through, *own = torch.autograd.grad(written, [read, *row.parameters()], grad_after)
            of_rows.append(tuple(own))
            now, after = uncoupled(written.detach().double(), now, after), now
            grad_now, grad_after = grad_after / 2, grad_now + through + grad_after / 2
        return None, grad_now + grad_after, *(g for own in reversed(of_rows) for g in own)


@contextmanager
def _statistics_kept(row: nn.Module) -> Iterator[None]:
    """Keep running statistics from counting a batch twice."""
    norms = [m for m in row.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    for norm in norms:
        norm.track_running_stats = not norm.training
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
