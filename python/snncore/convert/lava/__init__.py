"""lava-dl: the .net files that SLAYER exports and Lava runs. Needs h5py."""

from .reading import from_lava_dl

__all__ = ["from_lava_dl"]
