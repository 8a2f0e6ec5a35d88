"""A profile as Chrome's Trace Event Format, which chrome://tracing and Perfetto read."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from snncore.profile import LayerProfile, Profile

#: The one track: every event says whose it is.
_TRACK = {"pid": 1, "tid": 1}


def trace(profile: Profile) -> dict[str, Any]:
    """Give the JSON object: complete events, layers end to end as long as their median times."""
    microseconds = [1e3 * layer.milliseconds for layer in profile.layers]
    starts = accumulate(microseconds[:-1], initial=0.0)
    events = [
        {"name": layer.label, "cat": layer.op or "-", "ph": "X", "ts": start, "dur": length, **_TRACK}
        | {"args": _facts(layer, share)}
        for layer, start, length, share in zip(
            profile.layers, starts, microseconds, profile.shares, strict=True
        )
    ]
    names = (("process_name", "snncore"), ("thread_name", f"layers, medians of {profile.runs} runs"))
    tracks = [{"name": what, "ph": "M", **_TRACK, "args": {"name": name}} for what, name in names]
    return {"traceEvents": [*tracks, *events], "otherData": {"conditions": profile.conditions}}


def _facts(layer: LayerProfile, share: float) -> dict[str, Any]:
    """Give what a viewer shows of a layer; viewers have no word for what a layer has not."""
    facts = {
        "op": layer.op,
        "sums": ", ".join(layer.sums) or None,
        "share": share,
        "bytes": layer.bytes,
        "operations": layer.operations,
        **(layer.synaptic_operations or {}),
        "rate": layer.rate,
    }
    return {name: value for name, value in facts.items() if value is not None}
