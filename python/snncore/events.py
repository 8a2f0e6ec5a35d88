"""Events of event cameras: recordings in files, structured arrays, and what `Session.push_events` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore.arguments import integer

#: What `load` reads, by the end of the file's name.
SUFFIXES = (".bin", ".bs2", ".npy", ".npz")

#: Bytes of an event in the files of N-MNIST and N-Caltech101.
_RECORD = 5
#: An event at this row carries no light: the recorder's clock went over, the times after it are later.
_OVERFLOW_ROW, _OVERFLOW_US = 240, 1 << 13

_NAMES = {
    "x": ("x", "addr_x", "x_addr", "xs", "col", "column"),
    "y": ("y", "addr_y", "y_addr", "ys", "row"),
    "p": ("p", "pol", "polarity", "polarities", "ps", "on"),
    "t": ("t", "ts", "time", "timestamp", "timestamps", "t_us", "time_us"),
}


class Events(NamedTuple):
    """Columns of equal length, in the order of arrival. ``session.push_events(*events)`` takes them."""

    x: NDArray[np.uint16]  #: column of the pixel
    y: NDArray[np.uint16]  #: row of the pixel
    p: NDArray[np.uint8]  #: 1: brighter (ON), 0: darker (OFF)
    t: NDArray[np.int64]  #: microseconds


def columns(x: ArrayLike, y: ArrayLike, p: ArrayLike, t: ArrayLike) -> Events:
    """Check four columns and give them as the engine takes them; columns that are right are not copied.

    Parameters
    ----------
    x, y
        Whole numbers from 0 to 65535.
    p
        bool, 0 and 1, or -1 and 1.
    t
        Whole microseconds.

    Raises
    ------
    ValueError
        Names the column, and what it holds.
    """
    made = Events(_place("x", x), _place("y", y), _polarity(p), _whole("t", t, np.int64))
    sizes = [len(column) for column in made]
    if len(set(sizes)) != 1:
        raise ValueError(f"events: expected x, y, p and t of one length, received {sizes}")
    return made


def load(path: str | os.PathLike[str]) -> Events:
    """Read a recording.

    ``.bin`` and ``.bs2``: the layout of N-MNIST and N-Caltech101, five bytes an event (x, y, one bit of
    polarity, 23 bits of microseconds, most significant first). ``.npy``: a structured array, see
    `from_array`. ``.npz``: the columns by name.

    Raises
    ------
    ValueError
        A file of another kind, or one that is cut off.
    FileNotFoundError, IsADirectoryError
        No file at this path.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"'{os.fspath(path)}': expected a file {', '.join(SUFFIXES)} of events")
    data = Path(path).read_bytes()
    try:
        return from_nmnist(data) if suffix in (".bin", ".bs2") else _from_numpy(data)
    except (ValueError, EOFError, OSError) as why:
        raise ValueError(f"'{os.fspath(path)}': {why}") from None


def from_nmnist(data: bytes) -> Events:
    """Decode the bytes of an N-MNIST recording.

    Raises
    ------
    ValueError
        No events, or bytes that are not a whole number of them.
    """
    if len(data) == 0 or len(data) % _RECORD:
        raise ValueError(
            f"events: expected a number of bytes that {_RECORD} divides, as an N-MNIST recording has, "
            f"received {len(data)}"
        )
    raw = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    high, middle, low = (raw[:, i].astype(np.int64) for i in (2, 3, 4))
    times = (high & 0x7F) << 16 | middle << 8 | low
    overflow = raw[:, 1] == _OVERFLOW_ROW
    times += np.cumsum(overflow) * _OVERFLOW_US
    kept = ~overflow
    return Events(
        raw[kept, 0].astype(np.uint16),
        raw[kept, 1].astype(np.uint16),
        (raw[kept, 2] >> 7).astype(np.uint8),
        times[kept],
    )


def from_array(events: NDArray[Any] | Mapping[str, ArrayLike]) -> Events:
    """Take a structured array, or a mapping of columns: whatever order, and the usual names.

    Names are compared without case: x, y, p (pol, polarity), t (ts, time, timestamp).

    Raises
    ------
    ValueError
        A field that is missing or given twice, or values that are no events.
    """
    names = list(events) if isinstance(events, Mapping) else list(events.dtype.names or ())
    if not names:
        raise ValueError(
            "events: expected a structured array with fields x, y, p and t, received plain values"
        )
    return columns(*(events[_field(names, role)] for role in "xypt"))


