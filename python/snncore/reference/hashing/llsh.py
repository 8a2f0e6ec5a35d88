"""Learned locality-sensitive hashing as proposed: parallel small networks stand in for the hash functions.

After the abstracts of arXiv 2310.09806 and of the theses around it; layers, losses and sizes are our reading
of them. Data are centred and scaled; networks imitate E2LSH or signs of random projections, or learn
neighbours that several families agree on ("blend") or true ones ("knn"). On a CPU an imitation is dearer than
its linear teacher unless it has many outputs, and loses some of the teacher's answers: `Llsh.cost` counts
both. The engine does not run it; `fit_mlp` is what it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from .descent import Descent, descend, one_of
from .losses import imitation_loss, neighbour_loss
from .neighbours import blended_neighbours, nearest
from .parallel import Granularity, ParallelNetworks

Target = Literal["e2lsh", "srp", "blend", "knn"]

_NEIGHBOURS = 10
_SAMPLE = 20_000
_WIDTHS = 4
_ALPHAS = (1.0, 4.0)


@dataclass(frozen=True)
class Cost:
    """What hashing one vector costs, beside the linear functions that are imitated.

    Attributes
    ----------
    macs, bytes
        Multiply-adds and bytes of the parameters (float32) of the networks.
    teacher_macs, teacher_bytes
        The same of as many linear functions.
    agreement
        Share of hashes (cells or bits) of vectors not trained on that equal the teacher's; None without a
        teacher.
    """

    macs: int
    bytes: int
    teacher_macs: int
    teacher_bytes: int
    agreement: float | None

    def __str__(self) -> str:
        times = self.macs / self.teacher_macs
        text = f"{self.macs:,} multiply-adds a vector, {times:.2f} times as many as linear functions take"
        text += f"; {self.bytes:,} bytes, {self.bytes / self.teacher_bytes:.2f} times as many"
        if self.agreement is None:
            return text
        return f"{text}; {self.agreement:.1%} of hashes agree with theirs"


class Llsh:
    """Trained networks; `fit_llsh` makes it."""

    def __init__(
        self,
        networks: ParallelNetworks,
        moments: tuple[NDArray[np.float32], float],
        target: Target,
        standard: tuple[Tensor, Tensor],
    ) -> None:
        self._networks, self.target = networks, target
        self._mean, self._deviation = moments
        self._shift, self._scale = standard
        self.agreement: float | None = None

    @property
    def cost(self) -> Cost:
        """What hashing a vector costs."""
        networks, outputs = self._networks, len(self._shift)
        linear = len(self._mean) * outputs
        return Cost(networks.macs(), 4 * networks.size(), linear, 4 * (linear + outputs), self.agreement)

    def logits(self, X: ArrayLike) -> NDArray[np.float32]:
        """Give the outputs [n, tables * functions] of vectors [n, dim]."""
        with torch.no_grad():
            y = self._networks(self._standardised(X)) * self._scale + self._shift
        out: NDArray[np.float32] = y.numpy()
        return out

    def hashes(self, X: ArrayLike) -> NDArray[np.int64]:
        """Give cells ("e2lsh") or bits 0 and 1 (all others), int64 [n, tables * functions]."""
        return _hashes(self.logits(X), self.target)

    def _standardised(self, X: ArrayLike) -> Tensor:
        return torch.from_numpy((np.asarray(X, np.float32) - self._mean) / np.float32(self._deviation))


def fit_llsh(
    X: NDArray[np.float32],
    *,
    tables: int = 8,
    functions: int = 12,
    target: Target = "knn",
    granularity: Granularity = "shared",
    hidden: tuple[int, int] = (128, 64),
    epochs: int = 30,
    batch: int = 256,
    rate: float = 1e-3,
    seed: int = 0,
    progress: bool | None = None,
) -> Llsh:
    """Train networks that take the place of `tables` * `functions` hash functions.

    Parameters
    ----------
    X
        [n, dim] float32; at most 20,000, spread evenly, are looked at, a tenth of which measures agreement.
    tables, functions
        Hash tables, and the functions whose values together are a key.
    target
        "e2lsh", "srp": imitate them. "blend": neighbours on which E2LSH, projections and cross-polytopes
        agree, with weights from a hold-out. "knn": true neighbours.
    granularity
        A network for each "table", for each "function", or one "shared" trunk.
    hidden, epochs, batch, rate, seed
        Of the training.

    Raises
    ------
    ValueError
        Another target or granularity, or fewer than 100 vectors.
    """
    for name, value, known in (("target", target, Target), ("granularity", granularity, Granularity)):
        if value not in get_args(known):
            raise ValueError(f"fit_llsh: expected {name} of {', '.join(get_args(known))}, received {value!r}")
    if X.ndim != 2 or len(X) < 100:
        raise ValueError(f"fit_llsh: expected at least 100 vectors [n, dim], received {list(X.shape)}")
    X = np.asarray(X[:: -(-len(X) // _SAMPLE)], np.float32)
    mean = X.mean(0)
    deviation = float(max((X - mean).std(), 1e-30))
    x = torch.from_numpy((X - mean) / np.float32(deviation))
    trained, outputs, plan = len(x) - len(x) // 10, tables * functions, Descent(epochs, batch, rate, progress)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = ParallelNetworks(X.shape[1], tables, functions, hidden, granularity)
        if target in ("e2lsh", "srp"):
            values = _teacher(x, outputs, target)
            shift, scale = _standard(values[:trained], target)
            _imitate(networks, x[:trained], (values[:trained] - shift) / scale, target, plan)
        else:
            values = None
            shift, scale = torch.zeros(outputs), torch.ones(outputs)
            _learn_neighbours(networks, x[:trained], _neighbours(X[:trained], target, seed), plan)
    llsh = Llsh(networks, (mean, deviation), target, (shift, scale))
    if values is not None:
        theirs = _hashes(values[trained:].numpy(), target)
        llsh.agreement = float((llsh.hashes(X[trained:]) == theirs).mean())
    return llsh


def _hashes(values: NDArray[np.float32], target: Target) -> NDArray[np.int64]:
    return (np.floor(values) if target == "e2lsh" else values >= 0).astype(np.int64)


def _teacher(x: Tensor, functions: int, target: Target) -> Tensor:
    """Values of linear functions before their floor or sign, [n, functions]."""
    values = x @ torch.randn(x.shape[1], functions)
    if target == "srp":
        return values
    some = x[:: -(-len(x) // 1000)].numpy()
    rank = min(_NEIGHBOURS, len(some) - 1)
    tenth = some[nearest(some, some, rank, others=True)[:, -1]]
    width = _WIDTHS * float(np.linalg.norm(tenth - some, axis=1).mean().clip(1e-12))
    return values / width + torch.rand(functions)


def _standard(values: Tensor, target: Target) -> tuple[Tensor, Tensor]:
    """Shift and scale of what is fitted; signs stay signs."""
    deviation = values.std(0).clamp_min(1e-12)
    if target == "srp":
        return torch.zeros_like(deviation), deviation.mean().expand_as(deviation)
    return values.mean(0), deviation


def _neighbours(X: NDArray[np.float32], target: Target, seed: int) -> Tensor:
    if target == "blend":
        return torch.from_numpy(blended_neighbours(X, _NEIGHBOURS, seed=seed))
    return torch.from_numpy(nearest(X, X, _NEIGHBOURS, others=True))


def _imitate(
    networks: ParallelNetworks, x: Tensor, values: Tensor, target: Literal["e2lsh", "srp"], plan: Descent
) -> None:
    def loss_of(rows: Tensor, _: float) -> Tensor:
        return imitation_loss(networks(x[rows]), values[rows], target)

    descend(networks.parameters(), len(x), loss_of, plan)


def _learn_neighbours(networks: ParallelNetworks, x: Tensor, neighbours: Tensor, plan: Descent) -> None:
    first, last = _ALPHAS

    def loss_of(rows: Tensor, done: float) -> Tensor:
        alpha = first + (last - first) * done
        return neighbour_loss(networks(x[rows]), networks(x[one_of(neighbours, rows)]), alpha)

    descend(networks.parameters(), len(x), loss_of, plan)
