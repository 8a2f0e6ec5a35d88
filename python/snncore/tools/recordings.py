"""Recordings of event cameras on the command line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import snncore
from snncore import events
from snncore.recording import over_time

from .common import logits


class Classified(NamedTuple):
    """What a model makes of a recording."""

    values: Any  #: one value for each class
    steps: int
    note: str | None  #: what was left out, in words
    recorded: snncore.Result | None  #: what `record` asked for, over all steps


def is_recording(path: str) -> bool:
    """Tell a recording by the end of its name."""
    return Path(path).suffix.lower() in events.SUFFIXES


def window_of(model: snncore.Model, given: int | None) -> int:
    """Give the length of a window: what was asked for, else what the model was trained with."""
    stored = model.metadata["provenance"].get("window_us", "")
    if given is not None:
        return given
    if not (stored.isascii() and stored.isdigit() and int(stored)):
        raise ValueError("the file does not say how long a window is: give --window-us")
    return int(stored)


def classify(
    model: snncore.Model, path: str, window_us: int, threads: int | None, record: list[str] | None = None
) -> Classified:
    """Push a whole recording through a fresh session."""
    recording = events.load(path)
    with model.stream(threads=threads, record=record) as session:
        pushed = session.push_events(*recording, window_us=window_us, each=record is not None)
        ended = session.flush_events(each=record is not None)
        if ended.output is None:
            raise ValueError(f"'{path}': no events")
        steps = session.steps
    left_out = [
        f"{count} {what}"
        for count, what in ((pushed.late, "late events dropped"), (pushed.skipped, "empty windows skipped"))
        if count
    ]
    note = f"{Path(path).name}: {', '.join(left_out)}" if left_out else None
    if record is None:
        return Classified(logits(model, ended.output)[0], steps, note, None)
    last = ended.output.outputs
    recorded = snncore.Result(last, *over_time([*(pushed.outputs or []), *(ended.outputs or [])]))
    return Classified(logits(model, last)[0], steps, note, recorded)


#: Values that `windows` makes, all of them in memory.
_MOST_VALUES = 1 << 26


def windows(model: snncore.Model, path: str, window_us: int) -> NDArray[Any]:
    """Give the steps of a recording for `Model.run`: [T, 1, ...] of bool, uint8 or float32, as the input.

    They are those that `classify` pushes one by one, where no event is late.
    """
    recording = events.load(path)
    if not len(recording.t):
        raise ValueError(f"'{path}': no events")
    port = model.inputs[0]
    shape = port.shape if len(port.shape) == 3 else (1, 1, *port.shape)
    if len(model.inputs) != 1 or port.dtype == "u8" or len(shape) != 3 or shape[0] > 2:
        raise ValueError("the model does not take events")
    count = int(recording.t.max() // window_us - recording.t[0] // window_us) + 1
    most = max(_MOST_VALUES // math.prod(shape), 1)
    if count > most:
        raise ValueError(
            f"'{path}': expected at most {most} windows, received {count}: give a longer --window-us"
        )
    try:
        counts = events.frames(recording, window_us, shape).reshape(count, 1, *port.shape)
    except ValueError as why:
        raise ValueError(f"'{path}': {why}") from None
    if port.dtype == "b1":
        return counts > 0
    if port.dtype == "f32":
        return counts.astype(np.float32)
    return counts.clip(max=2 ** int(port.dtype[1:]) - 1).astype(np.uint8)
