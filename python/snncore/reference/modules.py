"""Layers with quantised weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snncore.compress.codes import RESCAW_BITS, SYMMETRIC_BITS, Gamma, Granularity, check_bits

from .quantize import Ste, rescaw, rescaw_codes, symmetric, symmetric_codes


class Quantizer(Protocol):
    """What a layer asks of its quantiser; `WeightQuantizer` and `BinaryQuantizer` are such."""

    @property
    def bits(self) -> int:
        """Bits of a code."""

    @property
    def encoding(self) -> Literal["odd", "sym"]:
        """What a code q means in a file: ``odd`` m = 2 q + 1, ``sym`` m = q."""

    def __call__(self, w: Tensor) -> Tensor:
        """Return the weight the layer computes with: float32, shape of `w`."""

    def codes(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Codes q (int8, shape of `w`) and scale (float64, [C_out] or [1])."""


@dataclass(frozen=True)
class WeightQuantizer:
    """How one layer's weight is quantised; `gamma`, `factor` and `ste` concern kind ``"rescaw"`` only.

    ``gamma="one"`` is the quantiser without rescaling that QP-SNN compares with.
    """

    kind: Literal["rescaw", "symmetric"]
    bits: int
    granularity: Granularity = "channel"
    gamma: Gamma = "mean"
    factor: bool = False
    ste: Ste = "code"

    def __post_init__(self) -> None:
        if self.kind not in ("rescaw", "symmetric"):
            raise ValueError(f"kind must be 'rescaw' or 'symmetric', got {self.kind!r}")
        check_bits(self.bits, RESCAW_BITS if self.kind == "rescaw" else SYMMETRIC_BITS)

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

    def __init__(self, *args: Any, quantizer: Quantizer | None = None, **kwargs: Any) -> None:
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

    def __init__(self, *args: Any, quantizer: Quantizer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.quantizer = quantizer

    def forward(self, x: Tensor) -> Tensor:
        """Compute the layer, with the quantised weight if there is a quantiser."""
        weight = self.weight if self.quantizer is None else self.quantizer(self.weight)
        return F.linear(x, weight, self.bias)


class _MapCodes:
    """0 and 1 as 8-bit codes 0 and 64 of scale 1/64.

    The engine multiplies the sums of all branches by integers that share one shift. A code of 1 would need a
    factor 64 times as large, which leaves 6 bits less of that shift to the branch beside it.
    """

    bits = 8
    encoding: Literal["odd", "sym"] = "sym"

    def __call__(self, w: Tensor) -> Tensor:
        return w

    def codes(self, w: Tensor) -> tuple[Tensor, Tensor]:
        return (w * 64).to(torch.int8), torch.tensor([1 / 64], dtype=torch.float64)


class ChannelMap(Conv2d):
    """A shortcut that moves channels without arithmetic: output channel i is ``x[source[i]]``, or 0 at -1.

    With `stride` it takes every second, third ... pixel of each row and column. It is a 1x1 convolution of
    zeros and ones, so every engine and file format has it, and it is exact. It has no parameters. With
    `coded` its zeros and ones are codes, for networks of coded weights.
    """

    def __init__(
        self, source: Sequence[int], in_channels: int, stride: int = 1, *, coded: bool = True
    ) -> None:
        outside = [i for i in source if not -1 <= i < in_channels]
        if not source or outside:
            raise ValueError(f"source must hold -1..{in_channels - 1}, got {outside or 'nothing'}")
        super().__init__(in_channels, len(source), 1, stride=stride, bias=False)
        self.coded = coded
        ones = torch.zeros(len(source), in_channels, 1, 1)
        for to, of in enumerate(source):
            if of >= 0:
                ones[to, of] = 1.0
        del self.weight
        self.register_buffer("weight", ones, persistent=False)
        self.source = tuple(int(i) for i in source)

    @property
    def coded(self) -> bool:
        """Whether its zeros and ones are codes."""
        return self.quantizer is not None

    @coded.setter
    def coded(self, coded: bool) -> None:
        self.quantizer = _MapCodes() if coded else None

    @classmethod
    def zero_padded(cls, in_channels: int, out_channels: int, stride: int, *, coded: bool) -> ChannelMap:
        """Option A of He et al. (arXiv 1512.03385): half of the new channels in front, the rest behind."""
        front = (out_channels - in_channels) // 2
        source = [i - front if front <= i < front + in_channels else -1 for i in range(out_channels)]
        return cls(source, in_channels, stride, coded=coded)
