"""The graph between a NIR file and the builder: named nodes and edges on one level, checked.

Subgraphs are flattened: a node is called by its path, ``lif1.w_rec``. Their own inputs and outputs are gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snncore import Error, FormatError

from .tree import Tree

Edge = tuple[str, str]


@dataclass(frozen=True)
class Kind:
    """What a node of a kind holds: real values, other fields, and what stands for a missing one."""

    values: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    missing: Mapping[str, Any] = field(default_factory=dict)


_CONV = Kind(
    ("weight", "bias"),
    ("input_shape", "stride", "padding", "dilation", "groups"),
    {"bias": 0.0, "input_shape": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1},
)
_POOL = Kind((), ("kernel_size", "stride", "padding"), {"stride": None, "padding": 0})
_FIRES = ("v_threshold", "v_reset")

KINDS: Final[Mapping[str, Kind]] = {
    "Input": Kind((), ("shape",), {"shape": None}),
    "Output": Kind((), ("shape",), {"shape": None}),
    "Affine": Kind(("weight", "bias"), (), {"bias": 0.0}),
    "Linear": Kind(("weight",)),
    "Scale": Kind(("scale",)),
    "Conv1d": _CONV,
    "Conv2d": _CONV,
    "SumPool2d": _POOL,
    "AvgPool2d": _POOL,
    "Flatten": Kind((), ("start_dim", "end_dim"), {"start_dim": 1, "end_dim": -1}),
    "Delay": Kind(("delay",)),
    "Threshold": Kind(("threshold",)),
    "I": Kind(("r",)),
    "LI": Kind(("tau", "r", "v_leak")),
    "IF": Kind(("r", *_FIRES), (), {"v_reset": 0.0}),
    "LIF": Kind(("tau", "r", "v_leak", *_FIRES), (), {"v_reset": 0.0}),
    "CubaLI": Kind(("tau_syn", "tau_mem", "r", "v_leak", "w_in"), (), {"w_in": 1.0}),
    "CubaLIF": Kind(
        ("tau_syn", "tau_mem", "r", "v_leak", "w_in", *_FIRES), (), {"w_in": 1.0, "v_reset": 0.0}
    ),
}
#: What any node may hold beside, and what says nothing of its spikes.
_ASIDE: Final = frozenset({"input_type", "output_type", "metadata"})
_AXES: Final = {"Affine": 2, "Linear": 2, "Conv1d": 3, "Conv2d": 4}
#: Hold a state from step to step, so that a cycle can be cut behind them.
NEURONS: Final = frozenset({"I", "LI", "IF", "LIF", "CubaLI", "CubaLIF"})
SPIKING: Final = frozenset({"IF", "LIF", "CubaLIF"})


@dataclass(frozen=True)
class Node:
    """One node: `values` are float64 arrays (weights float32), `fields` what the file holds.

    `kind` is NIR's, or "Sum": the sum of all edges that lead there.
    """

    name: str
    kind: str
    values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """How messages speak of it."""
        return f"{self.kind} '{self.name}'"


@dataclass(frozen=True)
class Graph:
    """Nodes by name, in the order of the file, which means nothing; edges without order."""

    nodes: dict[str, Node]
    edges: list[Edge]
    metadata: dict[str, Any] = field(default_factory=dict)
    source: str = "the graph"

    def before(self) -> dict[str, list[str]]:
        """List for each node those that lead to it, by name."""
        lists: dict[str, list[str]] = {name: [] for name in self.nodes}
        for a, b in sorted(self.edges):
            lists[b].append(a)
        return lists

    def after(self) -> dict[str, list[str]]:
        """List for each node those that it leads to, by name."""
        lists: dict[str, list[str]] = {name: [] for name in self.nodes}
        for a, b in sorted(self.edges):
            lists[a].append(b)
        return lists


def listed(names: Iterable[str]) -> str:
    """Put names into a sentence."""
    return ", ".join(f"'{name}'" for name in sorted(names))


def brief(given: Any) -> str:
    """Write a value of a file into one line."""
    text = " ".join(repr(given).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def unique(name: str, taken: Container[str]) -> str:
    """Give `name`, or `name` with a number that nobody has."""
    free, n = name, 2
    while free in taken:
        free, n = f"{name}_{n}", n + 1
    return free


def from_tree(tree: Tree, source: str) -> Graph:
    """Flatten and check what `tree.read` gave.

    Raises
    ------
    snncore.FormatError
        The tree is not a NIR graph, or a value in it is not what its node needs.
    snncore.Error
        Kinds of nodes that are not known here; all of them are named.
    """
    if not isinstance(tree.get("type"), str):
        raise FormatError(f"{source}: the graph has no type")
    if tree["type"] != "NIRGraph":  # a file may hold a single node
        tree = {"type": "NIRGraph", "nodes": {"node": tree}, "edges": []}
    flat = _Flattening(source)
    flat.scope(tree, ())
    flat.resolve()
    unknown = [f"'{n.name}' ({n.kind})" for n in flat.leaves.values() if n.kind not in KINDS]
    if unknown:
        raise Error(f"{source}: no counterpart for {', '.join(unknown)}")
    nodes = {name: _checked(node) for name, node in flat.leaves.items()}
    return _with_ends(Graph(nodes, flat.edges, _facts(tree.get("metadata")), source))


def _facts(metadata: Any) -> dict[str, Any]:
    """Take words and numbers."""
    given = metadata if isinstance(metadata, dict) else {}
    single = {
        k: v.item() if isinstance(v, (np.ndarray, np.generic)) and v.size == 1 else v
        for k, v in given.items()
    }
    return {k: v for k, v in single.items() if isinstance(v, (str, int, float))}


class _Scope:
    """A graph within the file: its path, and for each name in it the leaves where edges enter and leave."""

    def __init__(self, path: tuple[str, ...], edges: list[Edge]) -> None:
        self.path, self.edges = path, edges
        self.inputs: dict[str, list[str]] = {}
        self.outputs: dict[str, list[str]] = {}


class _Flattening:
    def __init__(self, source: str) -> None:
        self.source = source
        self.leaves: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.scopes: list[_Scope] = []
        self.inner: set[str] = set()  # inputs and outputs of subgraphs
        self.known: dict[str, str] = {}  # a dotted path, with or without repeated parts: the leaf

    def scope(self, tree: Tree, path: tuple[str, ...]) -> _Scope:
        """Take the nodes of a graph, and of the graphs in it."""
        what = f"subgraph '{'.'.join(path)}'" if path else "the graph"
        nodes, edges = tree.get("nodes", {}), tree.get("edges", [])
        if not isinstance(nodes, dict):
            raise FormatError(f"{self.source}: the nodes of {what} are not a group")
        scope = _Scope(path, _pairs(edges, f"{self.source}: {what}"))
        self.scopes.append(scope)
        for key, node in nodes.items():
            if not isinstance(node, dict) or not isinstance(node.get("type"), str):
                raise FormatError(f"{self.source}: node '{'.'.join((*path, key))}' has no type")
            if node["type"] == "NIRGraph":
                below = self.scope(node, (*path, key))
                scope.inputs[key], scope.outputs[key] = self._ends(below, node.get("nodes", {}))
            else:
                scope.inputs[key] = scope.outputs[key] = [self._leaf(key, node, path)]
        return scope

    def _leaf(self, key: str, node: Tree, path: tuple[str, ...]) -> str:
        prefix = ".".join(path)
        full = f"{prefix}.{key}" if prefix else key
        short = key if prefix and key.startswith(f"{prefix}.") else full  # inner names may repeat the path
        name = unique(short, self.leaves)
        self.leaves[name] = Node(name, node["type"], fields={k: v for k, v in node.items() if k != "type"})
        self.known.setdefault(full, name)
        self.known.setdefault(short, name)
        if path and node["type"] in ("Input", "Output"):
            self.inner.add(name)
        return name

    def _ends(self, scope: _Scope, nodes: Tree) -> tuple[list[str], list[str]]:
        """Give the leaves where edges into and out of a subgraph lead: its inputs and outputs, or rims."""
        found = []
        for kind, end in (("Input", 1), ("Output", 0)):
            leaves = [scope.inputs[k][0] for k, n in nodes.items() if n["type"] == kind]
            if not leaves:
                within = {e[end] for e in scope.edges}
                lists = scope.inputs if kind == "Input" else scope.outputs
                leaves = [leaf for key, each in lists.items() if key not in within for leaf in each]
            found.append(leaves)
        return found[0], found[1]

    def resolve(self) -> None:
        """Turn the names in all lists of edges into leaves, then join what lies around inner ends."""
        lost = set()
        for scope in self.scopes:
            for a, b in scope.edges:
                ends = []
                for name, lists in ((a, scope.outputs), (b, scope.inputs)):
                    leaf = self._find(name, lists, scope)
                    if leaf is None:
                        lost.add(name)
                    ends.append(leaf)
                if ends[0] is not None and ends[1] is not None:
                    self.edges.append((ends[0], ends[1]))
        if lost:
            raise FormatError(f"{self.source}: edges name nodes that do not exist: {listed(lost)}")
        twice = [f"'{a}' -> '{b}'" for (a, b), n in Counter(self.edges).items() if n > 1]
        if twice:
            raise FormatError(f"{self.source}: edges stand there twice: {', '.join(twice)}")
        for name in sorted(self.inner):
            self.edges = joined(self.edges, name)
            del self.leaves[name]

    def _find(self, name: str, lists: dict[str, list[str]], scope: _Scope) -> str | None:
        """Give the leaf that an edge in `scope` names: a name in it, a path from it, or one from the top."""
        if name in lists:
            leaves = lists[name]
            if len(leaves) != 1:
                raise FormatError(
                    f"{self.source}: an edge names subgraph '{name}', which needs exactly one "
                    f"{'input' if lists is scope.inputs else 'output'} for that, and has {len(leaves)}"
                )
            return leaves[0]
        return self.known.get(".".join((*scope.path, name))) or self.known.get(name)


def joined(edges: list[Edge], name: str) -> list[Edge]:
    """Take a node out: whoever led to it leads to whoever it led to."""
    into = [a for a, b in edges if b == name]
    out = [b for a, b in edges if a == name]
    return [e for e in edges if name not in e] + [(a, b) for a in into for b in out]


def _pairs(edges: Any, where: str) -> list[Edge]:
    rows = edges.tolist() if isinstance(edges, np.ndarray) else edges
    if not isinstance(rows, list) or any(
        not isinstance(row, (list, tuple)) or len(row) != 2 or not all(isinstance(n, str) for n in row)
        for row in rows
    ):
        raise FormatError(f"{where}: edges must be pairs of names")
    return [(row[0], row[1]) for row in rows]


def _checked(node: Node) -> Node:
    """Convert the values of a node, and fill in what older files leave out.

    A field that NIR does not know may change what the node does, such as a padding mode: none is ignored.
    """
    kind, given = KINDS[node.kind], node.fields
    unknown = given.keys() - _ASIDE.union(kind.values, kind.fields)
    if unknown:
        raise Error(f"{node.label}: no counterpart for {listed(unknown)}")
    lacking = [f for f in (*kind.values, *kind.fields) if given.get(f) is None and f not in kind.missing]
    if lacking:
        raise FormatError(f"{node.label}: {' and '.join(lacking)} missing")
    values = {
        f: _numbers(node, f, kind.missing[f] if given.get(f) is None else given[f]) for f in kind.values
    }
    fields = {f: kind.missing[f] if given.get(f) is None else given[f] for f in kind.fields}
    axes = _AXES.get(node.kind, 0)
    if axes and values["weight"].ndim != axes:
        raise ValueError(
            f"{node.label}: expected weight with {axes} axes, received {list(values['weight'].shape)}"
        )
    return replace(node, values=values, fields=fields)


def array_of(given: Any) -> NDArray[Any]:
    """Make an array of whatever a file holds; of objects where it is none."""
    try:
        return np.asarray(given)
    except ValueError:  # lists of unequal length
        return np.array(None)


def _numbers(node: Node, name: str, given: Any) -> NDArray[Any]:
    array = array_of(given)
    if array.dtype.kind not in "fiub" or array.size == 0:
        raise FormatError(f"{node.label}: {name} must be numbers, is {array.dtype} {list(array.shape)}")
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        raise FormatError(f"{node.label}: {name} holds values that are not finite in float32")
    return single if name == "weight" else array.astype(np.float64)


def _with_ends(graph: Graph) -> Graph:
    """Give a graph without inputs or outputs those that its shape says."""
    if not graph.nodes:
        raise FormatError(f"{graph.source}: a graph without nodes")
    for kind, lists in (("Input", graph.before()), ("Output", graph.after())):
        if any(node.kind == kind for node in graph.nodes.values()):
            continue
        rims = [name for name, others in lists.items() if not others]
        if not rims:
            raise FormatError(f"{graph.source}: no {kind} node, and none can be told from the edges")
        for n, rim in enumerate(rims):
            name = unique(kind.lower() if len(rims) == 1 else f"{kind.lower()}{n + 1}", graph.nodes)
            graph.nodes[name] = Node(name, kind, fields={"shape": None})
            graph.edges.append((name, rim) if kind == "Input" else (rim, name))
    return graph
