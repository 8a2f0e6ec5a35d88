"""One index on one data set: built, asked, opened from a file that is not in memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .cold import cold_answers
from .data import Data
from .memory import peak_since, resident
from .quality import K, quality
from .subject import Built, Ids, Options, Rows, Setting
from .subjects import SUBJECTS

Row = dict[str, Any]
PERCENTILES = (50, 95, 99, 99.9)
FEWEST, WARM_UP = 100, 5


class Effort(NamedTuple):
    """How long one setting is measured: rounds over all queries, as many as fit the seconds."""

    rounds: int
    seconds: float


def clock_of(options: Options) -> Callable[[], float]:
    """Processor time with one thread, which other programs hardly disturb; else wall time."""
    return time.process_time if options.threads == 1 else time.perf_counter


def measure(data: Data, name: str, options: Options, effort: Effort) -> Iterator[tuple[str, Row]]:
    """Yield an "index", with what building took, then "rows", a setting each."""
    clock = clock_of(options)
    before, begin = resident(), clock()
    built = SUBJECTS[name](data.base, options)
    of_index = {"dataset": data.name, "index": name}
    build = {"build_s": clock() - begin, "bytes": built.bytes, "sections": built.sections, "note": built.note}
    build |= {"build_peak_bytes": peak_since(before)}
    yield "indexes", of_index | build | cold_answers(built, data.queries)
    for setting in built.settings:
        row = of_index | {"params": setting.params, "threads": options.threads}
        row |= _asked(data, built, setting, effort, clock)
        print(
            f"{data.name} {name} {setting.params}: recall {row['recall']:.4f}, {row['qps']:.0f}/s, "
            f"{row['batch_qps']:.0f}/s at once",
            file=sys.stderr,
        )
        yield "rows", row


def _asked(
    data: Data, built: Built, setting: Setting, effort: Effort, clock: Callable[[], float]
) -> dict[str, Any]:
    before = built.compared() if built.compared else 0
    ids, batch_s, rounds = _best(lambda: setting.search(data.queries, K), effort, clock)
    count = len(data.queries)
    compared = (built.compared() - before) / (rounds * count) if built.compared else built.always_compared
    times, qps = _singly(setting, data.queries, effort, clock)
    return {
        **quality(data, ids),
        "qps": qps,
        **{f"p{p:g}_ms": float(np.percentile(times, p)) * 1e3 for p in PERCENTILES},
        "singles": len(times),
        "batch_qps": count / batch_s,
        "codes_share": _codes_share(setting, data.queries, batch_s / count, clock),
        "candidates": compared,
    }


def _best(run: Callable[[], Ids], effort: Effort, clock: Callable[[], float]) -> tuple[Ids, float, int]:
    """Give the first answer, the shortest time and how many rounds there were."""
    times: list[float] = []
    ids = None
    while len(times) < effort.rounds and sum(times) < effort.seconds:
        begin = clock()
        found = run()
        times.append(clock() - begin)
        ids = np.array(found) if ids is None else ids
    assert ids is not None
    return ids, min(times), len(times)


def _codes_share(setting: Setting, queries: Rows, whole_s: float, clock: Callable[[], float]) -> float | None:
    """Which part of a query's time, all at once, its candidates take; a quarter of the queries tells."""
    if setting.codes_only is None:
        return None
    some = queries[: max(1, len(queries) // 4)]
    times = []
    for _ in range(2):
        begin = clock()
        setting.codes_only(some)
        times.append(clock() - begin)
    return min(1.0, min(times) / len(some) / whole_s)


def _singly(
    setting: Setting, queries: Rows, effort: Effort, clock: Callable[[], float]
) -> tuple[list[float], float]:
    """Times of queries one by one, and queries a second: of the fastest round, or of all that fit."""
    one_each: list[Rows] = [queries[q : q + 1] for q in range(len(queries))]
    search: Callable[[Rows, int], Ids] = setting.search
    for one in one_each[:WARM_UP]:
        search(one, K)
    times: list[float] = []
    spent, best = 0.0, 0.0
    for _ in range(effort.rounds):
        first = len(times)
        for one in one_each:
            begin = clock()
            search(one, K)
            times.append(clock() - begin)
            spent += times[-1]
            if spent > effort.seconds and len(times) >= FEWEST:
                break
        some = times[first:]
        if first == 0 or len(some) == len(one_each):
            best = max(best, len(some) / sum(some))
        if spent > effort.seconds:
            break
    return times, best
