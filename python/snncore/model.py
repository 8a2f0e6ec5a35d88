"""A model: loaded or built, run, saved."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, overload

from snncore import _core
from snncore.arguments import MOST_STEPS, integer, path_text, thread_count, whole
from snncore.infos import Layer, Port, byte_text, layer, port, port_text, summary
from snncore.inputs import Feed, Inputs, feed, plan_layout
from snncore.memory import Memory, memory_of
from snncore.plans import PlanKey, Plans, record_names
from snncore.profile import Profile, layer_profiles, timed
from snncore.recording import Result, result
from snncore.session import Session, collect

#: A path, the bytes of a file, or an open binary file.
Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


class Model:
    """A spiking network, as a `.snn` file holds it.

    Made by `snncore.load`, `GraphBuilder.build` and `snncore.from_torch`. Immutable. Threads may share a
    model and run it at the same time; the interpreter is free while it runs.
    """

    def __init__(self, core: _core.Model) -> None:
        self._core = core
        self._plans = Plans(core)
        self._inputs = tuple(map(port, core.inputs))
        self._outputs = tuple(map(port, core.outputs))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Name, dtype, shape, layout, zero_point and scale of each input."""
        return self._inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Name, dtype, shape and layout of each output."""
        return self._outputs

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Name, op, neuron, shape, weight_bits, state_bits, bytes and kept_channels of each layer."""
        return tuple(map(layer, self._core.layers))

    @property
    def timesteps(self) -> int:
        """Steps of a run, unless told otherwise."""
        return self._core.timesteps

    @property
    def labels(self) -> list[str] | None:
        """Names of the classes, where the file gives them."""
        return list(self._core.labels) or None

    @property
    def file_bytes(self) -> int:
        """Bytes of the file; of a model that was built, of the file it would be saved as."""
        return self._core.file_bytes

    @property
    def metadata(self) -> dict[str, Any]:
        """A new dict: format, timesteps, labels, preprocess, provenance.

        `preprocess` is None or holds size ([height, width]), crop and color.
        """
        p = self._core.preprocess
        return {
            "format": self._core.file_format,
            "timesteps": self.timesteps,
            "labels": self.labels,
            "preprocess": p and {"size": [p.height, p.width], "crop": p.crop, "color": p.color},
            "provenance": dict(self._core.provenance),
        }

    def summary(self) -> str:
        """Write a table of the layers, then inputs, outputs, timesteps and file size."""
        return summary(self.layers, self.inputs, self.outputs, self.timesteps, self.file_bytes)

    @overload
    def run(
        self,
        x: Inputs,
        *,
        layout: str | None = None,
        threads: int | None = None,
        timesteps: int | None = None,
        record: None = None,
        packed: bool = False,
    ) -> Any: ...

    @overload
    def run(
        self,
        x: Inputs,
        *,
        layout: str | None = None,
        threads: int | None = None,
        timesteps: int | None = None,
        record: str | Iterable[str],
        packed: bool = False,
    ) -> Result: ...

    def run(
        self,
        x: Inputs,
        *,
        layout: str | None = None,
        threads: int | None = None,
        timesteps: int | None = None,
        record: str | Iterable[str] | None = None,
        packed: bool = False,
    ) -> Any:
        """Run from fresh state.

        Parameters
        ----------
        x
            float32 (values, normalised already; for an input of pixels finite, and the nearest pixel of 0 to
            255 is taken), uint8 (raw pixels; the file holds zero point and scale), bool or `BitTensor`
            (spikes, which may also be numbers 0 and 1). Several inputs: a dict by name, or a tuple in the
            order of `inputs`.
        layout
            The axes of `x`: a permutation of T N C H W (vectors: T N C). Without T one frame is repeated for
            all steps. Without N it is one sample, and outputs have N = 1. Default: as the file says
            (`inputs[i].layout`); it is never guessed from the shape.
        threads
            1 to 256; the answer does not depend on it. Default: the environment variable SNNCORE_NUM_THREADS,
            else 1.
        timesteps
            Steps to take, 1 to 4096. Default: those of `x` where it has T, else as the file says.
        record
            What to keep: ``"<neuron>"`` its spikes, ``"<neuron>.v"`` its membrane after reset,
            ``"<neuron>.i"`` the synaptic current of a neuron that has one, ``"<readout>.sum"`` the integer
            sums.
        packed
            Give outputs of spikes as `BitTensor`, as they lie in memory, instead of float32.

        Returns
        -------
        ndarray, BitTensor, dict or Result
            float32 [N, F] of a readout, [T, N, ...] of another edge; several outputs: a dict by name. With
            `record` a `Result` that holds this and the recordings.

        Raises
        ------
        ValueError
            A wrong dtype, shape, layout or option: names the input, what was expected and what came.
        snncore.Error
            Something this model cannot do.

        Notes
        -----
        The program is planned at the first run for one combination of layout, batch, timesteps, threads and
        record; the last four are kept, with their memory.
        """
        fed, key = self._planned(x, layout, threads, timesteps, record)
        with self._plans.session(key) as session:
            session.run(fed.arrays)
            outputs = collect(session, self._outputs, packed)
            return outputs if record is None else result(outputs, session)

    def stream(
        self,
        *,
        threads: int | None = None,
        batch: int = 1,
        layout: str | None = None,
        record: str | Iterable[str] | None = None,
    ) -> Session:
        """Start a stream of steps whose state lives in the `Session`; many sessions may share one model.

        Parameters
        ----------
        threads
            As in `run`.
        batch
            Samples a step; each has its own state.
        layout
            The axes of a frame, as in `run`; T is left out for `Session.step`.
        record
            As in `run`; then `Session.step` and `Session.run` return a `Result`.

        Raises
        ------
        ValueError
            An option outside its range.
        """
        workers = thread_count("Model.stream", threads)
        samples = integer("batch", batch)
        return Session(self._plans, self._inputs, self._outputs, workers, samples, layout, record)

    def profile(
        self,
        x: Inputs,
        *,
        layout: str | None = None,
        threads: int | None = None,
        timesteps: int | None = None,
        seconds: float = 1.0,
    ) -> Profile:
        """Time the layers of `run`, and tell what they count, store and fire.

        Parameters
        ----------
        x, layout, threads, timesteps
            As in `run`.
        seconds
            How long to run, 0 and up; a profile has 3 runs at least.

        Returns
        -------
        Profile
            A row for each layer that is computed by itself: a sum that one neuron alone reads is a part of
            that neuron. ``print(profile.table())``; `Profile.to_json`, `Profile.to_html` and
            `Profile.chrome_trace`.

        Raises
        ------
        ValueError, snncore.Error
            As `run`; `seconds` that are below 0 or not finite.
        """
        from snncore.synapses import fires, synaptic_operations

        if not 0 <= seconds < math.inf:
            raise ValueError(f"Model.profile: expected a finite number of seconds, received {seconds}")
        recorded = self.run(x, layout=layout, threads=threads, timesteps=timesteps, record=fires(self))
        rates = {name: s.popcount() / s.size for name, s in recorded.spikes.items()}
        counted = synaptic_operations(self, x, layout=layout, threads=threads, timesteps=timesteps)
        fed, key = self._planned(x, layout, threads, timesteps, None)
        with self._plans.session(key) as session:
            found = timed(session, fed.arrays, seconds)
        rows = layer_profiles(found, self.layers, rates, counted)
        return Profile(rows, found.milliseconds, found.runs, key.timesteps, key.batch, key.threads)

    def memory(
        self,
        *,
        stream: bool = False,
        timesteps: int | None = None,
        batch: int = 1,
        threads: int | None = None,
    ) -> Memory:
        """Tell what running takes: weights as this CPU's kernels read them, membranes and the rest.

        Parameters
        ----------
        stream
            Of `Model.stream`, which keeps membranes from step to step; else of `Model.run`.
        timesteps
            Of a run. Default: as the file says.
        batch, threads
            As in `stream` and `run`.

        Returns
        -------
        Memory
            Bytes, exactly as they are allocated.

        Raises
        ------
        ValueError
            An option outside its range.
        snncore.Error
            Something this model cannot do, such as step by step what weighs all steps at once.
        """
        mode = _core.Mode.STREAM if stream else _core.Mode.SEQUENCE
        steps = 1 if stream else self._steps(None, timesteps)
        workers = thread_count("Model.memory", threads)
        samples = integer("batch", batch)
        program = self._plans.program(PlanKey(mode, steps, samples, workers, "", ()))
        return memory_of(program, stream, steps, samples, workers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.snn` file: under a temporary name first, then renamed.

        Raises
        ------
        snncore.Error
            The file cannot be written.
        """
        self._core.save(path_text("Model.save", path))

    def to_bytes(self, format_version: int | None = None) -> bytes:
        """Give the bytes that `save` would write, or those of an older format (docs/format.md).

        Raises
        ------
        ValueError
            A version that is none.
        """
        if format_version is None:
            return self._core.to_bytes()
        return self._core.to_bytes(integer("Model.to_bytes: format_version", format_version))

    def _planned(
        self,
        x: Inputs,
        layout: str | None,
        threads: int | None,
        timesteps: int | None,
        record: str | Iterable[str] | None,
    ) -> tuple[Feed, PlanKey]:
        fed = feed(self._inputs, x, layout)
        key = PlanKey(
            _core.Mode.SEQUENCE,
            self._steps(fed.steps, timesteps),
            fed.batch,
            thread_count("Model.run", threads),
            plan_layout(fed.layouts),
            record_names(record),
        )
        return fed, key

    def _steps(self, given: int | None, asked: int | None) -> int:
        if asked is None:
            return given or self.timesteps
        steps = whole("timesteps", asked)
        if not 1 <= steps <= MOST_STEPS or given not in (None, steps):
            raise ValueError(f"timesteps: expected {given or f'1 to {MOST_STEPS}'}, received {steps}")
        return steps

    def __reduce__(self) -> tuple[Any, ...]:
        return load, (self.to_bytes(),)

    def __repr__(self) -> str:
        inputs, outputs = ", ".join(map(port_text, self.inputs)), ", ".join(map(port_text, self.outputs))
        return f"<snncore.Model {inputs} -> {outputs}, T = {self.timesteps}, {byte_text(self.file_bytes)}>"


def load(source: Source) -> Model:
    """Load a `.snn` file.

    Parameters
    ----------
    source
        A path: the file is mapped, and weights are used where they lie. Bytes, or a file open for reading in
        binary mode: copied.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        No file at this path.
    snncore.FormatError
        Not a valid model; the message names the key or the offset.
    snncore.Error
        The operating system refused to read it.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Model(_core.Model.from_bytes(bytes(source)))
    if isinstance(source, (str, os.PathLike)):
        return Model(_core.Model.load(_existing(source)))
    if not hasattr(source, "read"):
        raise TypeError(f"load: expected a path, bytes or a file, received {type(source).__name__}")
    data = source.read()
    if not isinstance(data, bytes):
        raise ValueError(f"load: expected a file open in binary mode, read() gave {type(data).__name__}")
    return Model(_core.Model.from_bytes(data))


def check_model(op: str, model: Model) -> None:
    """Refuse what is no model, such as the path of one."""
    if not isinstance(model, Model):
        raise TypeError(f"{op}: expected a model, received {type(model).__name__}; snncore.load reads a file")


def _existing(path: str | os.PathLike[str]) -> str:
    text = path_text("load", path)
    if not Path(text).exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
    if Path(text).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), text)
    return text
