"""NIR, the neuromorphic intermediate representation: graphs in, graphs out. Needs ``snncore[nir]``."""

from .reading import from_nir
from .writing import to_nir

__all__ = ["from_nir", "to_nir"]
