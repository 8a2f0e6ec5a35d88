"""Learned hash codes: training what the engine's encoders run, and the networks that imitate LSH.

`fit_mlp` trains a correction of "itq" and keeps it where it helps; `fit_llsh` is the faithful mode of learned
locality-sensitive hashing, which says what it costs.
"""

from .llsh import Cost, Llsh, fit_llsh
from .mlp import fit_mlp
from .neighbours import blended_neighbours, nearest, recall

__all__ = ["Cost", "Llsh", "blended_neighbours", "fit_llsh", "fit_mlp", "nearest", "recall"]
