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
        A cycle without a neuron or Delay.
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
    nodes, edges = dict(graph.nodes), list(graph.edges)
    for name, sources in graph.before().items():
        if len(sources) < 2:
            continue
        total = unique(f"{name}.sum", nodes)
        nodes[total] = Node(total, "Sum")
        edges = [(a, total if b == name else b) for a, b in edges] + [(total, name)]
    return replace(graph, nodes=nodes, edges=edges)


class _Ordering:
    def __init__(self, graph: Graph, steps: dict[str, int]) -> None:
        self.graph, self.steps = graph, steps
        self.nodes = dict(graph.nodes)
        self.edges: list[Edge] = list(graph.edges)
        self.distance = _distances(graph)
        self.order: list[str] = []
        self.delays: dict[str, str] = {}  # of a neuron: the delay that carries its spikes back

    def run(self) -> Graph:
        left = set(self.nodes)
        needs = {name: set(sources) for name, sources in self.graph.before().items()}
        while left:
            ready = sorted(name for name in left if not needs[name] & left)
            if not ready:
                ready = [self._cut(left, needs)]
            self.order += ready
            left -= set(ready)
        return replace(self.graph, nodes={name: self.nodes[name] for name in self.order}, edges=self.edges)

    def _cut(self, left: set[str], needs: dict[str, set[str]]) -> str:
        """Choose who reads the step before: a Delay, else who reads the neuron farthest from the input."""
        circles = _circles(left, needs)
        around = {name: needs[name] & circles[name] for name in left if name in circles}
        delays = sorted(name for name in around if self.nodes[name].kind == "Delay")
        if delays:
            return delays[0]
        open_ = {
            name: sources
            for name, sources in around.items()
            if needs[name] & left == sources and all(self.nodes[s].kind in NEURONS for s in sources)
        }
        if not open_:
            circle = min(circles.values(), key=lambda names: (len(names), sorted(names)))
            if any(self.nodes[n].kind in NEURONS for n in circle):
                raise Error(f"{self.graph.source}: no order for the cycle of {listed(circle)}")
            raise Error(
                f"{self.graph.source}: the cycle of {listed(circle)} holds no neuron and no Delay, so its "
                "values depend on themselves"
            )
        chosen = min(open_, key=lambda name: (-max(self.distance[s] for s in open_[name]), name))
        for source in sorted(open_[chosen]):
            self._delay(source, chosen)
        return chosen

    def _delay(self, source: str, reader: str) -> None:
        if source not in self.delays:
            name = unique(f"{source}.delay", self.nodes)
            self.nodes[name] = Node(name, "Delay", {"delay": np.zeros(1)})
            self.steps[name] = 1
            self.delays[source] = name
            self.order.append(name)
            self.edges.append((source, name))
        back = (self.delays[source], reader)
        self.edges = [back if edge == (source, reader) else edge for edge in self.edges]


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


def _circles(left: set[str], needs: dict[str, set[str]]) -> dict[str, set[str]]:
    """Give, for each node on a cycle among `left`, all nodes on cycles with it (Tarjan's components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: dict[str, None] = {}
    found: dict[str, set[str]] = {}
    for start in sorted(left):
        if start in index:
            continue
        work = [(start, iter(sorted(needs[start] & left)))]
        index[start] = low[start] = len(index)
        stack[start] = None
        while work:
            name, sources = work[-1]
            for source in sources:
                if source not in index:
                    index[source] = low[source] = len(index)
                    stack[source] = None
                    work.append((source, iter(sorted(needs[source] & left))))
                    break
                if source in stack:
                    low[name] = min(low[name], index[source])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    component = {stack.popitem()[0]}
                    while name not in component:
                        component.add(stack.popitem()[0])
                    if len(component) > 1 or name in needs[name]:
                        found |= dict.fromkeys(component, component)
    return found
