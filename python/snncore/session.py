"""A stream: one step after the other, state in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.arguments import integer
from snncore.bits import BitTensor
from snncore.events import columns
from snncore.infos import Port
from snncore.inputs import CoreArray, Inputs, check_layout, feed, plan_layout
from snncore.plans import PlanKey, Plans, record_names
from snncore.recording import Outputs, Result, over_time, result


class EventSteps(NamedTuple):
    """What `Session.push_events` did."""

    steps: int  #: steps run, those of empty windows included
    late: int  #: events dropped, because the step of their window had been run
    skipped: int  #: empty windows that were not run (`max_gap`)
    output: Any  #: what `Session.step` would have given for the last step; None: no step was run
    outputs: list[Any] | None  #: the same for every step, where asked for


class Session:
    """State and scratch of one stream of input, made by `Model.stream`.

    Gives the same spikes as `Model.run`, bit for bit. A session is one stream: threads that share it take
    turns, and the order of their steps is theirs to arrange. A context manager: at the end of the `with`
    block its memory is given back.
    """

    def __init__(
        self,
        plans: Plans,
        inputs: tuple[Port, ...],
        outputs: tuple[Port, ...],
        threads: int,
        batch: int,
        layout: str | None,
        record: str | Iterable[str] | None,
    ) -> None:
        if layout is not None:
            for port in inputs:
                check_layout(port, layout)
        sequence = [_with_time(layout or port.layout) for port in inputs]
        self._sequences = tuple(p._replace(layout=axes) for p, axes in zip(inputs, sequence, strict=True))
        self._inputs = tuple(p._replace(layout=_without_time(p.layout)) for p in self._sequences)
        self._outputs = outputs
        self._planned = [_with_batch(port.layout) for port in self._inputs]
        self._batch = batch
        self._records = record is not None
        key = PlanKey(_core.Mode.STREAM, 0, batch, threads, plan_layout(self._planned), record_names(record))
        self._core: _core.Session | None = _core.Session(plans.program(key))
        self._lock = Lock()

    @property
    def steps(self) -> int:
        """Steps taken since the last reset."""
        with self._lock:
            return self._open().steps

    def step(self, frame: Inputs) -> Any:
        """Take one step.

        Parameters
        ----------
        frame
            As `x` of `Model.run`, without a time axis.

        Returns
        -------
        ndarray, dict or Result
            As `Model.run` does: a readout over the steps since the last reset, the values of this step of
            another edge. With `record` a `Result`, with T = 1.

        Raises
        ------
        ValueError
            A wrong dtype, shape or batch.
        snncore.Error
            A model that can take no more steps before a reset (profile X).
        """
        fed = feed(self._inputs, frame, None)
        self._check_batch(fed.batch)
        with self._lock:
            return self._one(fed.arrays)

    def run(self, frames: Inputs, *, layout: str | None = None) -> Any:
        """Take as many steps as `frames` has.

        Parameters
        ----------
        frames
            As `x` of `Model.run`, with a time axis.
        layout
            The axes of `frames`, T among them. Default: that of `stream`, with T in front if it has none.

        Returns
        -------
        ndarray, dict or Result
            As `Model.run` does, which would give the same for these steps after a reset: readouts after the
            last step, other edges [T, N, ...].

        Raises
        ------
        ValueError, snncore.Error
            As `step`.
        """
        if layout is not None and "T" not in layout:
            raise ValueError(
                f"Session.run: expected a layout with T, received {layout!r}; for one frame call step"
            )
        fed = feed(self._sequences, frames, layout)
        self._check_batch(fed.batch)
        steps = fed.steps or 0
        moved = [_time_first(*each) for each in zip(fed.arrays, fed.layouts, self._planned, strict=True)]
        with self._lock:
            results = [self._one([frame_at(a, t) for a in moved]) for t in range(steps)]
        return self._joined(results)

    def push_events(
        self,
        x: ArrayLike,
        y: ArrayLike,
        p: ArrayLike,
        t: ArrayLike,
        window_us: int = 1000,
        *,
        count: int | None = None,
        clock_bits: int | None = None,
        max_gap: int = 1000,
        each: bool = False,
    ) -> EventSteps:
        """Take events of an event camera, and a step for every window that is complete.

        The session must be one of one sample, of a model with one input: spikes, counts or f32 values of 1 or
        2 channels (OFF and ON), or a vector (x is the element, y is 0). No frame is made. The last window
        stays open for the next call; `flush_events` ends it.

        Parameters
        ----------
        x, y, p, t
            Column and row of the pixel, polarity (bool, 0 and 1, or -1 and 1), microseconds. Events come in
            any order within their window; events of a window whose step was run are dropped and counted.
        window_us
            Length of a window. Windows start at multiples of it; the first event opens the one it lies in.
        count
            A step for every `count` events instead, whatever their times.
        clock_bits
            Bits of the camera's clock where it starts again at 0: 32 for a counter that does so every 71
            minutes. Default: times do not go round.
        max_gap
            Empty windows that are run in one gap; more are skipped and counted.
        each
            Keep the output of every step.

        Returns
        -------
        EventSteps
            steps, late, skipped, output and outputs.

        Raises
        ------
        ValueError
            Bad columns, or an event off the sensor: nothing was taken.
        snncore.Error
            A session that takes no events, an open window of another length, or profile X out of steps.

        Notes
        -----
        docs/events.md has the rules at length.
        """
        events = columns(x, y, p, t)
        window, gap = integer("events: window_us", window_us), integer("events: max_gap", max_gap)

        def push(session: _core.Session, on_step: Callable[[], None] | None) -> tuple[int, int, int]:
            return session.push_events(
                *events,
                window_us=window,
                count=_positive("count", count),
                clock_bits=_positive("clock_bits", clock_bits),
                max_gap=gap,
                on_step=on_step,
            )

        return self._event_steps(push, each)

    def flush_events(self, *, each: bool = False) -> EventSteps:
        """Take the step of the window that is open, if any: for the end of a recording."""
        return self._event_steps(lambda session, on_step: session.flush_events(on_step), each)

    def advance_events(self, now: int, *, each: bool = False) -> EventSteps:
        """Let time pass without events: every window that ends at `now` or before is run."""
        until = integer("Session.advance_events: now", now)
        return self._event_steps(lambda session, on_step: session.advance_events(until, on_step), each)

    def reset(self) -> None:
        """Set all state to zero and `steps` to 0; events of an open window are forgotten."""
        with self._lock:
            self._open().reset()

    def save_state(self) -> bytes:
        """Give the state as bytes, to continue later.

        Raises
        ------
        snncore.Error
            Events of an open window wait; they are no part of the state.
        """
        with self._lock:
            return self._open().save_state()

    def load_state(self, state: bytes) -> None:
        """Continue from `state`, saved by a session of the same model and the same options.

        Raises
        ------
        snncore.FormatError
            Bytes that are no state of such a session.
        """
        if not isinstance(state, bytes):
            raise TypeError(f"Session.load_state: expected bytes, received {type(state).__name__}")
        with self._lock:
            self._open().load_state(state)

    def close(self) -> None:
        """Give the memory back. Every later call but this one is refused."""
        with self._lock:
            self._core = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def _open(self) -> _core.Session:
        if self._core is None:
            raise ValueError("Session: it is closed")
        return self._core

    def _one(self, arrays: list[CoreArray]) -> Any:
        session = self._open()
        session.run(arrays)
        return self._last(session)

    def _last(self, session: _core.Session) -> Any:
        outputs = collect(session, self._outputs)
        return result(outputs, session) if self._records else outputs

    def _event_steps(
        self, run: Callable[[_core.Session, Callable[[], None] | None], tuple[int, int, int]], each: bool
    ) -> EventSteps:
        kept: list[Any] = []
        with self._lock:
            session = self._open()
            report = run(session, (lambda: kept.append(self._last(session))) if each else None)
            last = None
            if report[0] > 0:
                last = kept[-1] if each else self._last(session)
        return EventSteps(*report, last, kept if each else None)

    def _check_batch(self, batch: int) -> None:
        if batch != self._batch:
            raise ValueError(
                f"Session: expected {self._batch} samples, as `stream` was told, received {batch}"
            )

    def _joined(self, results: list[Any]) -> Any:
        outputs = [r.outputs for r in results] if self._records else results
        joined = {
            port.name: _join([named(o, self._outputs)[port.name] for o in outputs], port)
            for port in self._outputs
        }
        whole: Outputs = joined if len(joined) > 1 else next(iter(joined.values()))
        return Result(whole, *over_time(results)) if self._records else whole


def collect(session: _core.Session, outputs: Sequence[Port], packed: bool = False) -> Any:
    """Copy the outputs of the last run: an array, or a dict by name where there are several.

    With `packed` spikes come as a `BitTensor`, as they lie.
    """
    if len(outputs) == 1:
        return _output(session, 0, outputs[0], packed)
    return {port.name: _output(session, i, port, packed) for i, port in enumerate(outputs)}


def _output(session: _core.Session, i: int, port: Port, packed: bool) -> NDArray[np.float32] | BitTensor:
    if packed and port.dtype == "b1":
        return BitTensor(session.packed_output(i), axis=2)
    return session.output(i)


def named(outputs: Outputs, ports: Sequence[Port]) -> dict[str, NDArray[np.float32]]:
    """Give outputs by name, also where there is one."""
    return outputs if isinstance(outputs, dict) else {ports[0].name: outputs}


def frame_at(array: CoreArray, t: int) -> CoreArray:
    """Give one step of an array whose first axis is time."""
    if isinstance(array, _core.BitTensor):
        return _core.BitTensor.from_words(array.words()[t], array.shape[1:])
    frame: CoreArray = array[t]
    return frame


def _positive(name: str, value: int | None) -> int:
    if value is None:
        return 0
    if integer(f"events: {name}", value) < 1:
        raise ValueError(f"events: expected {name} of 1 or more, received {value}")
    return value


def _join(values: list[NDArray[np.float32]], port: Port) -> NDArray[np.float32]:
    return np.concatenate(values) if "T" in port.layout else values[-1]


def _time_first(array: CoreArray, axes: str, frame_axes: str) -> CoreArray:
    if isinstance(array, _core.BitTensor):
        return array  # T N H W C, always
    return np.ascontiguousarray(array.transpose([axes.index(axis) for axis in "T" + frame_axes]))


def _without_time(layout: str) -> str:
    return layout.replace("T", "", 1)


def _with_time(layout: str) -> str:
    return layout if "T" in layout else "T" + layout


def _with_batch(layout: str) -> str:
    return layout if "N" in layout else "N" + layout
