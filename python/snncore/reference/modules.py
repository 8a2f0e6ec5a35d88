"""Layers with quantised weights, and the network that runs stateless layers and neurons over T time steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snncore.compress.codes import Gamma, Granularity

from .neurons import LIF
from .quantize import Ste, rescaw, rescaw_codes, symmetric, symmetric_codes

Readout = Literal["mean", "sum"]


@dataclass(frozen=True)
class WeightQuantizer:
    """How one layer's weight is quantised; `gamma`, `factor` and `ste` concern kind ``"rescaw"`` only."""

    kind: Literal["rescaw", "symmetric"]
    bits: int
    granularity: Granularity = "channel"
    gamma: Gamma = "mean"
    factor: bool = False
    ste: Ste = "code"

    def __post_init__(self) -> None:
        if self.kind not in ("rescaw", "symmetric"):
            raise ValueError(f"kind must be 'rescaw' or 'symmetric', got {self.kind!r}")

    @property
    def encoding(self) -> Literal["odd", "sym"]:
        """What a code q means in a file: ``odd`` m = 2 q + 1, ``sym`` m = q."""
        return "odd" if self.kind == "rescaw" else "sym"

    def __call__(self, w: Tensor) -> Tensor:
        """Return the weight the layer computes with: float32, shape of `w`, straight-through gradient."""
        if self.kind == "rescaw":
            return rescaw(w, self.bits, self.gamma, self.granularity, self.factor, self.ste)
        return symmetric(w, self.bits, self.granularity)

    def codes(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Codes q (int8, shape of `w`) and scale (float64, [C_out] or [1])."""
        if self.kind == "rescaw":
            return rescaw_codes(w, self.bits, self.gamma, self.granularity, self.factor)
        return symmetric_codes(w, self.bits, self.granularity)


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` whose weight passes through `quantizer` (None: plain float)."""

    def __init__(self, *args: Any, quantizer: WeightQuantizer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.padding_mode != "zeros":
            raise ValueError(f"padding_mode must be 'zeros', got {self.padding_mode!r}")
        self.quantizer = quantizer

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer, with the quantised weight if there is a quantiser."""
        weight = self.weight if self.quantizer is None else self.quantizer(self.weight)
        output: Tensor = self._conv_forward(x, weight, self.bias)
        return output


class Linear(nn.Linear):
    """`torch.nn.Linear` whose weight passes through `quantizer` (None: plain float)."""

    def __init__(self, *args: Any, quantizer: WeightQuantizer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.quantizer = quantizer

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer, with the quantised weight if there is a quantiser."""
        weight = self.weight if self.quantizer is None else self.quantizer(self.weight)
        return F.linear(x, weight, self.bias)


class Network(nn.Module):
    """A feed-forward spiking network: stateless layers and neurons in a row, run for `timesteps` steps.

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
        for name, layer in layers.named_children():
            if not isinstance(layer, LIF) and any(isinstance(m, LIF) for m in layer.modules()):
                raise ValueError(
                    f"layer '{name}' ({type(layer).__name__}) hides a neuron; put neurons in the row itself"
                )
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
        return self._run(x, None)

    @torch.no_grad()
    def spikes(self, x: Tensor) -> dict[str, Tensor]:
        """Return the spikes [T, N, ...] of every neuron layer, by layer name, in order."""
        record: dict[str, Tensor] = {}
        self._run(x, record)
        return record

    def _run(self, x: Tensor, record: dict[str, Tensor] | None) -> Tensor:
        if x.dim() not in (4, 5):
            raise ValueError(f"input must be [N, C, H, W] or [T, N, C, H, W], got shape {tuple(x.shape)}")
        static = x.dim() == 4  # one frame stands for all T as long as nothing depends on t
        steps = self.timesteps if static else x.shape[0]
        for name, layer in self.layers.named_children():
            if isinstance(layer, LIF):
                if static:
                    x = x.unsqueeze(0).expand(steps, *x.shape)
                    static = False
                x = layer(x)
                if record is not None:
                    record[name] = x
            elif static:
                x = layer(x)
            else:
                x = layer(x.flatten(0, 1)).unflatten(0, (steps, -1))
        if static:
            return x if self.readout == "mean" else x * steps
        return x.mean(dim=0) if self.readout == "mean" else x.sum(dim=0)
