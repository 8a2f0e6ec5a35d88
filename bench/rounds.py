"""What bench/peers.py does: case after case, rows as they come."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import harness
import snncore
from facts import facts
from files import write
from harness import Case, Options, first_line, measure, note, progress
from peers import PEERS
from shares import beside_limits
from table import markdown
from workloads import WORKLOADS

Row = dict[str, Any]

#: Cases of a workload for each density, and besides.
PER_DENSITY = {"W1": 4, "W2": 4, "W3": 1, "W4": 1, "W5": 1, "W8": 2}
ALONE = {"W5": 1, "W6": 1, "W7": 2}
#: Seconds beside the timing: making data, checking results, compiling, on an idle machine. The subjects of
#: W6 take longer than their turns.
BESIDE = {"W6": 45.0, "W7": 20.0}
BESIDE_USUALLY = 5.0
#: What the turns of all subjects take at least with several threads.
LONG_SECONDS = 12.0


def run(arguments: argparse.Namespace) -> int:
    try:
        where = facts()
    except ValueError as problem:  # SNNCORE_ISA names what this CPU lacks
        print(f"peers: {problem}", file=sys.stderr)
        return 2
    said = estimate(arguments)
    if arguments.estimate:
        print(said)
        return 0
    if not arguments.part:
        note(said)
    start = time.time()
    if arguments.results:
        rows, failed = _apart(arguments, where)
    else:
        rows, failed = _together(arguments)
    if not arguments.part:
        note(f"{len(rows)} rows in {minutes(time.time() - start)}")
    if arguments.json:
        write(arguments.json, json.dumps(rows, indent=1))
    if arguments.markdown or not (arguments.json or arguments.results):
        write(arguments.markdown or "-", markdown(rows))
    wrong = {f"{r['workload']} {r['variant']} {r['peer']}" for r in rows if not r["equal"]}
    for name in sorted(wrong):
        note(f"{name}: the result is not equal")
    return 1 if wrong or failed else 0


def _apart(arguments: argparse.Namespace, where: dict[str, Any]) -> tuple[list[Row], bool]:
    """Give each workload a process; what one has measured when it ends, however it ends, is kept."""
    settings = {"seconds": arguments.seconds, "tokens": arguments.tokens, "quick": arguments.quick}
    rows: list[Row] = []
    failed = False
    for name in arguments.workloads:
        more, well = _one(arguments, name)
        rows += more
        failed = failed or not well
        write(arguments.results, json.dumps({**where, **settings, "rows": rows}, indent=1))
    return rows, failed


def _one(arguments: argparse.Namespace, name: str) -> tuple[list[Row], bool]:
    """Run a workload in a process: its rows, and whether all went well. A peer that crashes is left out."""
    peers = list(arguments.peers or PEERS)
    while True:
        with tempfile.TemporaryDirectory() as folder:
            part, trying = Path(folder) / "rows.json", Path(folder) / "trying"
            files = ["--json", str(part), "--part", str(trying)]
            done = subprocess.run([*_command(arguments, name, peers), *files], check=False)
            rows = json.loads(part.read_text()) if part.exists() else []
            peer = trying.read_text() if trying.exists() else ""
        if done.returncode >= 0 or peer not in peers or len(peers) == 1:
            if done.returncode != 0:
                note(f"{name} ended with status {done.returncode}; the rows that it has written are kept")
            return rows, done.returncode == 0
        note(f"{name}: {peer} crashed (signal {-done.returncode}); once more without it")
        peers.remove(peer)


def _command(arguments: argparse.Namespace, workload: str, peers: list[str]) -> list[str]:
    command = [sys.executable, str(Path(__file__).with_name("peers.py")), "--workloads", workload]
    command += ["--peers", ",".join(peers)]
    for name in ("density", "threads"):
        command += [f"--{name}", ",".join(str(value) for value in getattr(arguments, name))]
    for name in ("seconds", "tokens", "bits", "codes", "queries", "isa", "limits"):
        if getattr(arguments, name) is not None:
            command += [f"--{name}", str(getattr(arguments, name))]
    return [*command, "--quick"] if arguments.quick else command


def _together(arguments: argparse.Namespace) -> tuple[list[Row], bool]:
    options = Options(
        densities=arguments.density,
        quick=arguments.quick,
        tokens=9 if arguments.quick else arguments.tokens,
        bits=arguments.bits,
        clustered=arguments.codes == "clustered",
        queries=arguments.queries,
        peers=set(arguments.peers),
    )
    harness.trying = arguments.part and Path(arguments.part)
    rows: list[Row] = []
    failed = False
    total = sum(cases(name, options.densities) for name in arguments.workloads) * len(arguments.threads)
    with progress(total) as step:
        for name in arguments.workloads:
            try:
                for case in WORKLOADS[name](name, options):
                    case.subjects = [s for s in case.subjects if options.wants(s)]
                    for threads in arguments.threads:
                        step(f"{_title(case)}, threads {threads}")
                        rows += _measure(case, threads, arguments)
                        if arguments.json and arguments.json != "-":
                            write(arguments.json, json.dumps(rows, indent=1))
                    failed = failed or case.failed
            except Exception as problem:  # of a whole workload: the others are measured all the same
                failed = True
                note(f"{name} is cut short: {first_line(problem)}")
    return rows, failed


def _measure(case: Case, threads: int, arguments: argparse.Namespace) -> list[Row]:
    def turns() -> list[Row]:
        return measure(case, threads, arguments.seconds)

    if not arguments.limits:
        return turns()
    which = {"workload": case.workload, "variant": case.variant, "threads": threads}
    return beside_limits(arguments.limits, turns, case=which, isa=snncore.isa())


def _title(case: Case) -> str:
    return f"{case.workload} {case.variant}" + ("" if case.density is None else f", {case.density} %")


def cases(workload: str, densities: list[int]) -> int:
    return PER_DENSITY.get(workload, 0) * len(densities) + ALONE.get(workload, 0)


def estimate(arguments: argparse.Namespace) -> str:
    seconds, total = 0.0, 0
    for name in arguments.workloads:
        count = cases(name, arguments.density)
        total += count
        beside = 0.1 if arguments.quick else BESIDE.get(name, BESIDE_USUALLY)
        for threads in arguments.threads:
            turns = arguments.seconds if threads == 1 else max(arguments.seconds, LONG_SECONDS)
            seconds += count * (turns + beside)
    threads = " and ".join(str(count) for count in arguments.threads)
    return (
        f"{total} case{'s' if total > 1 else ''} with {threads} thread{'s' if threads != '1' else ''}: "
        f"about {minutes(seconds)} on an idle machine"
    )


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{max(1, round(seconds))} s"
