"""Neurons as frameworks evaluate them, from the frameworks' own parameters.

One module a framework; a function has the name of the class (or function) whose update it repeats, in
lower case, and the same parameter names. `VERSIONS` says which release each was compared with: by tests that
run the framework's own code and want the same spikes and the same float32 bits.

>>> from snncore import presets
>>> presets.snntorch.leaky(beta=0.5).equation()
'h = k * v + y; s = h > threshold; v = h - s * drop (next_charge)'
>>> presets.spikingjelly.lif(tau=2.0, v_reset=None).equation()
'h = v + (y - (v - e)) / k; s = h >= threshold; v = h - s * drop'
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from . import bindsnet, lava, nir, norse, rockpool, sinabs, snntorch, spikingjelly, spyx

VERSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        module.__name__.rpartition(".")[2]: module.VERSION
        for module in (spikingjelly, snntorch, norse, sinabs, rockpool, spyx, bindsnet, nir, lava)
    }
)

__all__ = [
    "VERSIONS",
    "bindsnet",
    "lava",
    "nir",
    "norse",
    "rockpool",
    "sinabs",
    "snntorch",
    "spikingjelly",
    "spyx",
]
