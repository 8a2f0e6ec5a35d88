"""The network that runs stateless layers and neurons over T time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .neurons import LIF

Readout = Literal["mean", "sum"]


class Residual(nn.Module):
    """Two rows of layers that read the same value, and their sum; an empty `shortcut` is the identity.

    Either row may hold neurons and further `Residual` layers. In a `Network`, whose layer it is, time reaches
    the neurons; alone, its forward is what a graph of it looks like.
    """

    def __init__(self, body: nn.Sequential, shortcut: nn.Sequential | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Sequential() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Add what the two rows make of x."""
        total: Tensor = self.body(x) + self.shortcut(x)
        return total


@dataclass(frozen=True)
class Unrolled:
    """A run before its readout: `outputs` [T, N, ...], `spikes` [T, N, ...] by layer name; with gradients."""

    outputs: Tensor
    spikes: dict[str, Tensor]


@dataclass
class _Run:
    """What one pass over the layers shares. A value is static while it is one frame that stands for all T."""

    steps: int
    spikes: dict[str, Tensor] | None

    def row(self, layers: nn.Module, x: Tensor, static: bool, prefix: str = "") -> tuple[Tensor, bool]:
        for name, layer in layers.named_children():
            path = prefix + name
            if isinstance(layer, LIF):
                x, static = layer(self.unrolled(x, static)), False
                if self.spikes is not None:
                    self.spikes[path] = x
            elif isinstance(layer, Residual):
                body, same = self.row(layer.body, x, static, f"{path}.body.")
                shortcut, alike = self.row(layer.shortcut, x, static, f"{path}.shortcut.")
                x, static = body + shortcut, same and alike  # [T, N, ...] + [N, ...] repeats the latter
            elif static:
                x = layer(x)
            else:
                x = layer(x.flatten(0, 1)).unflatten(0, (self.steps, -1))
        return x, static

    def unrolled(self, x: Tensor, static: bool) -> Tensor:
        return x.unsqueeze(0).expand(self.steps, *x.shape) if static else x


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
        _check_row(layers)
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
        y, static, steps = self._run(x, None)
        if static:
            return y if self.readout == "mean" else y * steps
        return y.mean(dim=0) if self.readout == "mean" else y.sum(dim=0)

    def unroll(self, x: Tensor) -> Unrolled:
        """Run without the readout: for losses of single steps and of firing rates."""
        spikes: dict[str, Tensor] = {}
        y, static, steps = self._run(x, spikes)
        return Unrolled(y.unsqueeze(0).expand(steps, *y.shape) if static else y, spikes)

    @torch.no_grad()
    def spikes(self, x: Tensor) -> dict[str, Tensor]:
        """Return the spikes [T, N, ...] of every neuron layer, by layer name, in order."""
        return self.unroll(x).spikes

    def _run(self, x: Tensor, spikes: dict[str, Tensor] | None) -> tuple[Tensor, bool, int]:
        """Return the last layer's value, whether it is static, and the number of steps."""
        if x.dim() not in (4, 5):
            raise ValueError(f"input must be [N, C, H, W] or [T, N, C, H, W], got shape {tuple(x.shape)}")
        static = x.dim() == 4
        steps = self.timesteps if static else x.shape[0]
        return (*_Run(steps, spikes).row(self.layers, x, static), steps)


def _check_row(layers: nn.Sequential, prefix: str = "") -> None:
    """Refuse layers that would keep time from a neuron."""
    for name, layer in layers.named_children():
        if isinstance(layer, Residual):
            _check_row(layer.body, f"{prefix}{name}.body.")
            _check_row(layer.shortcut, f"{prefix}{name}.shortcut.")
        elif not isinstance(layer, LIF) and any(isinstance(m, LIF) for m in layer.modules()):
            raise ValueError(
                f"layer '{prefix}{name}' ({type(layer).__name__}) hides a neuron; put neurons in the row "
                "itself, or in the rows of a Residual"
            )
