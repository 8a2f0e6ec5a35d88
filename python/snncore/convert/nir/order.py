"""From a set of edges to nodes in order: several edges into a node become a sum, a cycle is cut by a delay.

A step's spikes reach what lies behind them in the same step. Where that goes round in a circle, the edge that
leads from a neuron back towards the input carries the spikes of the step before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from snncore import Error

from .graph import NEURONS, Edge, Graph, Node, joined, listed, unique


def in_order(graph: Graph, steps: dict[str, int]) -> Graph:
    """Give an equal graph whose nodes stand in order; only a Delay may read what comes later.

    Parameters
    ----------
    steps
        How many steps each Delay node waits; the delays that cut cycles are entered with 1.

    Raises
    ------
    snncore.Error
        A way around a cycle without a neuron or Delay.
    """
    graph = _with_sums(_without_empty_delays(graph, steps))
    return _Ordering(graph, steps).run()


def _without_empty_delays(graph: Graph, steps: dict[str, int]) -> Graph:
    nodes, edges = dict(graph.nodes), list(graph.edges)
    for name in [n for n, wait in steps.items() if wait == 0]:
        edges = joined(edges, name)
        del nodes[name], steps[name]
    return replace(graph, nodes=nodes, edges=edges)


def _with_sums(graph: Graph) -> Graph:
    """Put a sum before every node that several edges lead to."""
    nodes, door = dict(graph.nodes), {}
    for name, sources in graph.before().items():
        if len(sources) > 1:
            door[name] = unique(f"{name}.sum", nodes)
            nodes[door[name]] = Node(door[name], "Sum")
    edges = [(a, door.get(b, b)) for a, b in graph.edges] + [(total, name) for name, total in door.items()]
    return replace(graph, nodes=nodes, edges=edges)


class _Ordering:
    """Takes the cycles apart, from the input on: each as a whole, then what a cut leaves of it."""

    def __init__(self, graph: Graph, steps: dict[str, int]) -> None:
        self.graph, self.steps = graph, steps
        self.nodes = dict(graph.nodes)
        self.needs = {name: set(sources) for name, sources in graph.before().items()}
        self.distance = _distances(graph)
        self.order: list[str] = []
        self.delays: dict[str, str] = {}  # of a neuron: the delay that carries its spikes back
        self.back: set[Edge] = set()  # edges that read such a delay

    def run(self) -> Graph:
        work = [set(self.nodes)]
        while work:
            names = work.pop()
            (only,) = names if len(names) == 1 else (None,)
            if only is not None and only not in self.needs[only]:
                self.order.append(only)
                continue
            parts = _circles(names, self.needs)
            if len(parts) == 1:
                self._cut(parts[0])
                parts = _circles(names, self.needs)
            work += reversed(parts)
        edges = [(self.delays[a], b) if (a, b) in self.back else (a, b) for a, b in self.graph.edges]
        edges += self.delays.items()
        return replace(self.graph, nodes={name: self.nodes[name] for name in self.order}, edges=edges)

    def _cut(self, circle: set[str]) -> None:
        """Choose who reads the step before: a Delay, else who reads the neuron farthest from the input."""
        around = {name: self.needs[name] & circle for name in circle}
        delays = sorted(name for name in circle if self.nodes[name].kind == "Delay")
        if delays:
            self.needs[delays[0]] -= circle
            return
        kinds = {name: self.nodes[name].kind for name in circle}
        behind = {n: s for n, s in around.items() if all(kinds[source] in NEURONS for source in s)}
        if not behind:
            raise Error(
                f"{self.graph.source}: a way around in the cycle of {listed(circle)} passes no neuron and no "
                "Delay, so its values depend on themselves"
            )
        reader = min(behind, key=lambda name: (-max(self.distance[s] for s in behind[name]), name))
        for source in behind[reader]:
            self._delay(source)
            self.needs[reader].discard(source)
            self.back.add((source, reader))

    def _delay(self, source: str) -> None:
        if source not in self.delays:
            name = unique(f"{source}.delay", self.nodes)
            self.nodes[name] = Node(name, "Delay", {"delay": np.zeros(1)})
            self.steps[name] = 1
            self.delays[source] = name
            self.order.append(name)


def _distances(graph: Graph) -> dict[str, int]:
    """Count the edges from the nearest input."""
    after = graph.after()
    distance = {name: 0 for name, node in graph.nodes.items() if node.kind == "Input"}
    queue = deque(sorted(distance))
    while queue:
        name = queue.popleft()
        for behind in after[name]:
            if behind not in distance:
                distance[behind] = distance[name] + 1
                queue.append(behind)
    return {name: distance.get(name, 0) for name in graph.nodes}


def _circles(names: set[str], needs: dict[str, set[str]]) -> list[set[str]]:
    """Give what lies on cycles together, single nodes too, in order (Tarjan's components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: dict[str, None] = {}
    found: list[set[str]] = []
    for start in sorted(names):
        work = [] if start in index else [start]
        rest: dict[str, list[str]] = {}
        while work:
            name = work[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack[name] = None
                rest[name] = sorted(needs[name] & names, reverse=True)
            if rest[name]:
                source = rest[name].pop()
                if source not in index:
                    work.append(source)
                elif source in stack:
                    low[name] = min(low[name], index[source])
                continue
            work.pop()
            if work:
                low[work[-1]] = min(low[work[-1]], low[name])
            if low[name] == index[name]:
                found.append({stack.popitem()[0]})
                while name not in found[-1]:
                    found[-1].add(stack.popitem()[0])
    return found
