"""The saccadic neuron: which patches are looked at, by the firing of their queries, and when.

Of queries Q and keys K in {0, 1} of one head of d channels and N tokens, only counts are used::

    q[t, n] = sum_c Q[t, n, c]                 0..d
    k[t]    = sum_{n, c} K[t, n, c]            0..N d

A lower triangular matrix M mixes the steps; there is no leak and no reset. A patch is looked at, S[t, n] = 1,
where the sum reaches the threshold::

    v1_joint           sum_{j <= t} M[t, j] k[j] q[j, n] >= V[t]
    v2_joint_static    sum_{j <= t} M[t, j] q[j, n]      >= V[t]
    v2_dec_static      q[t, n]                           >= w[t]        w = M^-1 V
    v2_dec_dynamic     q[t, n] k[t]                      >= w[t]

The decoupled forms put a past threshold in the place of each past input. They are other functions: equal to
the joint ones for every input only if M is diagonal. `flip_rate` measures the difference.

Sums are float64, from +0 in ascending order of j. M and V are kept for relative counts, ``q / (d r)`` and
``k / (N d r)`` with the firing rate r = 1/4 that makes both about 1, and `Saccade.tables` gives those for the
counts themselves. The gradient of the step is that of a sigmoid of slope 4 in relative units.

Source: "Spiking Vision Transformer with Saccadic Attention", ICLR 2025 (arXiv 2502.12677), equations 5-11.
A run of fewer steps than M has uses its leading block, which is exact for those steps.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Mode = Literal["v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic"]
MODES: tuple[Mode, ...] = get_args(Mode)
JOINT: tuple[Mode, ...] = ("v1_joint", "v2_joint_static")
WITH_KEYS: tuple[Mode, ...] = ("v1_joint", "v2_dec_dynamic")

RATE = 0.25  #: firing rate at which relative counts are 1
SLOPE = 4.0  #: of the sigmoid whose derivative is the gradient of a step


class _Fires(torch.autograd.Function):
    """Forward: ``h >= threshold``. Backward: the derivative of a sigmoid of ``(h - threshold) / unit``."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, threshold: Tensor, unit: float) -> Tensor:
        ctx.save_for_backward(h - threshold)
        ctx.unit = unit
        return (h >= threshold).to(h.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        (above,) = ctx.saved_tensors
        y = torch.sigmoid(above * (SLOPE / ctx.unit))
        grad_h = grad * y * (1.0 - y) * (SLOPE / ctx.unit)
        return grad_h, -grad_h.sum(), None


def mixed(q: Tensor, mix: Tensor, keys: Tensor | None = None) -> Tensor:
    """Sum the steps: float64 [T, N, ...] of counts ``q`` [T, N, ...] and, if given, ``keys`` alike.

    ``h[t] = sum_{j <= t} (mix[t, j] * keys[j]) * q[j]``, from +0 in ascending order of j.
    """
    rows = []
    for t in range(len(q)):
        h = torch.zeros_like(q[0], dtype=torch.float64)
        for j in range(t + 1):
            gain = mix[t, j] if keys is None else mix[t, j] * keys[j]
            h = h + gain * q[j]
        rows.append(h)
    return torch.stack(rows)


def decoupled_threshold(mix: Tensor, threshold: Tensor) -> Tensor:
    """Give ``w = mix^-1 threshold``, float64 [T], by forward substitution; `mix` [T, T] is lower triangular.

    Raises
    ------
    ValueError
        Shapes that do not fit, entries above the diagonal, a diagonal that is not positive.
    """
    steps = threshold.numel()
    if mix.shape != (steps, steps):
        raise ValueError(f"mix must have the shape {[steps, steps]}, got {list(mix.shape)}")
    if not bool((torch.triu(mix, 1) == 0).all()):
        raise ValueError("mix must be lower triangular")
    if not bool((torch.diagonal(mix) > 0).all()):
        raise ValueError("the diagonal of mix must be positive: dividing by another turns the comparison")
    return _substituted(mix.double(), threshold.double())


def _substituted(mix: Tensor, threshold: Tensor) -> Tensor:
    w: list[Tensor] = []
    for t in range(len(threshold)):
        past = sum((mix[t, j] * w[j] for j in range(t)), torch.zeros_like(threshold[0]))
        w.append((threshold[t] - past) / mix[t, t])
    return torch.stack(w)


def fixations(q: Tensor, mode: Mode, mix: Tensor, threshold: Tensor, keys: Tensor | None = None) -> Tensor:
    """Decide as `mode` says, in float64: 0.0 or 1.0, shape of `q` [T, N, ...].

    `mix` float64 [T', T'] and `threshold` float64 [T'] (V of the joint modes, w of the decoupled ones) are
    those of raw counts, T' >= T; `keys` are needed in the modes that use them.
    """
    return _decided(q.double(), mode, mix, threshold, None if keys is None else keys.double(), 1.0)


def _decided(
    q: Tensor, mode: Mode, mix: Tensor, threshold: Tensor, keys: Tensor | None, unit: float
) -> Tensor:
    if mode in WITH_KEYS and keys is None:
        raise ValueError(f"mode '{mode}' needs the counts of the keys")
    if mode in JOINT:
        h = mixed(q, mix, keys if mode in WITH_KEYS else None)
    else:
        h = q * keys if mode in WITH_KEYS and keys is not None else q
    rows = [_Fires.apply(row, threshold[t], unit) for t, row in enumerate(h)]  # type: ignore[no-untyped-call]
    return torch.stack(rows)


class Saccade(nn.Module):
    """Saccadic neurons over a whole sequence, with a trained M [T, T] and V [T] that all patches share.

    ``forward(q, k)``: counts float32 [T, N, heads, H, W] and, in the modes that use them, [T, N, heads, 1, 1]
    -> 0.0 or 1.0, shape of `q`. `width` is d, the channels of a head.

    The diagonal of M is the softplus of a parameter, so that it stays positive and w exists; it begins at 1,
    its neighbours below at 1/4, 1/16 and so on.
    """

    def __init__(
        self,
        timesteps: int,
        width: int,
        *,
        mode: Mode = "v2_joint_static",
        threshold: float = 0.5,
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
        if timesteps < 1 or width < 1:
            raise ValueError(f"timesteps and width must be at least 1, got {timesteps} and {width}")
        self.timesteps, self.width = int(timesteps), int(width)
        self.mode: Mode = mode
        distance = torch.arange(timesteps)[:, None] - torch.arange(timesteps)
        self.below = nn.Parameter(torch.where(distance > 0, 0.25 ** distance.float(), 0.0))
        self.diagonal = nn.Parameter(torch.full((timesteps,), math.log(math.expm1(1.0))))
        self.threshold = nn.Parameter(torch.full((timesteps,), float(threshold)))

    @property
    def mix(self) -> Tensor:
        """M of relative counts: float64 [T, T], lower triangular with a positive diagonal."""
        diagonal = F.softplus(self.diagonal.double())
        return torch.tril(self.below.double(), -1) + torch.diag_embed(diagonal)

    def unit(self, tokens: int) -> float:
        """Give what a relative count of 1 is in counts, or products of counts, of images of `tokens`."""
        queries = self.width * RATE
        return queries * tokens * queries if self.mode in WITH_KEYS else queries

    def tables(self, tokens: int) -> tuple[Tensor, Tensor]:
        """Give M [T, T] and the threshold [T] of raw counts, float64: V of joint modes, w of the others."""
        mix = self.mix
        threshold = self.threshold.double() * self.unit(tokens)
        return mix, threshold if self.mode in JOINT else _substituted(mix, threshold)

    def forward(self, q: Tensor, keys: Tensor | None = None) -> Tensor:
        """Tell which patches are looked at: counts [T, N, heads, H, W] and, if used, [T, N, heads, 1, 1]."""
        if len(q) > self.timesteps:
            raise ValueError(f"this saccadic neuron knows {self.timesteps} steps, got {len(q)}")
        tokens = q.shape[-2] * q.shape[-1]
        mix, threshold = self.tables(tokens)
        keys = None if keys is None else keys.double()
        return _decided(q.double(), self.mode, mix, threshold, keys, self.unit(tokens)).to(q.dtype)

    def extra_repr(self) -> str:
        """Parameters, for ``print``."""
        return f"timesteps={self.timesteps}, width={self.width}, mode={self.mode!r}"


@torch.no_grad()
def flip_rate(neuron: Saccade, q: Tensor, keys: Tensor | None = None) -> float:
    """Give the share of decisions about `q` that the decoupled form takes otherwise than the joint one.

    Both have the neuron's own M and V: `v1_joint` is compared with `v2_dec_dynamic`, static with static.
    """
    dynamic = neuron.mode in WITH_KEYS
    mix, threshold = neuron.mix, neuron.threshold.double() * neuron.unit(q.shape[-2] * q.shape[-1])
    joint = fixations(q, "v1_joint" if dynamic else "v2_joint_static", mix, threshold, keys)
    w = decoupled_threshold(mix, threshold)
    apart = fixations(q, "v2_dec_dynamic" if dynamic else "v2_dec_static", mix, w, keys)
    return float((joint != apart).double().mean())
