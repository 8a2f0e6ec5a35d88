"""Making a model from code: what importers call."""

from .arguments import Encoding, Pair
from .graph_builder import GraphBuilder
from .neurons import Leak, Profile, Reset, SaccadeMode, State

__all__ = ["Encoding", "GraphBuilder", "Leak", "Pair", "Profile", "Reset", "SaccadeMode", "State"]
