"""What a run holds in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snncore import _core
from snncore.infos import byte_text

if TYPE_CHECKING:
    from snncore.model import Model


@dataclass(frozen=True)
class LayerMemory:
    """Bytes of one node."""

    name: str
    weights: int  #: laid out for this CPU
    membranes: int  #: of a neuron, all that it keeps from step to step
    history: int  #: what a delay, a readout or a saccadic neuron keeps


@dataclass(frozen=True)
class Memory:
    """Bytes of a run as they are allocated: alignment and padding included.

    Beside it are the file (`Model.file_bytes`, mapped), constants of channels, a few bytes for each, and
    the arrays of inputs and outputs.
    """

    stream: bool  #: planned for `Model.stream`; else for `Model.run`
    timesteps: int  #: of one run; 1 in a stream
    batch: int
    threads: int
    weights: int  #: one copy, whatever runs the model
    membranes: int  #: 0 for `Model.run` of a network without a loop, where they stay in registers
    history: int  #: of delays, readouts and saccadic neurons
    values: int  #: what layers hand on to each other
    workers: int  #: private to the threads, together
    layers: tuple[LayerMemory, ...]  #: nodes that hold something, in the order of the graph

    @property
    def session(self) -> int:
        """What each `Session`, or run at the same time, takes: all but the weights."""
        return self.membranes + self.history + self.values + self.workers

    def __str__(self) -> str:
        how = "step by step" if self.stream else f"all steps at once, T = {self.timesteps}"
        parts = (
            f"{name} {byte_text(getattr(self, name))}"
            for name in ("weights", "membranes", "history", "values", "workers")
        )
        return (
            f"running {how}, {_count(self.batch, 'sample')}, {_count(self.threads, 'thread')}: "
            f"{', '.join(parts)}"
        )


def memory_of(program: _core.Program, stream: bool, timesteps: int, batch: int, threads: int) -> Memory:
    """Copy what the engine says of a planned program."""
    held = program.memory()
    return Memory(
        stream=stream,
        timesteps=timesteps,
        batch=batch,
        threads=threads,
        weights=held.weights,
        membranes=held.membranes,
        history=held.history,
        values=held.values,
        workers=held.workers,
        layers=tuple(LayerMemory(n.name, n.weights, n.membranes, n.history) for n in held.nodes),
    )


def memory_held(model: Model, threads: int = 1) -> Memory:
    """Give what a report states: of one sample step by step, so that membranes are counted."""
    try:
        return model.memory(stream=True, threads=threads)
    except _core.Error:  # a neuron that weighs all steps at once has no steps to keep anything between
        return model.memory(threads=threads)


def change_text(before: Memory, after: Memory) -> str:
    """Write what weights and membranes took and take: a line of a report."""
    parts = (
        f"{name} {byte_text(getattr(before, name))} -> {byte_text(getattr(after, name))}"
        for name in ("weights", "membranes")
    )
    return f"in memory, running: {', '.join(parts)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
