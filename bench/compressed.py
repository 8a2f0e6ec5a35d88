#!/usr/bin/env python3
"""Time QP-SNN's VGG-16, pruned and quantised, against its dense float32 twin in PyTorch, and tell its size.

    python bench/compressed.py                       9.6, 25 and 100 % of the connections, 4 bits
    python bench/compressed.py --bits 2 --json -
    python bench/compressed.py --layers              where our time goes

Weights are random; batch normalisation is set on random images, so that neurons fire about as often as
trained ones. Pictures are 32 x 32, T = 4, batch 1. Each of our models is held to the integer reference before
anything is timed, each form of the twin to its module; then subjects take turns, and medians are compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import snncore
from facts import facts
from files import write
from harness import Call, Case, MissingError, Subject, alternate, measure, note
from peers import numbers
from table import cell

#: What the project asks of the pruned network at 4 bits.
MOST_BYTES, LEAST_RATIO = 750_000, 25.0


@dataclass
class Ours:
    """One of our models, as it is printed."""

    peer: str
    model: snncore.Model
    connections: float  # share of the dense network's
    counted: float  # MB of 10^6 bytes as QP-SNN counts them: weights and batch norm

    def facts(self, image: np.ndarray) -> dict[str, Any]:
        neurons = [row.name for row in self.model.layers if row.op == "lif"]
        spikes = self.model.run(image, record=neurons).spikes
        memory = self.model.memory(stream=True)
        return {
            "peer": self.peer,
            "connections": round(self.connections, 5),
            "counted_mb": round(self.counted, 4),
            "file_bytes": self.model.file_bytes,
            "file_parts": file_parts(self.model),
            "weight_bytes": memory.weights,
            "membrane_bytes": memory.membranes,
            "rates": {name: round(float(s.numpy().mean()), 4) for name, s in spikes.items()},
        }

    def subject(self, image: np.ndarray) -> Subject:
        def prepare(threads: int) -> Call:
            return lambda: self.model.run(image, threads=threads)

        exact = snncore.verify(self.model, None, image).equal
        return Subject(self.peer, prepare, lambda y: exact, "outside" if self.peer == "snncore" else "both")


def file_parts(model: snncore.Model) -> dict[str, int]:
    """Give what the bytes of the file are."""
    data = model.to_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    parts = {"weights": 0, "scales": 0, "constants of channels": 0, "padding": 0, "header": start}
    for name, tensor in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        role = name.rpartition(".")[2]
        kind = {"weight": "weights", "scale": "scales"}.get(role, "constants of channels")
        begin, end = tensor["data_offsets"]
        parts["padding" if name.startswith("pad.") else kind] += end - begin
    return parts


def layer_times(model: snncore.Model, image: np.ndarray, seconds: float) -> dict[str, float]:
    """Give microseconds of each neuron and the layer before it: what the network up to it takes more."""
    from snncore import _core

    neurons = [row.name for row in model.layers if row.op == "lif"]
    common = {"mode": _core.Mode.SEQUENCE, "timesteps": 0, "batch": 1, "threads": 1, "layout": ""}
    calls: list[Call] = []
    for record in (*([name] for name in neurons), None):
        options = {"record": record or [], "outputs": record is None}
        session = _core.Session(_core.Program(model._core, **common, **options))
        calls.append(lambda session=session: session.run([image]))
    upto = [1e3 * statistics.median(spent) for spent in alternate(calls, 1, seconds)]
    return dict(zip([*neurons, "readout"], np.diff([0.0, *upto]).round(1).tolist(), strict=True))


def text(made: list[dict[str, Any]], rows: list[dict[str, Any]], layers: dict[str, float] | None) -> str:
    where = facts()
    lines = [f"{where['machine']}, kernels {where['isa']}, load {where['load']}", ""]
    lines += [
        "| | connections | file | weights, running | membranes | neurons fire |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for m in made:
        sizes = " | ".join(f"{m[name]:,}" for name in ("file_bytes", "weight_bytes", "membrane_bytes"))
        rate = 100 * statistics.mean(m["rates"].values())
        lines.append(f"| {m['peer']} | {100 * m['connections']:.2f} % | {sizes} | {rate:.0f} % |")
    for threads in dict.fromkeys(row["threads"] for row in rows):
        lines += ["", f"threads {threads}, ms (times the pruned network's)", ""]
        lines += [f"    {r['peer']:<20} {cell(r, ratio=True)}" for r in rows if r["threads"] == threads]
    if layers is not None:
        lines += ["", "microseconds of the pruned network's layers", ""]
        lines += [f"    {name:<20} {spent:8.1f}" for name, spent in layers.items()]
    return "\n".join([*lines, "", *verdict(made, rows)])


def verdict(made: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[str]:
    small = made[0]
    parts = ", ".join(f"{count:,} {name}" for name, count in small["file_parts"].items())
    twins = [r["ratio"] for r in rows if r["threads"] == 1 and r["peer"] in ("torch-f32", "torch-compile")]
    lines = [
        f"file: {small['file_bytes']:,} bytes (asked for at 4 bits: {MOST_BYTES:,}): {parts}",
        f"as the paper counts: {small['counted_mb']:.2f} MB",
    ]
    ours = {r["peer"]: r["ratio"] for r in rows if r["threads"] == 1}
    if ours:
        faster = ours["snncore-whole"] / ours["snncore-quarter"]
        lines.append(f"a quarter of the connections: {faster:.2f} times as fast as all of them")
    if twins:
        lines.append(
            f"against the faster form of the dense twin, one thread: {min(twins):.1f} times as fast "
            f"(asked for at 4 bits: {LEAST_RATIO:.0f})"
        )
    return lines


def main() -> int:
    arguments = _parser().parse_args()
    try:
        from workloads.qpsnn import Networks

        networks = Networks(arguments.bits, 8 if arguments.quick else 1)
    except MissingError as problem:
        print(f"compressed: {problem}", file=sys.stderr)
        return 2
    started = time.time()
    image = networks.image
    ours = [
        Ours(peer, built.model(), built.weights / networks.dense.weights, built.counted)
        for peer, built in (
            ("snncore", networks.pruned),
            ("snncore-quarter", networks.quarter),
            ("snncore-whole", networks.whole),
        )
    ]
    subjects = [one.subject(image) for one in ours]
    subjects += networks.torch_subjects(compiled=not (arguments.quick or arguments.no_compile))
    case = Case("QP-SNN", f"vgg16-w{arguments.bits}", None, subjects)
    rows = [row for threads in arguments.threads for row in measure(case, threads, arguments.seconds)]
    made = [one.facts(image) for one in ours]
    layers = layer_times(ours[0].model, image, arguments.seconds) if arguments.layers else None
    note(f"{len(rows)} rows in {time.time() - started:.0f} s")
    if arguments.json:
        found = {**facts(), "networks": made, "rows": rows, "layers_us": layers}
        write(arguments.json, json.dumps(found, indent=1))
    if arguments.json != "-":
        print(text(made, rows, layers))
    return 0 if rows and all(row["equal"] for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "--bits",
        type=int,
        choices=(1, 2, 4, 8),
        default=4,
        help="of the weights between the ends; default: 4",
    )
    add("--threads", metavar="NUMBERS", type=numbers(1, 256), default=[1], help="1,2; default: 1")
    add("--seconds", type=float, default=10.0, help="for each number of threads; default: 10")
    add("--layers", action="store_true", help="also time the layers of the pruned network")
    add(
        "--no-compile", action="store_true", help="leave out torch.compile, which takes a minute to get ready"
    )
    add("--quick", action="store_true", help="an eighth of the channels: for trying whether it runs")
    add("--json", metavar="FILE", help="write everything; - is standard output, instead of the text")
    return parser


if __name__ == "__main__":
    sys.exit(main())
