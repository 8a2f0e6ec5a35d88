"""What a run returns when something was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from snncore import _core
from snncore.bits import BitTensor

#: float32 [N, F] of a readout, [T, N, ...] of another edge; by name where a model has several outputs.
Outputs: TypeAlias = NDArray[np.float32] | dict[str, NDArray[np.float32]]

_SHOWN_NEURONS = 32


@dataclass(frozen=True)
class Result:
    """Outputs and recordings of a run.

    Attributes
    ----------
    outputs
        What `Model.run` returns without `record`.
    spikes
        By the name of the neuron: a `BitTensor` of shape [T, N, C, H, W] or [T, N, C], packed along C.
    states
        By the name asked for: ``"<neuron>.v"``, the membrane after reset, int32 or float32 [T, N, C, H, W] or
        [T, N, C]; ``"<neuron>.i"``, the synaptic current, alike; ``"<readout>.sum"``, integer sums, int64
        [N, F]; ``"<conv or linear>.sum"``, integer sums of each step.
    """

    outputs: Any  # Outputs; Any spares callers a cast
    spikes: dict[str, BitTensor] = field(default_factory=dict)
    states: dict[str, NDArray[Any]] = field(default_factory=dict)

    def raster(self, name: str | None = None, *, sample: int = 0, ax: Any = None) -> Any:
        """Show who fired when.

        Parameters
        ----------
        name
            The neuron layer; may be left out where only one was recorded.
        sample
            Which sample of the batch.
        ax
            matplotlib Axes to draw on.

        Returns
        -------
        str or Axes
            Without `ax` a text: one line for each of at most 32 neurons, spread evenly over the layer, one
            column a step. With `ax` that Axes, every neuron shown.

        Raises
        ------
        ValueError
            A name or sample that was not recorded.
        """
        name = self._spiking(name)
        spikes = self.spikes[name].numpy()
        if not -spikes.shape[1] <= sample < spikes.shape[1]:
            raise ValueError(f"raster: expected a sample below {spikes.shape[1]}, received {sample}")
        grid = spikes[:, sample].reshape(spikes.shape[0], -1)
        if ax is None:
            return _text_raster(name, grid)
        steps, neurons = np.nonzero(grid)
        ax.scatter(steps, neurons, s=1, marker="s", linewidths=0, color="black")
        ax.set(
            xlabel="step",
            ylabel="neuron",
            title=name,
            xlim=(-0.5, len(grid) - 0.5),
            ylim=(-0.5, grid.shape[1] - 0.5),
        )
        return ax

    def _spiking(self, name: str | None) -> str:
        recorded = ", ".join(f"'{known}'" for known in self.spikes) or "none"
        if name is None:
            if len(self.spikes) != 1:
                raise ValueError(
                    f"raster: expected the name of one recorded neuron layer; recorded: {recorded}"
                )
            return next(iter(self.spikes))
        if name not in self.spikes:
            raise ValueError(
                f"raster: expected a recorded neuron layer, received '{name}'; recorded: {recorded}"
            )
        return name


def _text_raster(name: str, grid: NDArray[np.bool_]) -> str:
    steps, neurons = grid.shape
    shown = np.unique(np.linspace(0, neurons - 1, min(neurons, _SHOWN_NEURONS)).round().astype(int))
    width = len(str(neurons - 1))
    head = f"{name}: {neurons} neurons, {steps} steps, {grid.mean():.3f} spikes per neuron and step"
    rows = [f"{i:>{width}} |" + "".join("|" if fired else "." for fired in grid[:, i]) + "|" for i in shown]
    return "\n".join([head, *rows])


def result(outputs: Outputs, session: _core.Session) -> Result:
    """Take what the last run of a session recorded."""
    spikes: dict[str, BitTensor] = {}
    states: dict[str, NDArray[Any]] = {}
    for name, value in session.recordings():
        if isinstance(value, _core.BitTensor):
            spikes[name] = BitTensor(value, axis=2)
        else:
            states[name] = value
    return Result(outputs, spikes, states)


def over_time(results: list[Result]) -> tuple[dict[str, BitTensor], dict[str, NDArray[Any]]]:
    """Put the recordings of single steps behind each other; sums over time are those of the last step."""
    last = results[-1]
    spikes = {}
    for name, bits in last.spikes.items():
        words = np.concatenate([r.spikes[name].words for r in results])
        spikes[name] = BitTensor.from_words(words, (len(words), *bits.shape[1:]), axis=bits.axis)
    states = {
        name: value if _is_total(value) else np.concatenate([r.states[name] for r in results])
        for name, value in last.states.items()
    }
    return spikes, states


def _is_total(value: NDArray[Any]) -> bool:
    return value.ndim == 2
