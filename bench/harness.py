"""Subjects of one case: checked against each other first, then timed in turns."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Call = Callable[[], Any]

MIN_TURNS, MIN_LONG_TURNS, MAX_CALLS = 5, 3, 50
#: What is called in one turn takes about this long, so that caches are those of the subject itself.
TURN_SECONDS = 0.004
#: With several threads: workers of a subject that has had its turn may spin for a while, so we let them; then
#: the next one is called until its own are awake, and on cores of their own: a virtual machine that has put
#: its cores together while one of them slept was seen to take a tenth of a second to part them. Then a turn
#: is longer, too.
PAUSE_SECONDS, WARM_SECONDS, LONG_TURN_SECONDS = 0.02, 0.25, 0.1


#: What our single thread is called among several.
ALONE = "snncore-1-thread"


class MissingError(Exception):
    """A subject that cannot take part here: said on standard error, never an error."""


@dataclass
class Subject:
    """Something that computes the result of a case."""

    peer: str
    prepare: Callable[[int], Call]  #: number of threads -> what is timed
    equal: Callable[[Any], bool]  #: whether what the call returned is right
    packing: str = "both"  #: ours: "outside" or "inside" the timed region; "both" answers to either
    scale: float = 1.0  #: time is multiplied by it, where a slow subject does a part of the work


@dataclass
class Case:
    """One workload, variant and density, and who computes it."""

    workload: str
    variant: str
    density: int | None
    subjects: list[Subject]
    failed: bool = False  #: something of ours raised an exception


@dataclass
class Options:
    """What the command line says."""

    densities: list[int]
    quick: bool = False
    tokens: int = 196
    bits: int = 256
    clustered: bool = False  #: the codes of W6
    queries: int = 1000  #: of W6
    peers: set[str] = field(default_factory=set)  #: empty: all

    def wants(self, subject: Subject) -> bool:
        return subject.peer.startswith("snncore") or not self.peers or subject.peer in self.peers


#: Where a process that may crash writes whose turn it is to be tried.
trying: Path | None = None

_said: set[str] = set()


def note(text: str) -> None:
    """Say something on standard error, once."""
    if text not in _said:
        _said.add(text)
        print(f"note: {text}", file=sys.stderr, flush=True)


def first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0] or type(problem).__name__


def fastest(candidates: list[Call]) -> Call:
    """Give the one that takes the shortest time, each tried three times after a first call."""

    def seconds(call: Call) -> float:
        call()
        spent = []
        for _ in range(3):
            start = time.perf_counter()
            call()
            spent.append(time.perf_counter() - start)
        return min(spent)

    return min(candidates, key=seconds) if len(candidates) > 1 else candidates[0]


@contextmanager
def progress(total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on a terminal and nothing elsewhere; the function given takes what comes next."""
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield lambda _text: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _text: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("starting", total=total)
        done = -1

        def step(text: str) -> None:
            nonlocal done
            done += 1
            bar.update(task, completed=done, description=text)

        yield step


def measure(case: Case, threads: int, seconds: float) -> list[dict[str, Any]]:
    """Check every subject, time those that are there, and give their rows.

    With several threads our own single thread takes turns, too: a machine that others use is not as fast from
    one minute to the next.
    """
    ready: list[tuple[Subject, Call, bool]] = []
    ours = [s for s in case.subjects if s.peer == "snncore" and s.packing != "inside"]
    for subject in [*case.subjects, *(_alone(s) for s in ours if threads > 1)]:
        if trying is not None:
            trying.write_text(subject.peer)
        try:
            call = subject.prepare(threads)
            ready.append((subject, call, bool(subject.equal(call()))))
        except Exception as problem:  # whatever a peer raises: the others are timed
            _leave_out(case, subject, problem)
    if not any(subject.peer == "snncore" for subject, _, _ in ready):
        note(f"{case.workload} {case.variant}: skipped, there is nothing of ours to compare with")
        return []
    times = alternate([call for _, call, _ in ready], threads, seconds)
    return _rows(case, threads, ready, times)


def _alone(subject: Subject) -> Subject:
    """Ours, with one thread."""

    def prepare(_threads: int) -> Call:
        return subject.prepare(1)

    return Subject(ALONE, prepare, subject.equal, subject.packing, subject.scale)


def _leave_out(case: Case, subject: Subject, problem: Exception) -> None:
    case.failed |= subject.peer.startswith("snncore") and not isinstance(problem, MissingError)
    note(f"{case.workload} {case.variant}: {subject.peer} is left out: {first_line(problem)}")


def alternate(calls: list[Call], threads: int, seconds: float) -> list[list[float]]:
    """Call in turns: milliseconds of each call of each subject.

    With one thread processor time is taken, which other jobs on the machine disturb little; with several,
    wall time, of calls that follow one another.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    counts = [
        _calls_in_turn(call, clock, TURN_SECONDS if threads == 1 else LONG_TURN_SECONDS) for call in calls
    ]
    times: list[list[float]] = [[] for _ in calls]
    start = time.perf_counter()
    turns = MIN_TURNS if threads == 1 else MIN_LONG_TURNS
    while len(times[0]) < turns * counts[0] or time.perf_counter() - start < seconds:
        for call, count, spent in zip(calls, counts, times, strict=True):
            if threads > 1:
                _wake(call)
            elif count > 1:
                call()
            for _ in range(count):
                before = clock()
                call()
                spent.append((clock() - before) * 1e3)
    return times


def _wake(call: Call) -> None:
    time.sleep(PAUSE_SECONDS)
    until = time.perf_counter() + WARM_SECONDS
    while time.perf_counter() < until:
        call()


def _calls_in_turn(call: Call, clock: Callable[[], float], turn: float) -> int:
    before = clock()
    call()
    return max(1, min(MAX_CALLS, int(turn / max(clock() - before, 1e-6))))


def _rows(
    case: Case, threads: int, ready: list[tuple[Subject, Call, bool]], times: list[list[float]]
) -> list[dict[str, Any]]:
    medians = [statistics.median(t) * s.scale for (s, _, _), t in zip(ready, times, strict=True)]
    ours = {s.packing: m for (s, _, _), m in zip(ready, medians, strict=True) if s.peer == "snncore"}
    rows = []
    for packing, our_median in ours.items():
        for (subject, _, equal), spent, median in zip(ready, times, medians, strict=True):
            if subject.packing not in (packing, "both"):
                continue
            rows.append(
                {
                    "workload": case.workload,
                    "variant": case.variant,
                    "density": case.density,
                    "threads": threads,
                    "peer": subject.peer,
                    "packing": packing,
                    "median_ms": round(median, 5),
                    "min_ms": round(min(spent) * subject.scale, 5),
                    "equal": equal,
                    "ratio": round(median / our_median, 3),
                }
            )
    return rows
