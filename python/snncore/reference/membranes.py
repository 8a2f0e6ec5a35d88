"""LIF neurons that keep their membrane in few bits between two steps.

With n = 2^(bits - 1) - 1 (127, 7, 1), after reset and before the leak of the next step::

    h = decay * v + input_gain * x          in full precision, as is the comparison
    s = h >= threshold                      or h > threshold
    r = 0 if s else h                       or h - threshold * s
    v = Q(r)

    form "tanh":    Q(r) = alpha / n * round(n * clamp(tanh(r) / alpha, -1, 1))
    form "linear":  Q(r) = theta / n * round(n * clamp(r / theta, -1, 1))       theta: the threshold

alpha is given, or "dynamic" (None): the largest |tanh(r)| of the whole tensor, at each step anew. `round` is
half to even and passes gradients unchanged; clamp and tanh are differentiated, alpha is a constant.

"tanh" is Q-SNN: Wei et al., "Q-SNNs", ACM Multimedia 2024 (arXiv 2406.13672), with a dynamic alpha in its
public code. A dynamic alpha depends on the other samples of a batch and on the step, so no engine can hold
it: fix it (`calibrate_membranes`, or 1, the bound of tanh) and train a few epochs more. "linear" is the
saturating store of integer neurons, for networks that are trained for the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .neurons import LIF, _after_reset, _fires

Form = Literal["tanh", "linear"]
BITS = (2, 4, 8)

# What a tensor of zeros is divided by, so that Q(0) = 0 under a dynamic alpha.
_TINY = torch.finfo(torch.float32).tiny


class _Spike(torch.autograd.Function):
    """The step function with a triangle of half-width `width` for its gradient, as in `neurons`."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, threshold: float, strict: bool, width: float) -> Tensor:
        ctx.save_for_backward(h)
        ctx.settings = (threshold, width)
        return _fires(h, threshold, strict)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        (h,) = ctx.saved_tensors
        threshold, width = ctx.settings
        slope = (width - (h - threshold).abs()).clamp_min(0.0) / (width * width)
        return grad * slope, None, None, None


class _Round(torch.autograd.Function):
    """Half to even; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


@dataclass(frozen=True)
class MembraneQuantizer:
    """What is stored of a membrane: `bits` 2, 4 or 8; `alpha` (0..1, or None: dynamic) of form "tanh"."""

    bits: int
    form: Form = "linear"
    alpha: float | None = 1.0

    def __post_init__(self) -> None:
        if self.bits not in BITS:
            raise ValueError(f"bits of a membrane must be one of {BITS}, got {self.bits}")
        if self.form not in ("tanh", "linear"):
            raise ValueError(f"form must be 'tanh' or 'linear', got {self.form!r}")
        if self.alpha is not None and not 0.0 < self.alpha <= 1.0:
            raise ValueError(f"alpha must lie in 0..1 and above 0, got {self.alpha}")
        if self.form == "linear" and self.alpha != 1.0:
            raise ValueError("alpha belongs to form 'tanh'; 'linear' has the threshold as its full scale")

    @property
    def most(self) -> int:
        """The largest code, n."""
        return int(2 ** (self.bits - 1) - 1)

    def __call__(self, r: Tensor, threshold: float = 1.0) -> Tensor:
        """Return Q(r), float32, shape of `r`, with its gradient."""
        codes, scale = self._coded(r, threshold)
        return codes * (scale / self.most)

    def codes(self, r: Tensor, threshold: float = 1.0) -> Tensor:
        """Return the codes -n..n, int8, shape of `r`."""
        return self._coded(r.detach(), threshold)[0].to(torch.int8)

    def _coded(self, r: Tensor, threshold: float) -> tuple[Tensor, float | Tensor]:
        scale: float | Tensor
        if self.form == "linear":
            value, scale = r, threshold
        else:
            value = torch.tanh(r)
            scale = value.detach().abs().amax().clamp_min(_TINY) if self.alpha is None else self.alpha
        shares = torch.clamp(value / scale, -1.0, 1.0) * self.most
        codes: Tensor = _Round.apply(shares)  # type: ignore[no-untyped-call]
        return codes, scale


class QuantizedLIF(LIF):
    """`LIF` whose membrane passes through `membrane` after each step."""

    def __init__(self, membrane: MembraneQuantizer, **options: Any) -> None:
        super().__init__(**options)
        self.membrane = membrane
        self.peak: float | None = None  # not None: the largest |tanh(r)| so far is kept here

    def forward(self, x: Tensor) -> Tensor:
        """Currents [T, N, ...] to spikes [T, N, ...], from zero state."""
        if x.dim() < 2 or x.shape[0] < 1:
            raise ValueError(
                f"{type(self).__name__} expects currents [T, N, ...], got shape {tuple(x.shape)}"
            )
        spikes = []
        v: Tensor | None = None
        for t in range(x.shape[0]):
            h = self._integrated(x[t], v)
            s: Tensor = _Spike.apply(h, self.threshold, self.strict, self.surrogate_width)  # type: ignore[no-untyped-call]
            spikes.append(s)
            if t + 1 < x.shape[0]:
                v = self._stored(h, s)
        return torch.stack(spikes)

    @torch.no_grad()
    def step(self, x: Tensor, v: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run one step without gradient: (spikes, membranes as stored), both [N, ...]."""
        h = self._integrated(x, v)
        spikes = _fires(h, self.threshold, self.strict)
        return spikes, self._stored(h, spikes)

    def _integrated(self, x: Tensor, v: Tensor | None) -> Tensor:
        current = x if self.input_gain == 1.0 else x * self.input_gain
        return current if v is None else v * self.decay + current

    def _stored(self, h: Tensor, spikes: Tensor) -> Tensor:
        r = _after_reset(h, spikes, self.threshold, self.reset)
        if self.peak is not None:
            self.peak = max(self.peak, float(torch.tanh(r.detach()).abs().max()))
        return self.membrane(r, self.threshold)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"{self.membrane}, {super().extra_repr()}"


@torch.no_grad()
def _check_samples(net: nn.Module, x: Any) -> None:
    if not isinstance(x, Tensor) or x.numel() == 0:
        received = f"shape {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"calibrate_membranes: expected a tensor of one sample or more, received {received}")
    first = next((m for m in net.modules() if isinstance(m, nn.Conv2d)), None)
    if first is not None and x.dim() > 2 and x.shape[-3] != first.in_channels:
        raise ValueError(
            f"calibrate_membranes: expected samples of {first.in_channels} channels, received shape "
            f"{tuple(x.shape)}"
        )


def calibrate_membranes(net: nn.Module, x: Tensor) -> dict[str, float]:
    """Fix alpha of every tanh membrane of `net` to the largest ``|tanh(r)|`` that occurs on `x`.

    Layers are run as they stand, in evaluation mode. A layer that stays at zero gets 1.

    Returns
    -------
    dict
        The alphas by layer name.

    Raises
    ------
    ValueError
        Samples of another number of channels, or none.
    """
    _check_samples(net, x)
    layers = {
        name: m
        for name, m in net.named_modules()
        if isinstance(m, QuantizedLIF) and m.membrane.form == "tanh"
    }
    was_training = [(m, m.training) for m in net.modules()]
    try:
        for layer in layers.values():
            layer.peak = 0.0
        net.eval()(x)
        alphas = {name: layer.peak or 1.0 for name, layer in layers.items()}
    finally:
        for module, training in was_training:
            module.training = training
        for layer in layers.values():
            layer.peak = None
    for name, layer in layers.items():
        layer.membrane = replace(layer.membrane, alpha=min(alphas[name], 1.0))
    return alphas
