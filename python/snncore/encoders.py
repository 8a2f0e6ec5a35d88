"""From vectors to binary codes whose Hamming distances tell which vectors are near.

>>> encoder = snncore.encoders.fit("itq", X, bits=256)
>>> codes = encoder.encode(X)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.arguments import thread_count
from snncore.bits import BitTensor
from snncore.quantised_encoders import WeightName, quantised

Kind = Literal["srp", "itq", "mlp", "e2lsh", "cross_polytope"]


class Encoder:
    """Gives each vector one logit a bit of its code; the bit is set where the logit is at least 0.

    Logits, and so codes, are the same on every CPU and for any number of threads. Made by `fit` and
    `from_tensors`; immutable.

    Attributes
    ----------
    note
        What was decided while fitting, in words: whether an "mlp" was kept. None: nothing was to decide.
    """

    __slots__ = ("_core", "note")

    def __init__(self, core: _core.Encoder, note: str | None = None) -> None:
        self._core = core
        self.note = note

    @property
    def kind(self) -> str:
        """One of "srp", "itq", "mlp", "e2lsh" and "cross_polytope"."""
        return self._core.kind

    @property
    def dim(self) -> int:
        """The length of a vector."""
        return self._core.dim

    @property
    def bits(self) -> int:
        """The length of a code."""
        return self._core.bits

    def __repr__(self) -> str:
        return f"Encoder(kind={self.kind!r}, dim={self.dim}, bits={self.bits})"

    def encode(self, X: ArrayLike, *, threads: int | None = None) -> BitTensor:
        """Give the codes of vectors.

        Parameters
        ----------
        X
            [n, dim] or [dim]: numbers, made float32.
        threads
            1 to 256; default as in `Model.run`.

        Returns
        -------
        BitTensor
            [n, bits].

        Raises
        ------
        ValueError
            Another shape, values that are not finite, or `threads` out of range.
        """
        return BitTensor(self._core.encode(_vectors(X), thread_count("encoder", threads)), 1)

    def logits(self, X: ArrayLike, *, threads: int | None = None) -> NDArray[np.float32]:
        """Give the logits of vectors, float32 [n, bits]; arguments and errors as of `encode`."""
        return self._core.logits(_vectors(X), thread_count("encoder", threads))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Give copies of the arrays that define the encoder; `from_tensors` makes it again."""
        return {name: np.asarray(tensor) for name, tensor in self._core.tensors().items()}


def fit(
    kind: Kind,
    X: ArrayLike,
    bits: int = 256,
    *,
    seed: int = 0,
    center: bool = True,
    iterations: int = 40,
    width: float | None = None,
    weights: WeightName = "float32",
    **options: Any,
) -> Encoder:
    """Fit an encoder to vectors.

    At most 100,000 of them, spread evenly, are looked at. All kinds but "mlp" are fitted by the engine, in
    one thread, and the same vectors give the same encoder everywhere.

    Parameters
    ----------
    kind
        "srp", signs of random projections, by fast transforms: nothing is learned but the mean. "itq",
        principal components, rotated so that signs lose little: the one to begin with. "mlp", a small network
        that corrects "itq", trained with PyTorch and kept only where it finds more neighbours of vectors it
        has not seen. "e2lsh" and "cross_polytope": classical families to compare with.
    X
        [n, dim]: numbers, made float32.
    bits
        A multiple of 64, 64 to 1024.
    seed
        Of all random numbers.
    center
        "srp" and "cross_polytope": hash vectors without their mean; False for cosines.
    iterations
        "itq": how often the rotation is improved, 0 to 1000.
    width
        "e2lsh": the width of a cell. Default: 4 times the mean distance to the tenth neighbour in a sample.
    weights
        "itq" and "mlp": "float32"; "int8", a quarter of the size and exact sums; "sign", +1 and -1, a
        thirty-second.
    options
        "mlp" only: those of `snncore.reference.hashing.fit_mlp`.

    Raises
    ------
    ValueError
        Vectors or options that do not fit; the message names what was expected and what came.
    ImportError
        "mlp" without PyTorch.
    """
    _check(kind, bits, seed, weights)
    vectors = _vectors(X)
    if kind == "mlp":
        from snncore.reference.hashing import fit_mlp

        return fit_mlp(vectors, bits, seed=seed, iterations=iterations, weights=weights, **options)
    if options:
        raise ValueError(f"encoder {kind!r}: it has no option {next(iter(options))!r}")
    core = _core.Encoder.fit(kind, vectors, bits, seed, center, iterations, 0.0 if width is None else width)
    if weights == "float32":
        return Encoder(core)
    if kind != "itq":
        raise ValueError(f"encoder {kind!r}: its weights cannot be {weights!r}")
    return from_tensors("itq", core.dim, bits, quantised(Encoder(core).tensors(), vectors, weights))


def from_tensors(kind: Kind, dim: int, bits: int, tensors: Mapping[str, ArrayLike]) -> Encoder:
    """Make an encoder from what `Encoder.tensors` gave.

    Raises
    ------
    snncore.FormatError
        A tensor that is missing, one too many, or of another type or shape than `docs/format.md` says.
    """
    arrays = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    for name, array in arrays.items():
        if array.dtype not in (np.float32, np.int8, np.uint64):
            raise _core.FormatError(
                f"encoder '{kind}': expected '{name}' as float32, int8 or uint64, received {array.dtype}"
            )
    return Encoder(_core.Encoder.from_tensors(kind, dim, bits, arrays))


def _vectors(X: ArrayLike) -> NDArray[np.float32]:
    array = np.asarray(X)
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2):
        raise ValueError(
            f"encoder: expected numbers of shape [n, dim], received {array.dtype} {list(array.shape)}"
        )
    with np.errstate(over="ignore"):  # what is too large becomes infinite and is refused
        return np.ascontiguousarray(np.atleast_2d(array), dtype=np.float32)


def _check(kind: str, bits: int, seed: int, weights: str) -> None:
    for name, value, known in (("kind", kind, get_args(Kind)), ("weights", weights, get_args(WeightName))):
        if value not in known:
            raise ValueError(f"encoder: expected {name} of {', '.join(known)}, received {value!r}")
    if not 64 <= bits <= 1024 or bits % 64:
        raise ValueError(f"encoder: expected 64 to 1024 bits, a multiple of 64, received {bits}")
    if not 0 <= seed < 2**64:
        raise ValueError(f"encoder: expected a seed of 0 to 2^64 - 1, received {seed}")
