"""A stream: one step after the other, state in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore import _core
from snncore.bits import BitTensor
from snncore.infos import Port
from snncore.inputs import CoreArray, Inputs, check_layout, feed, plan_layout
from snncore.plans import PlanKey, Plans, record_names
from snncore.recording import Outputs, Result, over_time, result


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

    def reset(self) -> None:
        """Set all state to zero and `steps` to 0."""
        with self._lock:
            self._open().reset()

    def save_state(self) -> bytes:
        """Give the state as bytes, to continue later."""
        with self._lock:
            return self._open().save_state()

    def load_state(self, state: bytes) -> None:
        """Continue from `state`, saved by a session of the same model and the same options.

        Raises
        ------
        snncore.FormatError
            Bytes that are no state of such a session.
        """
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
        outputs = collect(session, self._outputs)
        return result(outputs, session) if self._records else outputs

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


def collect(session: _core.Session, outputs: Sequence[Port]) -> Outputs:
    """Copy the outputs of the last run: an array, or a dict by name where there are several."""
    if len(outputs) == 1:
        return session.output(0)
    return {port.name: session.output(i) for i, port in enumerate(outputs)}


def collect_packed(session: _core.Session, outputs: Sequence[Port]) -> Any:
    """Copy the outputs of the last run, spikes as they lie."""
    values = {
        port.name: BitTensor(session.packed_output(i), axis=2) if port.dtype == "b1" else session.output(i)
        for i, port in enumerate(outputs)
    }
    return values if len(values) > 1 else next(iter(values.values()))


def named(outputs: Outputs, ports: Sequence[Port]) -> dict[str, NDArray[np.float32]]:
    """Give outputs by name, also where there is one."""
    return outputs if isinstance(outputs, dict) else {ports[0].name: outputs}


def frame_at(array: CoreArray, t: int) -> CoreArray:
    """Give one step of an array whose first axis is time."""
    if isinstance(array, _core.BitTensor):
        return _core.BitTensor.from_words(array.words()[t], array.shape[1:])
    frame: CoreArray = array[t]
    return frame


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
