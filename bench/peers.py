#!/usr/bin/env python3
"""Time workloads W1 to W8 against whatever peers are installed; introduction.md beside it says what they are.

    python bench/peers.py --workloads W1,W4 --density 10,20,50 --threads 1,2
    python bench/peers.py --workloads W3 --peers torch-f32,numkong --json -
    python bench/peers.py --isa avx2 --results avx2.json

Results are checked equal before anything is timed; subjects take turns. With one thread, times are processor
time, with several wall time. What is missing or fails is a note on standard error, and costs no other row.
The exit status is 1 where a result was not equal or something of ours failed, 2 for a wrong argument.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from levels import LEVELS, limit_to

WORKLOADS = tuple(f"W{number}" for number in range(1, 9))
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
    if arguments.isa:
        limit_to(arguments.isa)
    import rounds  # after limit_to: imports snncore

    return rounds.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_argument_group("what is measured")
    add = what.add_argument
    add(
        "--workloads",
        metavar="NAMES",
        type=_names(WORKLOADS),
        default=list(WORKLOADS),
        help="W1,W4; default: all",
    )
    add(
        "--density",
        metavar="PERCENT",
        type=numbers(1, 100),
        default=[20],
        help="spikes in per cent: 10,20,50; default: 20",
    )
    add("--threads", metavar="NUMBERS", type=numbers(1, 256), default=[1], help="1,2; default: 1")
    add(
        "--peers",
        metavar="NAMES",
        type=_names(PEERS),
        default=[],
        help=f"only these; default: all of {', '.join(PEERS)}",
    )
    add("--tokens", type=int, default=196, help="of W3 and W4; default: 196")
    sizes = (128, 256, 512, 1024)
    add("--bits", type=int, choices=sizes, default=256, help="of the codes of W6; default: 256")
    add("--codes", choices=("random", "clustered"), default="random", help="those of W6; default: random")
    add("--queries", type=int, choices=(1, 1000), default=1000, help="of W6, in one call; default: 1000")
    how = parser.add_argument_group("how")
    add = how.add_argument
    add("--seconds", type=float, default=3.0, help="for each case and number of threads; default: 3")
    add(
        "--isa",
        choices=LEVELS,
        metavar="LEVEL",
        help="our kernels, and of the peers torch, use no more than avx2 (or another of "
        f"{', '.join(LEVELS)}); default: what the CPU has",
    )
    add(
        "--limits",
        metavar="PROGRAM",
        type=_program,
        help="measure the limits of each case before and after it by this bench_limits: a share is then one "
        "of the same minute",
    )
    add("--estimate", action="store_true", help="only say how long it would take")
    add("--quick", action="store_true", help="tiny sizes and no torch.compile: for trying whether it runs")
    out = parser.add_argument_group("what is written (FILE as - is standard output)")
    add = out.add_argument
    add("--json", metavar="FILE", help="rows")
    add("--markdown", metavar="FILE", help="tables; the default, on standard output")
    add(
        "--results",
        metavar="FILE",
        help="rows with machine, versions, commit and date, for report.py; each workload then has a process "
        "of its own and is written when it ends, so that a crash leaves what was measured",
    )
    parser.add_argument(
        "--part", metavar="FILE", help=argparse.SUPPRESS
    )  # of --results: takes the peer's name
    return parser


def _program(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no {text}: build the target bench_limits of preset release")
    return path


def _names(known: tuple[str, ...]) -> Any:
    def parse(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"'{name}' is unknown; known: {', '.join(known)}")
        return names

    return parse


def numbers(least: int, most: int) -> Any:
    def parse(text: str) -> list[int]:
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isdigit() and least <= int(part) <= most for part in parts):
            raise argparse.ArgumentTypeError(f"expected numbers from {least} to {most}, received '{text}'")
        return [int(part) for part in parts]

    return parse


if __name__ == "__main__":
    sys.exit(main())
