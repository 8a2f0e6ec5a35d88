"""Kinds of layers of a transformer: time, synaptic operations, and their share of AND + popcount."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import snncore
from shares import Limits, rate

#: What the names of a layer and of the sums in it say, tried in turns.
KINDS = (
    ("tokenizer, first layer", r"^conv1\b|^lif1$"),
    ("pools", r"(^|\.)pool\d*$"),
    ("tokenizer, convolutions", r"^(conv|lif|bn)\d"),
    ("q, k, v", r"\.attention\.[qkv]\."),
    ("map", r"\.attention\.(scores|map|counts|queries|keys)"),
    ("map product", r"\.attention\.(product|sums|gate|mask)"),
    ("projection", r"\.attention\d+\.(conv|proj)"),
    ("MLP 1", r"\.mlp\d+\.(conv|lif)1"),
    ("MLP 2", r"\.mlp\d+\.conv2"),
    ("entry neurons", r"\.(attention|mlp)\d+\.lif$"),
    ("heads", r"head|readout|logits|average|mean"),
)
OTHER = "others"
#: Kinds that count bits; of the others the first layer reads numbers, and the rest has no sums.
COUNTED = ("tokenizer, convolutions", "q, k, v", "map", "map product", "projection", "MLP 1", "MLP 2")


def kind_of(layer: snncore.profile.LayerProfile) -> str:
    """Give the first kind that a sum in the layer, or else its own name, belongs to."""
    for name in (*layer.sums, layer.name):
        for kind, pattern in KINDS:
            if re.search(pattern, name):
                return kind
    return OTHER


def profiled(model: snncore.Model, image: np.ndarray, limits: Limits, seconds: float) -> dict[str, Any]:
    """Time the layers of a model with one thread: rows of kinds in the order in which they run."""
    profile = model.profile(image, threads=1, seconds=seconds)
    most = rate(limits, ("and_popcount",), 1, snncore.isa())
    kinds: dict[str, dict[str, Any]] = {}
    for layer in profile.layers:
        row = kinds.setdefault(kind_of(layer), {"ms": 0.0, "operations": 0, "layers": []})
        row["ms"] += layer.milliseconds
        row["operations"] += layer.operations
        row["layers"].append(layer.name)
    spent = sum(row["ms"] for row in kinds.values())
    for kind, row in kinds.items():
        row["part"] = row["ms"] / spent
        row["tops"] = row["operations"] / row["ms"] / 1e9
        row["share"] = row["tops"] * 1e12 / most if kind in COUNTED and most else None
    return {
        "ms": profile.milliseconds,
        "runs": profile.runs,
        "limit_tops": most and most / 1e12,
        "kinds": kinds,
    }


def kinds_text(title: str, found: dict[str, Any]) -> str:
    """Write the table of kinds."""
    limit = found["limit_tops"]
    lines = [
        f"| {title} | ms | of the whole | 10^6 operations | 10^12 a second | of {limit:.2f} AND + popcount |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind, row in found["kinds"].items():
        counted = row["operations"] > 0
        work = f"{row['operations'] / 1e6:,.1f} | {row['tops']:.2f}" if counted else " | "
        share = "" if row["share"] is None else f"{100 * row['share']:.0f} %"
        lines.append(f"| {kind} | {row['ms']:.3f} | {100 * row['part']:.1f} % | {work} | {share} |")
    bits = [row for row in found["kinds"].values() if row["share"] is not None]
    ms, operations = sum(r["ms"] for r in bits), sum(r["operations"] for r in bits)
    tops = operations / ms / 1e9
    part = 100 * ms / sum(row["ms"] for row in found["kinds"].values())
    lines.append(
        f"| all that counts bits | {ms:.3f} | {part:.1f} % | {operations / 1e6:,.1f} | {tops:.2f} | "
        f"{100 * tops / limit:.0f} % |"
    )
    return "\n".join(lines)


def layers_text(found: list[dict[str, Any]]) -> str:
    """Write a table for each network."""
    parts = []
    for one in found:
        title = f"{one['network']} {one['size']}, {one['pixels']} x {one['pixels']}"
        said = f"{one['ms']:.2f} ms, median of {one['runs']}; {100 * one['rate']:.0f} % of neurons fire"
        parts += [kinds_text(title, one), said]
    return "\n\n".join(parts)
