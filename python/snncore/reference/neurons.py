"""Spiking neurons in PyTorch float32: the modules to train with, and the float twin of the integer neurons.

One time step, for an input current ``x`` and a membrane ``v`` (zero before the first step)::

    h = decay * v + input_gain * x        # integrate; written order: two products, then one sum
    s = 1 if h >= threshold else 0        # strict=True compares with >
    v = 0                 if s else h     # reset="zero"
    v = h - threshold * s                 # reset="subtract"

Source: Wei et al., "QP-SNN", ICLR 2025 (arXiv 2502.05905), equations 1-3 and appendix D for the surrogate.
The neuron is written with a `decay` that multiplies the state and an `input_gain` that multiplies the
current, never with a time constant, since two ways to discretise one constant differ in the last bit.

The gradient of the step function is a triangle of half-width ``a = surrogate_width`` around the threshold::

    ds/dh = max(a - |h - threshold|, 0) / a^2
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Reset = Literal["zero", "subtract"]


def _fires(h: Tensor, threshold: float, strict: bool, out: Tensor | None = None) -> Tensor:
    """Return spikes (0.0 or 1.0, dtype of `h`) for the membranes `h` before reset."""
    spikes = torch.empty_like(h) if out is None else out
    return torch.gt(h, threshold, out=spikes) if strict else torch.ge(h, threshold, out=spikes)


def _after_reset(h: Tensor, spikes: Tensor, threshold: float, reset: Reset) -> Tensor:
    """Return the membranes after reset; both forms are exact, as a product with 0 or 1 never rounds."""
    if reset == "zero":
        return torch.addcmul(h, h, spikes, value=-1.0)
    return torch.sub(h, spikes, alpha=threshold)


def _dense_like(x: Tensor) -> Tensor:
    """Return an empty [T, ...] tensor in the memory order of ``x[0]`` (`x` may be an expanded view)."""
    first = x[0]
    order = torch.empty_like(first).stride()
    return torch.empty_strided(x.shape, (first.numel(), *order), dtype=x.dtype, device=x.device)


class _LifSteps(torch.autograd.Function):
    """All T steps of the neuron; keeps the spikes and the membranes before reset for the gradient."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        decay: float,
        input_gain: float,
        threshold: float,
        reset: Reset,
        strict: bool,
        surrogate_width: float,
    ) -> Tensor:
        spikes = _dense_like(x)
        membranes = []
        v: Tensor | None = None
        for t in range(x.shape[0]):
            current = x[t] if input_gain == 1.0 else x[t] * input_gain
            h = current if v is None else v.mul_(decay).add_(current)
            _fires(h, threshold, strict, out=spikes[t])
            membranes.append(h)
            if t + 1 < x.shape[0]:
                v = _after_reset(h, spikes[t], threshold, reset)
        ctx.save_for_backward(spikes, *membranes)
        ctx.settings = (decay, input_gain, threshold, reset, surrogate_width)
        return spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_spikes: Tensor) -> tuple[Tensor | None, ...]:
        decay, input_gain, threshold, reset, width = ctx.settings
        spikes, *membranes = ctx.saved_tensors
        grad_x = torch.empty_like(spikes)
        grad_v: Tensor | None = None  # gradient of the membrane after step t
        for t in reversed(range(len(membranes))):
            h = membranes[t]
            slope = torch.sub(h, threshold).abs_().sub_(width).clamp_max_(0.0)  # -width^2 * ds/dh
            grad_h = grad_x[t]
            if grad_v is None:
                torch.mul(grad_spikes[t], slope, out=grad_h).mul_(-1.0 / (width * width))
            elif reset == "zero":  # v = h (1 - s): dv/dh = (1 - s) - h ds/dh
                torch.addcmul(grad_spikes[t], grad_v, h, value=-1.0, out=grad_h)
                grad_h.mul_(slope).mul_(-1.0 / (width * width))
                grad_h.add_(grad_v.addcmul_(grad_v, spikes[t], value=-1.0))
            else:  # v = h - threshold s: dv/dh = 1 - threshold ds/dh
                torch.sub(grad_spikes[t], grad_v, alpha=threshold, out=grad_h)
                grad_h.mul_(slope).mul_(-1.0 / (width * width)).add_(grad_v)
            if t > 0:
                grad_v = grad_h * decay
            if input_gain != 1.0:
                grad_h.mul_(input_gain)
        return grad_x, None, None, None, None, None, None


class LIF(nn.Module):
    """Leaky integrate-and-fire neurons over a whole sequence.

    ``forward(x)``: currents float32 [T, N, ...] -> spikes float32 (0.0 or 1.0), same shape, from zero state.
    ``step(x, v)``: currents [N, ...] and membranes [N, ...] (None = zero) -> (spikes, membranes after reset).
    The module holds no state between calls and has no trained parameters.
    """

    def __init__(
        self,
        *,
        decay: float = 0.5,
        input_gain: float = 1.0,
        threshold: float = 1.0,
        reset: Reset = "zero",
        strict: bool = False,
        surrogate_width: float = 1.0,
    ) -> None:
        super().__init__()
        if reset not in ("zero", "subtract"):
            raise ValueError(f"reset must be 'zero' or 'subtract', got {reset!r}")
        if not 0.0 <= decay <= 1.0:
            raise ValueError(f"decay must lie in 0..1, got {decay}")
        if surrogate_width <= 0.0:
            raise ValueError(f"surrogate_width must be positive, got {surrogate_width}")
        self.decay = float(decay)
        self.input_gain = float(input_gain)
        self.threshold = float(threshold)
        self.reset: Reset = reset
        self.strict = bool(strict)
        self.surrogate_width = float(surrogate_width)

    def forward(self, x: Tensor) -> Tensor:
        """Currents [T, N, ...] to spikes [T, N, ...], from zero state."""
        if x.dim() < 2 or x.shape[0] < 1:
            raise ValueError(
                f"{type(self).__name__} expects currents [T, N, ...], got shape {tuple(x.shape)}"
            )
        return _LifSteps.apply(  # type: ignore[no-any-return,no-untyped-call]
            x, self.decay, self.input_gain, self.threshold, self.reset, self.strict, self.surrogate_width
        )

    @torch.no_grad()
    def step(self, x: Tensor, v: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run one step without gradient: (spikes, membranes after reset), both [N, ...]."""
        current = x if self.input_gain == 1.0 else x * self.input_gain
        h = current if v is None else v * self.decay + current
        spikes = _fires(h, self.threshold, self.strict)
        return spikes, _after_reset(h, spikes, self.threshold, self.reset)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return (
            f"decay={self.decay}, input_gain={self.input_gain}, threshold={self.threshold}, "
            f"reset={self.reset!r}, strict={self.strict}"
        )


class IF(LIF):
    """Integrate-and-fire neurons: `LIF` whose membrane does not leak (``decay = 1``)."""

    def __init__(
        self,
        *,
        input_gain: float = 1.0,
        threshold: float = 1.0,
        reset: Reset = "zero",
        strict: bool = False,
        surrogate_width: float = 1.0,
    ) -> None:
        super().__init__(
            decay=1.0,
            input_gain=input_gain,
            threshold=threshold,
            reset=reset,
            strict=strict,
            surrogate_width=surrogate_width,
        )
