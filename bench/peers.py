#!/usr/bin/env python3
"""Time workloads W1 to W8 against whatever peers are installed; introduction.md beside it says what they are.

    python bench/peers.py --workloads W1,W4 --density 10,20,50 --threads 1,2 --markdown -

Results are checked equal before anything is timed; subjects take turns in one run. With one thread, times are
processor time, with several wall time. A missing peer is a note on standard error. The exit status is 1 where
a result was not equal, 2 for a wrong argument.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from facts import facts
from harness import Options, measure, note, progress
from table import markdown
from workloads import WORKLOADS

PEERS = (
    "torch-f32",
    "torch-bf16",
    "torch-int8",
    "torch-compile",
    "onnxruntime-f32",
    "onnxruntime-int8",
    "numkong",
    "faiss",
    "usearch",
    "numpy",
)


def main() -> int:
    arguments = _parser().parse_args()
    options = Options(
        densities=arguments.density,
        quick=arguments.quick,
        tokens=9 if arguments.quick else arguments.tokens,
        bits=arguments.bits,
        peers=set(arguments.peers),
    )
    where = facts()
    rows = run(arguments.workloads, options, arguments.threads, arguments.seconds)
    if arguments.json:
        _write(arguments.json, json.dumps(rows, indent=1))
    if arguments.results:
        _write(arguments.results, json.dumps({**where, "rows": rows}, indent=1))
    if arguments.markdown or not (arguments.json or arguments.results):
        _write(arguments.markdown or "-", markdown(rows))
    wrong = {f"{r['workload']} {r['variant']} {r['peer']}" for r in rows if not r["equal"]}
    for name in sorted(wrong):
        note(f"{name}: the result is not equal")
    return 1 if wrong else 0


def run(names: list[str], options: Options, threads: list[int], seconds: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with progress(_count(names, options) * len(threads)) as step:
        for name in names:
            for case in WORKLOADS[name](name, options):
                case.subjects = [s for s in case.subjects if options.wants(s)]
                for count in threads:
                    where = "" if case.density is None else f", {case.density} %"
                    step(f"{name} {case.variant}{where}, threads {count}")
                    rows += measure(case, count, seconds)
    return rows


def _count(names: list[str], options: Options) -> int:
    per_density = {"W1": 4, "W2": 4, "W3": 1, "W4": 1, "W5": 1, "W8": 2}
    alone = {"W5": 1, "W6": 1, "W7": 2}
    return sum(per_density.get(n, 0) * len(options.densities) + alone.get(n, 0) for n in names)


def _write(path: str, text: str) -> None:
    if path == "-":
        print(text)
    else:
        Path(path).write_text(text + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--workloads", type=_names(tuple(WORKLOADS)), default=list(WORKLOADS), help="W1,W4; default: all")
    add("--density", type=_numbers(1, 100), default=[20], help="spikes in per cent: 10,20,50; default: 20")
    add("--threads", type=_numbers(1, 256), default=[1], help="1,2; default: 1")
    add("--peers", type=_names(PEERS), default=[], help=f"only these; default: all of {', '.join(PEERS)}")
    add("--seconds", type=float, default=3.0, help="for each case and number of threads; default: 3")
    add("--tokens", type=int, default=196, help="of W3 and W4; default: 196")
    add(
        "--bits",
        type=int,
        choices=(128, 256, 512, 1024),
        default=256,
        help="of the codes of W6; default: 256",
    )
    add("--json", metavar="FILE", help="write rows; - is standard output")
    add("--markdown", metavar="FILE", help="write tables; - is standard output, and the default")
    add("--results", metavar="FILE", help="write rows with machine, versions, commit and date")
    add("--quick", action="store_true", help=argparse.SUPPRESS)  # small sizes, for tests
    return parser


def _names(known: tuple[str, ...]) -> Any:
    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"'{name}' is unknown; known: {', '.join(known)}")
        return names

    return parse


def _numbers(least: int, most: int) -> Any:
    def parse(text: str) -> list[int]:
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isdigit() and least <= int(part) <= most for part in parts):
            raise argparse.ArgumentTypeError(f"expected numbers from {least} to {most}, received '{text}'")
        return [int(part) for part in parts]

    return parse


if __name__ == "__main__":
    sys.exit(main())
