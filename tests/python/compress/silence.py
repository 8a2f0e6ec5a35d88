"""A model in which some channels never fire: what a pruned one is compared with."""

from __future__ import annotations

import numpy as np

import snncore
from snncore.compress.copying import Copy
from snncore.compress.cutting import edited
from snncore.compress.graph import FIRING, WEIGHTED, Graph

NEVER = {"lif": 32767, "if": 32767, "cuba_lif": 2**23}


def silenced(model: snncore.Model, removed: dict[str, np.ndarray]) -> snncore.Model:
    """Let channels, by the name of any node, never fire: no input, and thresholds out of reach."""
    graph = Graph(model)
    parts = edited(graph)
    for node in graph.nodes:
        gone = removed.get(node["name"])
        if gone is None:
            continue
        for role in node["tensors"]:
            key = f"{node['name']}.{role}"
            if key in parts.tensors and (value := silent(node, role)) is not None:
                values = parts.tensors[key].copy()
                if values.shape[-1] == 1 and node["op"] == "neuron":
                    values = np.repeat(values, graph.parts.shape(node["outputs"][0])[-1], -1)
                where = gone if node["op"] in WEIGHTED else (..., gone)
                values[where] = value
                parts.tensors[key] = values
    facts = {k: model.metadata[k] for k in ("labels", "preprocess", "provenance")}
    return Copy(Graph(parts)).model(facts)


def silent(node, role):
    if node["op"] in WEIGHTED:
        return 0 if role == "bias" or (role == "weight" and "scale" not in node["tensors"]) else None
    if node["op"] == "requant":
        return None if role == "n" else 0
    if role in ("theta", "threshold"):
        return 3e38 if node["op"] == "neuron" else NEVER[node["op"]]
    return 0 if node["op"] == "cuba_lif" and role == "bias" else None


def removed_by(model: snncore.Model, report) -> dict[str, np.ndarray]:
    """Name the places that are gone of each node's output: on the last axis, as it lies in the file."""
    from snncore.compress.streams import Streams

    graph = Graph(model)
    streams = Streams(graph)
    rows = {row.name: row for row in report.streams}
    gone = {}
    for node in graph.nodes:
        edge = node["outputs"][0]
        stream = streams.by_edge[edge]
        if not stream.writers:
            continue
        row = rows[stream.name]
        left = np.setdiff1d(np.arange(row.channels_before), row.kept)
        gone[node["name"]] = streams.places(edge, left)
    return gone


def neurons(model: snncore.Model) -> list[str]:
    return [n["name"] for n in Graph(model).nodes if n["op"] in FIRING]
