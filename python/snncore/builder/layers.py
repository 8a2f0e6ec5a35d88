"""Layers of weights, pools, and what joins, flattens or delays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from numpy.typing import ArrayLike

from .arguments import Encoding, Pair, pair, row, sides, weight_arguments, window
from .edges import Edges


class Layers(Edges):
    """A method for each kind of layer."""

    def conv2d(
        self,
        name: str,
        x: str,
        weight: ArrayLike,
        *,
        encoding: Encoding = "f32",
        bits: int | None = None,
        scale: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
    ) -> str:
        """Add a two-dimensional convolution (cross-correlation, as in PyTorch).

        Parameters
        ----------
        weight
            [C, C_in / groups, kh, kw]: float32, or int8 codes q with `encoding`, `bits` and `scale`.
        encoding, bits
            "f32"; or what a code means: "odd" m = 2q + 1, "sym" m = q, with 1, 2, 4 or 8 bits (sym: from 2).
        scale
            float64 [C] or [1]: a real weight is scale * m. Codes only.
        bias
            float64 [C].
        stride, dilation
            One number, or (vertical, horizontal).
        padding
            One number, (vertical, horizontal), or (top, bottom, left, right). Padding is value zero.
        """
        return self._core.conv2d(
            name,
            x,
            **weight_arguments(name, weight, encoding, bits, scale, bias),
            stride=pair(stride, name, "stride"),
            padding=sides(padding, name),
            dilation=pair(dilation, name, "dilation"),
            groups=groups,
        )

    def linear(
        self,
        name: str,
        x: str,
        weight: ArrayLike,
        *,
        encoding: Encoding = "f32",
        bits: int | None = None,
        scale: ArrayLike | None = None,
        bias: ArrayLike | None = None,
    ) -> str:
        """Add a fully connected layer; `weight` is [C, F], the rest is as in `conv2d`.

        After `flatten` of an image the columns are in the order C, H, W.
        """
        return self._core.linear(name, x, **weight_arguments(name, weight, encoding, bits, scale, bias))

    def batch_norm(
        self,
        name: str,
        x: str,
        gamma: ArrayLike,
        beta: ArrayLike,
        mean: ArrayLike,
        var: ArrayLike,
        eps: float = 1e-5,
    ) -> str:
        """Add ``(x - mean) / sqrt(var + eps) * gamma + beta``, all [C]; `build` folds it."""
        return self._core.batch_norm(
            name,
            x,
            row(gamma, name, "gamma"),
            row(beta, name, "beta"),
            row(mean, name, "mean"),
            row(var, name, "var"),
            eps,
        )

    def maxpool2d(
        self, name: str, x: str, kernel: Pair, stride: Pair | None = None, padding: Pair = 0
    ) -> str:
        """Add an OR of spikes over windows, or the largest of float32 values.

        `stride` is `kernel` unless given. Padding never fires; of float32 values it is left out, and must be
        smaller than the kernel.
        """
        return self._core.maxpool2d(name, x, **window(name, kernel, stride, padding))

    def avgpool2d(
        self, name: str, x: str, kernel: Pair, stride: Pair | None = None, padding: Pair = 0
    ) -> str:
        """Add a mean over windows, exact for spikes: a count with a unit. Padding counts as zeros."""
        return self._core.avgpool2d(name, x, **window(name, kernel, stride, padding))

    def add(self, name: str, inputs: Sequence[str]) -> str:
        """Add the sum of two or more edges of one shape."""
        return self._core.add(name, list(inputs))

    def flatten(self, name: str, x: str) -> str:
        """Make a vector of an image, in C, H, W order."""
        return self._core.flatten(name, x)

    def delay(
        self,
        name: str,
        x: str,
        steps: int = 1,
        shape: Sequence[int] | None = None,
        dtype: Literal["b1", "f32"] = "b1",
    ) -> str:
        """Add a delay: the value of `x` (spikes, counts or float32) `steps` steps ago, zero before.

        Parameters
        ----------
        x
            An edge; or the name of one to be added later, which makes the network recurrent.
        steps
            1 to 4096.
        shape, dtype
            What `x` will be, [C, H, W] or [F], where it is added later.
        """
        return self._core.delay(name, x, steps=steps, shape=list(shape or ()), dtype=dtype)
