"""Workloads W1 to W8: what is computed, by whom, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness import Case, Options
from workloads import attention, conv, float_weights, hamming, lif, linear, networks

#: By name: gives the cases of a workload, each made when it is asked for.
WORKLOADS: dict[str, Callable[[str, Options], Iterator[Case]]] = {
    "W1": conv.cases,
    "W2": conv.cases,
    "W3": linear.cases,
    "W4": attention.cases,
    "W5": lif.cases,
    "W6": hamming.cases,
    "W7": networks.cases,
    "W8": float_weights.cases,
}
