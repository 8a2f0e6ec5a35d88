"""Currents and streams: scaled for each step, requantised, written, coupled and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from .arguments import doubles, int32, int32_rows, optional_row
from .edges import Edges


class Streams(Edges):
    """A method for each step between sums, currents, streams and values."""

    def step_gain(self, name: str, x: str, gain: ArrayLike) -> str:
        """Multiply integer sums, with their scales and biases, by a factor for each step.

        Parameters
        ----------
        x
            A sum [C] or [C, H, W], perhaps behind `batch_norm` or `add`. A `lif` must come next.
        gain
            [T, G], at least 0, where G divides C and each factor holds for C / G channels, one behind the
            other (a head). A run of more than T steps is refused; with T = 1 it holds for all.
        """
        rows = doubles(gain)
        channels = self.shape(x)[0]
        if rows.ndim != 2 or not rows.shape[1] or channels % rows.shape[1]:
            raise ValueError(
                f"step_gain '{name}': expected [T, G] with a G that divides {channels}, "
                f"received {list(rows.shape)}"
            )
        return self._core.step_gain(name, x, rows.repeat(channels // rows.shape[1], axis=1).ravel())

    def requant(
        self,
        name: str,
        inputs: Sequence[str],
        factors: Sequence[ArrayLike],
        c: ArrayLike,
        n: ArrayLike,
        wide: bool = False,
    ) -> str:
        """Add the step from integer sums to the current of an integer neuron.

        ``I = ((sum_j A_j * M_j + c + h) >> n) + sum_j K_j * s_j``, h = 2^(n-1) where n > 0, else 0.

        Parameters
        ----------
        inputs
            Sums A_j, and spikes or counts s_j.
        factors
            For each input int32 [C]: M_j of sums, K_j of spikes and counts. M_j may have a row for each step,
            [T, C]; a run of more than T steps is refused.
        c, n
            int32 [C]; c may have rows as M_j does.
        wide
            Allow 64-bit products.
        """
        return self._core.requant(
            name,
            list(inputs),
            factors=[int32_rows(f, name, f"factors[{j}]", n) for j, f in enumerate(factors)],
            c=int32_rows(c, name, "c", n),
            n=int32(n, name, "n"),
            wide=wide,
        )

    def residual(self, name: str, x: str, stream: str | None = None, *, unit: float | None = None) -> str:
        """Add `x` to an int32 stream of real values, or begin one: ``R = sat32(R + round(x / unit))``.

        Membrane shortcuts and the residual streams of transformers: what a layer and its batch norm give is
        written with one rounding, and neurons read the stream (`lif` enters it by itself). Of its mean over
        all pixels (`avgpool2d`, then `flatten`) a `linear` layer and a `readout` may follow.

        Parameters
        ----------
        x
            Integer sums, with or without a `batch_norm`, or an `add` of such; or spikes or counts.
        stream
            The stream so far; default: `x` begins one. Shapes are equal.
        unit
            The real value of one. Default: that of `stream`; of a new one, threshold / 4096 of the first
            `lif` that reads it (which saturates at 524,288 thresholds).
        """
        return self._core.residual(name, x, stream or "", unit=0.0 if unit is None else unit)

    def couple(self, name: str, x: str, before: str, now: str) -> str:
        """Begin a stream with the mean of two, and add `x`: ``x + (before + now) / 2``.

        One of its units is half of the finer of theirs, or less, so halving rounds nothing: only `x` is
        rounded. The node is a `residual` that adds the coarser stream several times.

        Parameters
        ----------
        x
            As for `residual`.
        before, now
            Streams, of one shape with `x`; the same one twice is `residual`. Where all three are float32, so
            is the result, computed in this order: ``x + (before + now) / 2``.
        """
        return self._core.couple(name, x, before, now)

    def residual_int(
        self,
        name: str,
        inputs: Sequence[str],
        factors: Sequence[ArrayLike | None],
        c: ArrayLike,
        n: ArrayLike,
        unit: float = 1.0,
    ) -> str:
        """Add a writer of a stream exactly as a file holds it.

        ``R = sat32(sum_j R_j + ((sum_j A_j * M_j + c + h) >> n) + sum_j K_j * s_j)``, h = 2^(n-1) where n >
        0, else 0.

        Parameters
        ----------
        inputs
            Streams R_j, sums A_j, and spikes or counts s_j.
        factors
            For each input int32 [C]: M_j of sums, K_j of spikes and counts; None for streams. M_j may have a
            row for each step, as in `requant`.
        c, n
            int32 [C]; c may have rows as M_j does.
        unit
            The real value of one; kept, not applied.
        """
        given = [
            np.empty(0, np.int32) if f is None else int32_rows(f, name, f"factors[{j}]", n)
            for j, f in enumerate(factors)
        ]
        arrays = {"c": int32_rows(c, name, "c", n), "n": int32(n, name, "n")}
        return self._core.residual_int(name, list(inputs), factors=given, **arrays, unit=unit)

    def readout(
        self,
        name: str,
        x: str,
        mode: Literal["mean", "sum", "last"] = "mean",
        scale: ArrayLike | None = None,
        bias: ArrayLike | None = None,
    ) -> str:
        """Add a readout over time of a vector: float32 [F].

        `scale` (float64 [F] or [1]) and `bias` (float64 [F]) turn integer sums into values; they follow from
        the linear layer before it unless given.
        """
        rows = {"scale": optional_row(scale, name, "scale"), "bias": optional_row(bias, name, "bias")}
        return self._core.readout(name, x, mode=mode, **rows)