def frames(
    events: Events, window_us: int, shape: Sequence[int], steps: int | None = None
) -> NDArray[np.uint16]:
    """Count events in windows: [T, C, height, width], as `Session.push_events` would bin them.

    For training and tests: a session needs no frames. Times must not go back from one window to an earlier
    one. `shape` is that of the input, C = 1 or 2; without `steps`, T is what the recording takes. Counts stop
    at 65,535, as a session's do.

    Raises
    ------
    ValueError
        An event off the sensor, or of a window before the first; an argument out of range.
    """
    channels, height, width = _sizes(shape)
    if integer("events: window_us", window_us) < 1:
        raise ValueError(f"events: expected window_us of 1 or more, received {window_us}")
    if steps is not None and integer("events: steps", steps) < 0:
        raise ValueError(f"events: expected steps of 0 or more, received {steps}")
    off = np.flatnonzero((events.x >= width) | (events.y >= height))
    if off.size:
        x, y = events.x[off[0]], events.y[off[0]]
        raise ValueError(
            f"events: expected x below {width} and y below {height}, received x {x}, y {y} (event {off[0]})"
        )
    window = events.t // window_us
    window = window - window[0] if len(window) else window
    if window.min(initial=0) < 0:
        early = int(window.argmin())
        raise ValueError(
            f"events: expected no time before the window of the first event, at {events.t[0]} us, "
            f"received {events.t[early]} us (event {early})"
        )
    count = int(window.max(initial=-1)) + 1 if steps is None else steps
    kept = window < count
    channel = events.p[kept] if channels == 2 else np.zeros(int(kept.sum()), np.uint8)
    place = np.ravel_multi_index(
        (window[kept], channel, events.y[kept], events.x[kept]), (count, channels, height, width)
    )
    counts = np.bincount(place, minlength=count * channels * height * width)
    return counts.clip(max=65535).astype(np.uint16).reshape(count, channels, height, width)


def _sizes(shape: Sequence[int]) -> list[int]:
    sizes = [integer("events: shape", size) for size in shape]
    if len(sizes) != 3 or min(sizes) < 1 or sizes[0] > 2:
        raise ValueError(f"events: expected shape (1 or 2, height, width), received {tuple(shape)}")
    return sizes


def _field(names: Sequence[str], role: str) -> str:
    found = [name for name in names if name.lower() in _NAMES[role]]
    if len(found) != 1:
        problem = "no field" if not found else f"{len(found)} fields"
        raise ValueError(f"events: {problem} for {role} ({', '.join(_NAMES[role])}) among {', '.join(names)}")
    return found[0]


def _from_numpy(data: bytes) -> Events:
    import io

    loaded = np.load(io.BytesIO(data), allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return from_array(loaded)
    with loaded:
        return from_array({name: loaded[name] for name in loaded.files})


def _column(name: str, values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"events: expected {name} with one axis, received shape {list(array.shape)}")
    return array


def _whole(name: str, values: ArrayLike, dtype: Any) -> Any:
    array = _column(name, values)
    if array.size == 0:
        return np.empty(0, dtype)
    if array.dtype.kind not in "iu":
        hint = "; times are whole microseconds: (t * 1e6).astype(numpy.int64)" if name == "t" else ""
        raise ValueError(f"events: expected whole numbers as {name}, received {array.dtype}{hint}")
    limits = np.iinfo(dtype)
    if not np.can_cast(array.dtype, dtype):
        least, most = int(array.min()), int(array.max())
        if least < limits.min or most > limits.max:
            raise ValueError(
                f"events: expected {name} from {limits.min} to {limits.max}, received {least} to {most}"
            )
    return np.ascontiguousarray(array, dtype)


def _place(name: str, values: ArrayLike) -> NDArray[np.uint16]:
    placed: NDArray[np.uint16] = _whole(name, values, np.uint16)
    return placed


def _polarity(values: ArrayLike) -> NDArray[np.uint8]:
    array = _column("p", values)
    if array.dtype == np.bool_:
        return np.ascontiguousarray(array).view(np.uint8)
    if array.size == 0:
        return np.empty(0, np.uint8)
    if array.dtype.kind not in "iu":
        raise ValueError(f"events: expected p as bool, 0 and 1, or -1 and 1, received {array.dtype}")
    least, most = int(array.min()), int(array.max())
    if least < -1 or most > 1 or (least < 0 and bool((array == 0).any())):
        raise ValueError(f"events: expected p as bool, 0 and 1, or -1 and 1, received {least} to {most}")
    return (
        np.ascontiguousarray(array > 0).view(np.uint8) if least < 0 else np.ascontiguousarray(array, np.uint8)
    )
