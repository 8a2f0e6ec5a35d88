"""The network that runs stateless layers and neurons over T time steps."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from .neurons import LIF
from .saccades import Saccade

Readout = Literal["mean", "sum"]
Call: TypeAlias = Callable[..., Any]

#: Layers whose spikes a run records.
NEURONS = (LIF, Saccade)


class Timed(nn.Module):
    """A layer that takes all time steps in one call, as neurons do: [T, N, ...] to [T, N, ...]."""


class Head(nn.Sequential):
    """A row of layers that answers; `Network.unroll` keeps what it gives, for losses of single heads."""


class Composite(nn.Module, ABC):
    """Layers that are more than a row: `flow` says what reads what.

    Its children are rows (`torch.nn.Sequential`), single layers, neurons and further composites. In a
    `Network`, time reaches the neurons; alone, its forward is what a graph of it looks like.
    """

    @abstractmethod
    def flow(self, x: Any, call: Call) -> Any:
        """Give what the layers make of x; ``call(layer, *values)`` runs a child, or a function of frames."""

    def forward(self, x: Tensor) -> Tensor:
        """Run the layers as they stand."""
        y: Tensor = self.flow(x, lambda layer, *values: layer(*values))
        return y


class Residual(Composite):
    """Two rows of layers that read the same value, and their sum; an empty `shortcut` is the identity."""

    def __init__(self, body: nn.Sequential, shortcut: nn.Sequential | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Sequential() if shortcut is None else shortcut

    def flow(self, x: Any, call: Call) -> Any:
        """Add what the two rows make of x."""
        return call(torch.add, call(self.body, x), call(self.shortcut, x))


class Branches(Composite):
    """Rows of layers that read the same value, and the sum of all, from the first to the last."""

    def __init__(self, rows: Mapping[str, nn.Sequential]) -> None:
        super().__init__()
        if not rows:
            raise ValueError("Branches needs one row or more")
        self.rows = nn.ModuleDict(rows)

    def flow(self, x: Any, call: Call) -> Any:
        """Add what the rows make of x."""
        first, *others = [call(row, x) for row in self.rows.values()]
        return functools.reduce(lambda total, value: call(torch.add, total, value), others, first)


@dataclass(frozen=True)
class Unrolled:
    """A run before its readout, with gradients, all [T, N, ...]: outputs; spikes and heads by layer name."""

    outputs: Tensor
    spikes: dict[str, Tensor]
    heads: dict[str, Tensor] = field(default_factory=dict)


class _Value(NamedTuple):
    """A tensor [T, N, ...]; or [N, ...], static: one frame that stands for all T."""

    x: Tensor
    static: bool


@dataclass
class _Run:
    """What one pass over the layers shares."""

    steps: int
    spikes: dict[str, Tensor] | None = None
    heads: dict[str, Tensor] = field(default_factory=dict)

    def row(self, layers: nn.Module, value: _Value, prefix: str = "") -> _Value:
        for name, layer in layers.named_children():
            value = self.layer(prefix + name, layer, value)
        return value

    def layer(self, path: str, layer: Callable[..., Any], *values: _Value) -> _Value:
        if isinstance(layer, nn.Sequential):
            value = self.row(layer, values[0], f"{path}.")
            if isinstance(layer, Head):
                self.heads[path] = self.unrolled(value)
            return value
        if isinstance(layer, Composite):
            return self.composite(path, layer, values[0])
        if isinstance(layer, (*NEURONS, Timed)):
            result = layer(*map(self.unrolled, values))
            if self.spikes is not None and isinstance(layer, NEURONS):
                self.spikes[path] = result
            return _Value(result, False)
        if all(value.static for value in values):
            return _Value(layer(*(value.x for value in values)), True)
        frames = layer(*(self.unrolled(value).flatten(0, 1) for value in values))
        return _Value(frames.unflatten(0, (self.steps, -1)), False)

    def composite(self, path: str, layer: Composite, value: _Value) -> _Value:
        names = {part: f"{path}.{name}" for name, part in layer.named_modules()}
        result: _Value = layer.flow(
            value, lambda part, *values: self.layer(names.get(part, path), part, *values)
        )
        return result

    def unrolled(self, value: _Value) -> Tensor:
        return value.x.unsqueeze(0).expand(self.steps, *value.x.shape) if value.static else value.x


class Network(nn.Module):
    """A feed-forward spiking network: stateless layers, neurons and `Residual` in a row, run over T steps.

    ``forward(x)``: a static image float32 [N, C, H, W], shown at every step, or a sequence [T, N, C, H, W];
    returns logits [N, classes], the last layer's output averaged (`readout` ``"mean"``) or added (``"sum"``)
    over time. Stateless layers see time folded into the batch, so batch normalisation counts T*N samples; of
    a static image, the layers before the first neuron are computed once.

    `preprocess` says how an image becomes x: ``{"zero_point": [r, g, b], "scale": k, "size": [height,
    width]}`` means ``x = (pixel - zero_point) * k`` for pixels 0..255, after resizing to `size`. `labels`
    names the classes.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        *,
        timesteps: int,
        readout: Readout = "mean",
        preprocess: Mapping[str, Any] | None = None,
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__()
        if timesteps < 1:
            raise ValueError(f"timesteps must be at least 1, got {timesteps}")
        if readout not in ("mean", "sum"):
            raise ValueError(f"readout must be 'mean' or 'sum', got {readout!r}")
        _check(layers)
        self.layers = layers
        self.timesteps = int(timesteps)
        self.readout: Readout = readout
        self.preprocess: dict[str, Any] | None = None if preprocess is None else dict(preprocess)
        self.labels: list[str] = list(labels)

    def normalise(self, pixels: Tensor) -> Tensor:
        """Turn pixels uint8 [..., C, H, W] into x float32, same shape, by `preprocess`."""
        if self.preprocess is None:
            raise ValueError("this network has no 'preprocess'")
        zero = torch.tensor(self.preprocess["zero_point"], dtype=torch.float32, device=pixels.device)
        return (pixels.float() - zero.view(-1, 1, 1)) * float(self.preprocess["scale"])

    def forward(self, x: Tensor) -> Tensor:
        """Image [N, C, H, W] or sequence [T, N, C, H, W] to logits [N, classes]."""
        y, run = self._run(x)
        if y.static:
            return y.x if self.readout == "mean" else y.x * run.steps
        return y.x.mean(dim=0) if self.readout == "mean" else y.x.sum(dim=0)

    def unroll(self, x: Tensor) -> Unrolled:
        """Run without the readout: for losses of single steps, of firing rates and of single heads."""
        spikes: dict[str, Tensor] = {}
        y, run = self._run(x, spikes)
        return Unrolled(run.unrolled(y), spikes, run.heads)

    @torch.no_grad()
    def spikes(self, x: Tensor) -> dict[str, Tensor]:
        """Return the spikes [T, N, ...] of every neuron layer, by layer name, in order."""
        return self.unroll(x).spikes

    def _run(self, x: Tensor, spikes: dict[str, Tensor] | None = None) -> tuple[_Value, _Run]:
        """Return the last layer's value and what the run has kept."""
        if x.dim() not in (4, 5):
            raise ValueError(f"input must be [N, C, H, W] or [T, N, C, H, W], got shape {tuple(x.shape)}")
        static = x.dim() == 4
        run = _Run(self.timesteps if static else x.shape[0], spikes)
        return run.row(self.layers, _Value(x, static)), run


def run_row(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Run a row as `Network` does, on x [T, N, ...]; spikes are not kept."""
    run = _Run(len(x))
    return run.unrolled(run.row(layers, _Value(x, False)))


def _check(layers: nn.Module, prefix: str = "", *, row: bool = True) -> None:
    """Refuse layers that would keep time from a neuron; rows stand in composites only."""
    for name, layer in layers.named_children():
        part = not row and isinstance(layer, (nn.Sequential, nn.ModuleDict))
        if part or isinstance(layer, Composite):
            _check(layer, f"{prefix}{name}.", row=isinstance(layer, nn.Sequential))
        elif not isinstance(layer, NEURONS) and any(isinstance(m, NEURONS) for m in layer.modules()):
            raise ValueError(
                f"layer '{prefix}{name}' ({type(layer).__name__}) hides a neuron; put neurons in the row "
                "itself, or in the rows of a Residual"
            )
