"""Which method answers for which node; inputs and outputs of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from snncore import Error, FormatError
from snncore.builder import GraphBuilder

from .attributes import STANDARD
from .functions import DOMAIN, FUNCTIONS, stem_of
from .held import Held, fixed
from .loading import Network, Node
from .operators import FOLDED
from .scanning import Loops

_FLOAT, _BOOL = 1, 9

#: Attributes that are refused unless they have this value.
_ONLY: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "Conv": {"auto_pad": ("NOTSET", "VALID")},
    "Gemm": {"alpha": (1.0,), "beta": (1.0,), "transA": (0,)},
    "BatchNormalization": {"training_mode": (0,)},
    "MaxPool": {
        "auto_pad": ("NOTSET", "VALID"),
        "ceil_mode": (0,),
        "dilations": ([1, 1],),
        "storage_order": (0,),
    },
    "AveragePool": {"auto_pad": ("NOTSET", "VALID"), "ceil_mode": (0,), "dilations": ([1, 1],)},
    "Reshape": {"allowzero": (0,)},
}


def missing(node: Node) -> str | None:
    """Tell why a node has no counterpart."""
    if node.domain == DOMAIN:
        return None if stem_of(node.op) in FUNCTIONS else f"no function {node.op} of snncore's"
    if node.domain:
        return f"{node.op} of domain '{node.domain}'"
    if not hasattr(Emitter, f"op_{node.op.lower()}") and node.op not in FOLDED and node.op != "Constant":
        return node.op
    unknown = sorted(set(node.attrs) - set(STANDARD))
    if unknown:
        return f"{node.op} with {unknown[0]}"
    for name, allowed in _ONLY.get(node.op, {}).items():
        if name in node.attrs and node.attrs[name] not in allowed:
            return f"{node.op} with {name} {node.attrs[name]}"
    if (
        node.op == "AveragePool"
        and any(node.attrs.get("pads", ()))
        and not node.attrs.get("count_include_pad")
    ):
        return "AveragePool whose mean leaves padding out"
    return None


class Emitter(Loops):
    """Walks over the nodes."""

    def __init__(self, network: Network, builder: GraphBuilder) -> None:
        super().__init__(network, builder)
        self.written: list[str] = []

    def inputs(self) -> None:
        """Add the inputs that no function of ours reads: [N, ...], [T, N, ...]; [T*N, ...] before neurons."""
        read = {n.inputs[0] for n in self.network.nodes if stem_of(n.op) == "input" and n.inputs}
        calls = {stem_of(n.op) for n in self.network.nodes if n.domain == DOMAIN}
        merged = bool(calls) and "repeat" not in calls
        for name, (element, axes) in self.network.inputs.items():
            if name in read:
                continue
            rank = len(axes or ())
            timed = rank in (3, 5)
            shape = fixed(axes[1 + timed :] if axes else None)
            if rank not in (2, 3, 4, 5) or shape is None or element not in (_FLOAT, _BOOL):
                raise Error(
                    f"{self.network.source}: input '{name}' has the axes {axes}; [N, F], [T, N, F], "
                    "[N, C, H, W] and [T, N, C, H, W] of float32 or bool are possible, F, C, H and W fixed"
                )
            layout = ("T" if timed or merged else "") + ("NCHW" if len(shape) == 3 else "NC")
            if timed and isinstance(axes[0], int):  # type: ignore[index]
                self.steps = axes[0]  # type: ignore[index]
            kind: Any = "real" if element == _FLOAT else "spike"
            edge = self.builder.input(name, "f32" if kind == "real" else "b1", shape, layout=layout)
            self.values[name] = Held(edge, kind, shape, timed=timed, still=not (timed or merged))

    def emit(self, node: Node) -> None:
        """Add a node."""
        if self.done.intersection(node.outputs):
            return
        if node.domain == DOMAIN:
            self.check_function(node)
            method: Callable[[Node], None] = getattr(self, f"call_{stem_of(node.op)}")
        elif self.fold(node):
            return
        else:
            method = getattr(self, f"op_{node.op.lower()}", self._unfolded)
        method(node)

    def _unfolded(self, node: Node) -> None:
        raise self.cannot(node, "of values that are not constant")

    def outputs(self, readout: Literal["mean", "sum", "last"] | None) -> None:
        """Name the outputs; those that `to_onnx` added to record layers are left out."""
        recorded = self.network.facts.get("record", [])
        for name in self.network.outputs:
            held = self.values.get(name)
            if name in recorded:
                continue
            if not isinstance(held, Held):
                raise FormatError(f"{self.network.source}: output '{name}' does not depend on the input")
            if held.counted and held.divisor != 1:
                raise FormatError(
                    f"{self.network.source}: output '{name}' is counts, not what they are worth"
                )
            if held.still and self.network.functions:
                raise FormatError(f"{self.network.source}: output '{name}' is one frame for all steps")
            edge = held.edge
            if readout is not None and len(held.shape) == 1 and held.kind not in ("sum", "current"):
                node = Node(f"{name}.readout", "readout", "", (), (name,), {})
                self.valued_readout(node, replace(held, timed=True), readout)
                result = self.values[name]
                assert isinstance(result, Held)
                edge = result.edge
            self.builder.output(name, edge)
