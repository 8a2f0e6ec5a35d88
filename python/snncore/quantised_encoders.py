"""Encoders whose weights are int8 or +1 and -1, from float ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snncore.bits import pack

WeightName = Literal["float32", "int8", "sign"]
Arrays = dict[str, NDArray[Any]]

_INPUT_CODES = 127
_HIDDEN_CODES = 255
_SAMPLE = 10_000
_COVERED = 99.99  # per cent of the values that get a code of their own; the rest is cut


def quantised(
    tensors: Mapping[str, NDArray[Any]], X: NDArray[np.float32], weights: Literal["int8", "sign"]
) -> Arrays:
    """Round the weights of an "itq" or "mlp" and choose scales for what the layers take.

    Parameters
    ----------
    tensors
        Of the float encoder.
    X
        [n, dim] float32: vectors that are typical.
    weights
        "int8": ``round(W / scale)`` with a scale for each output. "sign": the sign, with the mean magnitude
        of an output's weights as its scale.

    Returns
    -------
    dict
        What `snncore.encoders.from_tensors` takes (docs/format.md, "Encoders").
    """
    centred = X[:: max(1, len(X) // _SAMPLE)] - tensors["mean"]
    unit = max(_top(np.abs(centred)), 1e-30) / _INPUT_CODES
    codes = np.clip(np.rint(centred / unit), -_INPUT_CODES, _INPUT_CODES)
    projection, scale = _layer(tensors["projection"], weights)
    bits = projection.scaled.shape[1]
    out: Arrays = {
        "mean": tensors["mean"],
        "input_scale": np.full(X.shape[1], 1 / unit, np.float32),
        "projection": projection.stored,
        "projection_scale": (scale * unit).astype(np.float32),
        "bias": np.zeros(bits, np.float32),
    }
    if "hidden" not in tensors:
        return out
    hidden, hidden_scale = _layer(tensors["hidden"], weights)
    residual, residual_scale = _layer(tensors["residual"], weights)
    values = codes @ hidden.scaled * (hidden_scale * unit) + tensors["hidden_bias"]
    hidden_unit = max(_top(np.maximum(values, 0)), 1e-30) / _HIDDEN_CODES
    out.update(
        hidden=hidden.stored,
        hidden_scale=(hidden_scale * unit / hidden_unit).astype(np.float32),
        hidden_bias=(tensors["hidden_bias"] / hidden_unit).astype(np.float32),
        residual=residual.stored,
        residual_scale=(residual_scale * hidden_unit).astype(np.float32),
    )
    return out


class _Layer:
    """Codes as numbers and as a file has them."""

    def __init__(self, scaled: NDArray[np.float64], stored: NDArray[Any]) -> None:
        self.scaled, self.stored = scaled, stored


def _layer(W: NDArray[np.float32], weights: str) -> tuple[_Layer, NDArray[np.float64]]:
    """Give codes [inputs, outputs], and a scale for each output."""
    magnitude = np.abs(W.astype(np.float64))
    if weights == "sign":
        signs = W >= 0
        return _Layer(np.where(signs, 1.0, -1.0), pack(signs).words), magnitude.mean(0)
    scale = np.maximum(magnitude.max(0), 1e-30) / 127
    codes = np.rint(W / scale)
    return _Layer(codes, codes.astype(np.int8)), scale


def _top(values: NDArray[np.floating[Any]]) -> float:
    return float(np.percentile(values, _COVERED))
