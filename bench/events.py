"""What a stream of events costs: microseconds for each window, and for each millisecond of a recording.

    python bench/events.py                          the bundled model on the bundled recording
    python bench/events.py --model net.snn --recording a.bin --json -

CPU time of one thread, median of `--repeats`. Events of the first table lie anywhere on the sensor.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

import snncore
from snncore import events

DATA = Path(str(files("snncore") / "data"))
COUNTS = (0, 1, 10, 100, 1000, 10_000)
WINDOWS = 100


def cpu_time(call: Callable[[], Any], repeats: int) -> float:
    """Give the median of a few runs, in microseconds of this thread."""
    spent = []
    for _ in range(repeats + 1):
        started = time.thread_time()
        call()
        spent.append(1e6 * (time.thread_time() - started))
    return statistics.median(spent[1:])


def random_events(model: snncore.Model, per_window: int, window_us: int) -> events.Events:
    """Spread events over `WINDOWS` windows; the first and the last hold one at least."""
    _, height, width = model.inputs[0].shape
    rng = np.random.default_rng(0)
    times = np.repeat(np.arange(WINDOWS) * window_us, per_window)
    if per_window == 0:
        times = np.array([0, (WINDOWS - 1) * window_us])
    count = len(times)
    return events.columns(
        rng.integers(0, width, count), rng.integers(0, height, count), rng.integers(0, 2, count), times
    )


def push_cost(model: snncore.Model, pushed: events.Events, window_us: int, repeats: int) -> tuple[float, int]:
    """Give microseconds, and steps, of a whole stream from a fresh state."""
    with model.stream(threads=1) as session:

        def run() -> None:
            session.reset()
            session.push_events(*pushed, window_us=window_us)
            session.flush_events()

        return cpu_time(run, repeats), session.steps


def measure(model: snncore.Model, recording: events.Events, window_us: int, repeats: int) -> dict[str, Any]:
    """Measure both tables."""
    windows = []
    for count in COUNTS:
        spent, steps = push_cost(model, random_events(model, count, 1000), 1000, repeats)
        windows.append({"events": count, "us": spent / steps})
    spent, steps = push_cost(model, recording, window_us, repeats)
    milliseconds = float(recording.t.max() - recording.t.min()) / 1000
    return {
        "isa": snncore.isa(),
        "windows": windows,
        "recording": {
            "events": len(recording.t),
            "ms": milliseconds,
            "steps": steps,
            "us_per_ms": spent / milliseconds,
            "events_per_s": 1e6 * len(recording.t) / spent,
        },
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--model", default=str(DATA / "nmnist_cnn.snn"))
    parser.add_argument("--recording", default=str(DATA / "recordings" / "7.bin"))
    parser.add_argument("--window-us", type=int, help="default: as the model says")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--json", metavar="FILE", help="write the figures; - is standard output")
    args = parser.parse_args()
    model = snncore.load(args.model)
    window_us = args.window_us or int(model.metadata["provenance"]["window_us"])
    result = measure(model, events.load(args.recording), window_us, args.repeats)
    if args.json:
        text = json.dumps({"model": args.model, **result}) + "\n"
        if args.json == "-":
            sys.stdout.write(text)
        else:
            Path(args.json).write_text(text)
        return 0
    print(f"kernels {result['isa']}, one thread\n\nevents a window   microseconds")
    for row in result["windows"]:
        print(f"{row['events']:>15}   {row['us']:>12.1f}")
    r = result["recording"]
    print(
        f"\nrecording: {r['events']} events in {r['ms']:.0f} ms, {r['steps']} steps: "
        f"{r['us_per_ms']:.2f} us for each ms of events, {r['events_per_s'] / 1e6:.1f} million events/s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
