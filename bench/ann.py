#!/usr/bin/env python3
"""Recall against queries a second, ours and what is installed of faiss, hnswlib and usearch.

    python bench/ann.py                                            (MNIST and two synthetic sets, 12 minutes)
    python bench/ann.py --results bench/results/ann.json           (`make ann`: kept, then docs/search.md)
    python bench/ann.py --datasets synthetic-1m --indexes snncore-itq-multi_table,faiss-hnsw --json -
    python bench/ann.py --datasets glove-100-angular.hdf5 --plot fronts

By the conventions of ann-benchmarks: a neighbour counts where its distance is at most the k-th true one and
0.001; queries a second are those of the fastest round over all queries, asked one by one, and beside that
all at once. All use the same number of threads, for building too, and of exact distances: where an index of
faiss holds codes alone, faiss ranks its candidates, in C++ (`knn_L2sqr_by_idx`); `codes_share` is the part of
the time that goes by before. Synthetic sets are like SIFT in kind and made here. With one thread, times are
processor time, with several wall time. Each index has a process of its own; one that crashes or is not
installed is a note on standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from facts import facts
from files import write
from neighbours.apart import apart
from neighbours.data import SETS, Data, load
from neighbours.measure import Effort, measure
from neighbours.page import markdown
from neighbours.subject import Options
from neighbours.subjects import SUBJECTS, subjects_of

ROOT = Path(__file__).parent.parent
CLOCK = "processor time with 1 thread, wall time with several; opening: wall time"
Run = dict[str, Any]


def new_run(options: Options) -> Run:
    about = {"clock": CLOCK, "threads": options.threads, "bits": options.bits, "seed": options.seed}
    return {**facts(), **about, "sets": [], "indexes": [], "rows": []}


def described(data: Data) -> dict[str, Any]:
    count, dim = data.base.shape
    return {"dataset": data.name, "vectors": count, "dim": dim, "queries": len(data.queries)}


def fill(
    run: Run, data: Data, names: list[str], options: Options, effort: Effort, results: Path | None
) -> None:
    """Measure indexes in processes of their own; what one has told before it ends is kept."""
    run["sets"].append(described(data))
    for name in names:
        for kind, row in apart(name, lambda n=name: measure(data, n, options, effort)):
            run[kind].append(row)
        if results is not None:
            write(results, json.dumps(run, indent=1))


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument(
        "--datasets",
        default="mnist,synthetic-100k,synthetic-1m",
        help=f"of {', '.join(SETS)}, or HDF5 files; default: mnist,synthetic-100k,synthetic-1m",
    )
    p.add_argument("--indexes", help=f"only these; of {', '.join(SUBJECTS)}; default: see subjects.py")
    p.add_argument("--bits", type=int, default=256, help="of codes; default: 256")
    p.add_argument("--queries", type=int, default=1000, help="at most; default: 1000")
    p.add_argument("--threads", type=int, default=1, help="default: 1")
    p.add_argument("--rounds", type=int, default=3, help="at most; the fastest counts; default: 3")
    p.add_argument("--seconds", type=float, default=0.25, help="of rounds of one setting; default: 0.25")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "ann", help="a folder that keeps true distances"
    )
    p.add_argument("--json", metavar="FILE", help="write rows; - is standard output")
    p.add_argument("--results", type=Path, metavar="FILE", help="write all, with machine and versions")
    p.add_argument("--plot", type=Path, metavar="FOLDER", help="draw the fronts, ann-<set>.png")
    return p


def main() -> int:
    arguments = parser().parse_args()
    asked = None if arguments.indexes is None else arguments.indexes.split(",")
    unknown = [name for name in asked or [] if name not in SUBJECTS]
    if unknown:
        print(f"ann.py: expected indexes of {', '.join(SUBJECTS)}, received {unknown[0]!r}", file=sys.stderr)
        return 2
    options = Options(arguments.bits, arguments.threads, arguments.seed)
    effort = Effort(arguments.rounds, arguments.seconds)
    run = new_run(options)
    for dataset in arguments.datasets.split(","):
        try:
            data = load(dataset, arguments.queries, arguments.seed, arguments.cache)
        except (OSError, ImportError) as problem:
            print(f"ann.py: {dataset}: {problem}", file=sys.stderr)
            return 2
        fill(run, data, asked or subjects_of(data.name), options, effort, arguments.results)
    if arguments.json is not None:
        write(arguments.json, json.dumps(run["rows"], indent=1))
    if arguments.json != "-":
        print(markdown(run))
    if arguments.plot is not None:
        from neighbours.plot import draw_all

        draw_all(run, arguments.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
