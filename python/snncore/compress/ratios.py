"""Which share of the channels, or weights, each layer is to lose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from .streams import Streams


def is_share(value: Any) -> bool:
    """Tell whether a value is a number of 0 to 1."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return number and bool(0 <= value <= 1)


def kept(count: int, ratio: float) -> int:
    """Give how many of `count` stay: ``int(count * (1 - ratio))`` of the decimal number that `ratio` is."""
    return int(count * (1 - Fraction(repr(float(ratio)))))


def share_of(what: str, value: Any) -> float:
    """Check a ratio."""
    if not is_share(value):
        raise ValueError(f"prune: {what} must be a number of 0 to 1, received {value!r}")
    return float(value)


def stream_ratios(streams: Streams, ratio: float, given: Mapping[str, float]) -> dict[str, float]:
    """Give the ratio of each stream that may lose channels; `given` names layers and neurons.

    Raises
    ------
    ValueError
        An unknown name, a stream that has to keep its channels, two ratios for one stream, nothing to prune.
    """
    member = {name: stream for stream in streams for name in stream.members}
    shares = _shares(given, member)
    wanted = {stream.name: ratio for stream in streams if stream.reason is None}
    named: dict[str, str] = {}
    for name, share in shares.items():
        stream = member[name]
        if stream.reason is not None and share > 0:
            raise ValueError(f"prune: '{name}' cannot lose channels: {stream.reason}")
        other = named.setdefault(stream.name, name)
        if shares[other] != share:
            raise ValueError(
                f"prune: '{other}' and '{name}' share one set of channels, so that their ratios "
                f"{shares[other]:g} and {share:g} cannot both hold"
            )
        if stream.reason is None:
            wanted[stream.name] = share
    if not wanted:
        listed = "; ".join(f"'{s.name}': {s.reason}" for s in streams) or "it has no layers with weights"
        raise ValueError(f"prune: nothing can be removed: {listed}")
    return wanted


def layer_ratios(streams: Streams, ratio: float, given: Mapping[str, float]) -> dict[str, float]:
    """Give the ratio of each layer whose weights may become zero: `given`, and all that may lose channels."""
    writers = {node["name"]: stream for stream in streams for node in stream.writers}
    shares = _shares(given, writers)
    wanted = {name: ratio for name, stream in writers.items() if stream.reason is None} | shares
    if not wanted:
        raise ValueError("prune: no layer but those before an output; name them in ratios")
    return wanted


def _shares(given: Mapping[str, float], known: Iterable[str]) -> dict[str, float]:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"prune: ratios: expected names of {', '.join(known)}; received '{unknown[0]}'")
    return {name: share_of(f"ratios['{name}']", value) for name, value in given.items()}
