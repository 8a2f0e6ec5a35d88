"""Timing several subjects side by side, in turns, so that a busy or throttled machine is unfair to none."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from .subjects import Subject


class Seconds(click.FloatRange):
    """How long to time something: a finite number, at least the one given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a finite number of seconds", param, ctx)
        return seconds


@dataclass(frozen=True)
class Times:
    """Milliseconds of one run."""

    median: float
    minimum: float
    p95: float
    count: int


def alternate(subjects: Sequence[Subject], inputs: int, seconds: float) -> list[Times]:
    """Give each subject `seconds`, in twenty turns, after a warm-up; inputs in rotation."""
    samples: list[list[float]] = [[] for _ in subjects]
    for subject in subjects:
        subject.prepare()
        for i in range(3):
            subject.run(i % inputs)
    turn = seconds / 20
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(20):
            for subject, times in zip(subjects, samples, strict=True):
                subject.prepare()
                subject.run(0)  # caches hold what the subject before used
                _turn(subject, times, inputs, turn)
    finally:
        if collecting:
            gc.enable()
    return [_times(s) for s in samples]


def _turn(subject: Subject, times: list[float], inputs: int, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while True:
        i = len(times) % inputs
        start = time.perf_counter()
        subject.run(i)
        now = time.perf_counter()
        times.append(1000 * (now - start))
        if now >= end:
            return


def _times(samples: list[float]) -> Times:
    ordered = sorted(samples)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return Times(statistics.median(ordered), ordered[0], p95, len(ordered))
