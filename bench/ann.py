#!/usr/bin/env python3
"""Recall against queries a second, ours and what is installed of faiss, hnswlib and usearch.

    python bench/ann.py --datasets mnist,synthetic-100k
    python bench/ann.py --datasets synthetic-1m --indexes snncore-itq-multi_table,faiss-hnsw --json -
    python bench/ann.py --datasets glove-100-angular.hdf5 --plot front.svg

By the conventions of ann-benchmarks: a neighbour counts where its distance is at most the k-th true one and
0.001; queries a second are those of the fastest of several rounds over all queries, on as many threads as
asked for. Codes of others are re-ranked exactly, as ours are. Synthetic sets are like SIFT in kind and made
here. With one thread, times are processor time, with several wall time. What is not installed is a note on
standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from neighbours.data import SETS, Data, load
from neighbours.plot import draw, front
from neighbours.subjects import SUBJECTS, Options, Search

Clock = Callable[[], float]
K = 10
TOLERANCE = 1e-3
SINGLE_QUERIES = 200


def recall(data: Data, ids: Any) -> float:
    there = ids >= 0
    vectors = data.base[np.where(there, ids, 0)]
    distances = np.sqrt(((vectors - data.queries[:, None]) ** 2).sum(2))
    return float(((distances <= data.distances[:, K - 1 : K] + TOLERANCE) & there).mean())


def clock_of(options: Options) -> Clock:
    return time.process_time if options.threads == 1 else time.perf_counter


def timed(search: Search, data: Data, rounds: int, clock: Clock) -> tuple[Any, float]:
    best = float("inf")
    for _ in range(rounds):
        begin = clock()
        ids = search(data.queries, K)
        best = min(best, clock() - begin)
    return ids, best


def percentiles(search: Search, data: Data, clock: Clock) -> dict[str, float]:
    times = []
    for q in range(min(SINGLE_QUERIES, len(data.queries))):
        begin = clock()
        search(data.queries[q : q + 1], K)
        times.append((clock() - begin) * 1e3)
    return {f"p{p}_ms": float(np.percentile(times, p)) for p in (50, 95, 99)}


def measure(data: Data, name: str, options: Options, rounds: int) -> list[dict[str, Any]]:
    clock = clock_of(options)
    begin = clock()
    built = SUBJECTS[name](data.base, options)
    build_s = clock() - begin
    rows = []
    for params, search in built.settings:
        before = built.candidates()
        ids, seconds = timed(search, data, rounds, clock)
        candidates = (built.candidates() - before) / (rounds * len(data.queries))
        row = {
            "dataset": data.name,
            "index": name,
            "params": params,
            "recall": recall(data, ids),
            "qps": len(data.queries) / seconds,
            "build_s": build_s,
            "bytes": built.bytes,
            "threads": options.threads,
            "candidates": candidates,
            **percentiles(search, data, clock),
        }
        rows.append(row)
        print(f"{name} {params}: recall {row['recall']:.4f}, {row['qps']:.0f}/s", file=sys.stderr)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    lines = [
        "| data set | index | params | recall@10 | queries/s | p99 ms | build s | MB |",
        "| --- " * 8 + "|",
    ]
    groups = dict.fromkeys((row["dataset"], row["index"]) for row in rows)
    for dataset, name in groups:
        for row in front([r for r in rows if (r["dataset"], r["index"]) == (dataset, name)]):
            params = ", ".join(f"{key} {value}" for key, value in row["params"].items())
            lines.append(
                f"| {dataset} | {name} | {params} | {row['recall']:.3f} | {row['qps']:.0f} "
                f"| {row['p99_ms']:.2f} | {row['build_s']:.1f} | {row['bytes'] / 1e6:.0f} |"
            )
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--datasets", default="mnist", help=f"of {', '.join(SETS)}, or HDF5 files; default: mnist")
    p.add_argument("--indexes", help=f"only these; default: all of {', '.join(SUBJECTS)}")
    p.add_argument("--bits", type=int, default=256, help="of codes; default: 256")
    p.add_argument("--queries", type=int, default=1000, help="at most; default: 1000")
    p.add_argument("--threads", type=int, default=1, help="default: 1")
    p.add_argument("--rounds", type=int, default=3, help="the fastest counts; default: 3")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--cache", type=Path, help="a folder that keeps true distances")
    p.add_argument("--json", metavar="FILE", help="write rows; - is standard output")
    p.add_argument("--plot", type=Path, metavar="FILE", help="draw the fronts")
    return p


def main() -> int:
    arguments = parser().parse_args()
    names = list(SUBJECTS) if arguments.indexes is None else arguments.indexes.split(",")
    unknown = [name for name in names if name not in SUBJECTS]
    if unknown:
        print(f"ann.py: expected indexes of {', '.join(SUBJECTS)}, received {unknown[0]!r}", file=sys.stderr)
        return 2
    options = Options(arguments.bits, arguments.threads, arguments.seed)
    rows: list[dict[str, Any]] = []
    for dataset in arguments.datasets.split(","):
        data = load(dataset, arguments.queries, arguments.seed, arguments.cache)
        for name in names:
            try:
                rows += measure(data, name, options, arguments.rounds)
            except ImportError as missing:
                print(f"{name}: not installed ({missing.name})", file=sys.stderr)
    if arguments.json == "-":
        print(json.dumps(rows))
    else:
        if arguments.json is not None:
            Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n")
        print(table(rows))
    if arguments.plot is not None:
        draw(rows, arguments.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
