"""Pictures of what a network does: text in a terminal, PNG or SVG through matplotlib, arrays in any case."""

from .picture import Picture, check_path
from .raster import Raster, RasterPair
from .rates import Rates
from .traces import Traces

__all__ = ["Picture", "Raster", "RasterPair", "Rates", "Traces", "check_path"]
