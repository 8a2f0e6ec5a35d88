"""What a step of a recurrent network costs, from Python, and what many sessions of one model hold.

    python bench/streams.py                         256 recurrent neurons of three kinds
    python bench/streams.py --neurons 512 --sessions 100000 --json -

Steps are timed one by one, the Python call included: median and 95th percentile of `--steps`, one thread, a
fifth of the inputs set. Memory is what the resident set has grown by when all sessions have taken a step.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

import snncore

#: Who fires, and how its weights are kept.
KINDS = {"integer LIF, 8-bit weights": 8, "float LIF, float weights": 32, "CubaLIF, float weights": 32}


def network(kind: str, neurons: int, inputs: int) -> snncore.Model:
    """Spikes -> neurons that read themselves -> 10 outputs."""
    rng = np.random.default_rng(0)
    builder = snncore.GraphBuilder()

    def linear(name: str, edge: str, rows: int, columns: int) -> str:
        if KINDS[kind] == 8:
            codes = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
            return builder.linear(name, edge, weight=codes, encoding="sym", bits=8, scale=[1 / 128])
        return builder.linear(name, edge, weight=rng.normal(0, 0.2, (rows, columns)).astype(np.float32))

    x = builder.input("x", "b1", (inputs,))
    back = builder.delay("back", "spikes", shape=(neurons,))
    current = builder.add(
        "current", [linear("in", x, neurons, inputs), linear("loop", back, neurons, neurons)]
    )
    if kind.startswith("CubaLIF"):
        rule = snncore.Neuron(synapse="decay_add", synapse_rate=0.9, rate=0.9, threshold=1.0, reset="zero")
        spikes = builder.neuron("spikes", current, rule)
    else:
        spikes = builder.lif("spikes", current, decay=0.9)
    builder.output("y", builder.readout("mean", linear("out", spikes, 10, neurons), mode="mean"))
    return builder.build(timesteps=1)


def step_times(model: snncore.Model, steps: int) -> dict[str, float]:
    """Give median and 95th percentile of a step, in microseconds."""
    frames = np.random.default_rng(1).random((steps + 100, 1, *model.inputs[0].shape)) < 0.2
    spent = []
    with model.stream(threads=1) as session:
        for frame in frames:
            start = time.perf_counter()
            session.step(frame)
            spent.append(1e6 * (time.perf_counter() - start))
    spent = spent[100:]
    return {"median_us": statistics.median(spent), "p95_us": statistics.quantiles(spent, n=20)[-1]}


def resident_bytes() -> int:
    """Read the resident set of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return 1024 * int(line.split()[1])
    raise OSError("/proc/self/status has no VmRSS")


def many_sessions(model: snncore.Model, count: int) -> dict[str, float]:
    """Open sessions that share the weights of a model, and let each take a step."""
    frame = np.zeros((1, *model.inputs[0].shape), np.bool_)
    model.stream(threads=1).step(frame)  # what all of them share
    before, start = resident_bytes(), time.perf_counter()
    sessions = [model.stream(threads=1) for _ in range(count)]
    opened = time.perf_counter() - start
    for session in sessions:
        session.step(frame)
    grown = resident_bytes() - before
    return {"sessions": count, "open_us": 1e6 * opened / count, "bytes_each": grown / count, "bytes": grown}


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--neurons", type=int, default=256)
    parser.add_argument("--inputs", type=int, default=64)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--json", metavar="FILE", help="write the figures; - is standard output")
    args = parser.parse_args()
    models = {kind: network(kind, args.neurons, args.inputs) for kind in KINDS}
    steps = [{"kind": kind, **step_times(model, args.steps)} for kind, model in models.items()]
    first = next(iter(models.values()))
    held = {**many_sessions(first, args.sessions), "file_bytes": len(first.to_bytes())}
    if args.json:
        text = (
            json.dumps({"isa": snncore.isa(), "neurons": args.neurons, "steps": steps, "held": held}) + "\n"
        )
        if args.json == "-":
            sys.stdout.write(text)
        else:
            Path(args.json).write_text(text)
        return 0
    print(f"kernels {snncore.isa()}, one thread, {args.neurons} recurrent neurons, {args.inputs} inputs\n")
    print(f"{'a step':<30} {'median us':>10} {'p95 us':>8}")
    for row in steps:
        print(f"{row['kind']:<30} {row['median_us']:>10.1f} {row['p95_us']:>8.1f}")
    print(
        f"\n{held['sessions']:,} sessions of one model of {held['file_bytes'] / 1024:.0f} KiB: "
        f"{held['bytes_each'] / 1024:.1f} KiB each, {held['bytes'] / 2**20:.0f} MiB together, "
        f"{held['open_us']:.0f} us to open one"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
