"""The "mlp" encoder: a small network that corrects "itq", kept only where it wins.

::

    z = c W + s relu(c W1 + b1) W2,   c = x - mean

W begins as itq's projection and s with 0, so training begins with itq. Vectors are cut into a training part
and a hold-out; after training, the encoder as the engine runs it, weights quantised where asked for, has to
find more true neighbours of the hold-out than itq fitted to the same part, by more than two standard errors
of the difference. If it does not, itq fitted to all vectors is given, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from snncore import encoders
from snncore.encoders import Encoder
from snncore.quantised_encoders import Arrays, WeightName, quantised

from ..binary import straight_sign
from .descent import Descent, descend, one_of
from .losses import neighbour_loss
from .neighbours import nearest, recalls

NEIGHBOURS = 10
_TRAINED = 20_000
_HELD_OUT = 1000
_FEWEST = 200
_SURE = 2.0  # standard errors


@dataclass(frozen=True)
class Training:
    """How `fit_mlp` trains."""

    epochs: int = 8
    batch: int = 512
    rate: float = 2e-4
    tau: float = 30.0
    alphas: tuple[float, float] = (0.5, 2.0)  #: of tanh, from the first to the last epoch
    train_projection: bool = True  #: W too, not only what corrects it; always with weights of +1 and -1
    progress: bool | None = None


def fit_mlp(
    X: NDArray[np.float32],
    bits: int = 256,
    *,
    seed: int = 0,
    hidden: int = 128,
    weights: WeightName = "float32",
    iterations: int = 40,
    kept: int = 100,
    training: Training = Training(),
) -> Encoder:
    """Train an "mlp" on vectors and their exact neighbours, or say why "itq" is better.

    Parameters
    ----------
    X
        [n, dim] float32. At most 20,000 are trained on; up to 1,000 more, a tenth, are the hold-out.
    bits
        A multiple of 64, 64 to 1024.
    seed
        Of the split, of itq and of the training.
    hidden
        Hidden units: a multiple of 64, 64 to 1024.
    weights
        "float32", "int8" (rounded after training) or "sign" (+1 and -1, trained as such; the gradient goes
        straight through the sign where the weight behind it is within -1..1).
    iterations
        Of itq's rotation.
    kept
        Candidates that count when the hold-out decides.
    training
        Epochs, batch and so on.

    Returns
    -------
    Encoder
        Of kind "mlp" or "itq"; `Encoder.note` says which recalls decided.

    Raises
    ------
    ValueError
        Options out of range.
    """
    if not 64 <= hidden <= 1024 or hidden % 64:
        raise ValueError(f"fit_mlp: expected 64 to 1024 hidden units, a multiple of 64, received {hidden}")

    def fallback(reason: str) -> Encoder:
        encoder = encoders.fit("itq", X, bits, seed=seed, iterations=iterations, weights=weights)
        encoder.note = f"itq instead of mlp: {reason}"
        return encoder

    if len(X) < _FEWEST:
        return fallback(f"{len(X)} vectors are too few to train on")
    order = np.random.default_rng(seed).permutation(len(X))
    held = min(_HELD_OUT, len(X) // 10)
    queries, base = X[order[:held]], np.ascontiguousarray(X[order[held : held + _TRAINED]])
    start = encoders.fit("itq", base, bits, seed=seed, iterations=iterations)
    tensors = _train(base, start, hidden, weights, seed, training)
    if weights != "float32":
        start = encoders.from_tensors("itq", start.dim, bits, quantised(start.tensors(), base, weights))
        tensors = quantised(tensors, base, weights)
    trained = encoders.from_tensors("mlp", X.shape[1], bits, tensors)

    truth = nearest(base, queries, NEIGHBOURS)
    ours, itq = (recalls(encoder, base, queries, truth, kept=kept) for encoder in (trained, start))
    figures = f"recall@{NEIGHBOURS} of {held} held-out vectors {ours.mean():.4f}, itq {itq.mean():.4f}"
    if (ours - itq).mean() <= _SURE * (ours - itq).std() / held**0.5:
        return fallback(figures)
    trained.note = f"mlp kept: {figures}"
    return trained


class _Weight(nn.Module):
    """Weights [inputs, outputs], as floats or as signs with a scale for each output."""

    def __init__(self, start: Tensor, weights: WeightName, trained: bool = True) -> None:
        super().__init__()
        self.signs = weights == "sign"
        scale = start.abs().mean(0).clamp_min(1e-12)
        self.latent = nn.Parameter(start / (2 * scale) if self.signs else start, requires_grad=trained)
        self.scale = nn.Parameter(scale, requires_grad=self.signs)

    def forward(self) -> Tensor:
        if not self.signs:
            latent: Tensor = self.latent
            return latent
        return straight_sign(F.hardtanh(self.latent)) * self.scale.abs()


class _Corrected(nn.Module):
    def __init__(self, projection: Tensor, hidden: int, weights: WeightName, training: Training) -> None:
        super().__init__()
        dim, bits = projection.shape
        moves = training.train_projection or weights == "sign"
        self.projection = _Weight(projection, weights, moves)
        self.hidden = _Weight(torch.randn(dim, hidden) * (2 / dim) ** 0.5, weights)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.residual = _Weight(torch.randn(hidden, bits) / hidden**0.5, weights)
        self.amount = nn.Parameter(torch.zeros(()))

    def forward(self, c: Tensor) -> Tensor:
        h = torch.relu(c @ self.hidden() + self.hidden_bias)
        logits: Tensor = c @ self.projection() + self.amount * (h @ self.residual())
        return logits


def _train(
    base: NDArray[np.float32],
    start: Encoder,
    hidden: int,
    weights: WeightName,
    seed: int,
    training: Training,
) -> Arrays:
    """Train on `base`; give the tensors of a float "mlp", an output's weights of one magnitude for "sign"."""
    neighbours = torch.from_numpy(nearest(base, base, NEIGHBOURS, others=True))
    arrays = start.tensors()
    centred = torch.from_numpy(base - arrays["mean"])
    unit = float(centred.square().mean().sqrt().clamp_min(1e-30))  # inputs of about 1
    centred /= unit
    projection = torch.from_numpy(arrays["projection"])
    spread = float((centred @ projection).abs().mean().clamp_min(1e-30))  # logits of about 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Corrected(projection / spread, hidden, weights, training)

        def loss_of(rows: Tensor, done: float) -> Tensor:
            first, last = training.alphas
            others = one_of(neighbours, rows)
            alpha = first + (last - first) * done
            return neighbour_loss(network(centred[rows]), network(centred[others]), alpha, training.tau)

        plan = Descent(training.epochs, training.batch, training.rate, training.progress)
        descend(network.parameters(), len(centred), loss_of, plan)
    with torch.no_grad():
        residual = network.amount * network.residual()
        parts = {
            "projection": network.projection() / unit,
            "hidden": network.hidden() / unit,
            "hidden_bias": network.hidden_bias,
            "residual": residual,
        }
    return {"mean": arrays["mean"], **{name: part.detach().numpy() for name, part in parts.items()}}
