"""What a run returns when something was recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import index
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from snncore import _core
from snncore.bits import BitTensor
from snncore.pictures import Raster, Rates, Traces
from snncore.pictures.traces import MOST

#: float32 [N, F] of a readout, [T, N, ...] of another edge; by name where a model has several outputs.
Outputs: TypeAlias = NDArray[np.float32] | dict[str, NDArray[np.float32]]

#: Neurons that `Result.trace` picks.
_TRACED = 6


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
            The neuron layer. Default: every one that was recorded.
        sample
            Which sample of the batch.
        ax
            matplotlib Axes to draw on; then one layer is shown.

        Returns
        -------
        Raster or Axes
            ``print`` shows a `Raster` as text, a notebook as a picture, and ``save`` writes .png, .svg, .pdf,
            .txt or .npz. With `ax` that Axes, every neuron shown.

        Raises
        ------
        ValueError
            A name or sample that was not recorded.
        """
        if ax is None:
            names = list(self.spikes) if name is None and self.spikes else [self._spiking(name)]
            return Raster({each: self._grid(each, sample, "raster") for each in names}, sample)
        name = self._spiking(name)
        grid = self._grid(name, sample, "raster")
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

    def trace(
        self,
        name: str | None = None,
        *,
        neuron: int | tuple[int, ...] | list[Any] | None = None,
        sample: int = 0,
    ) -> Traces:
        """Show how a state of some neurons moves over time.

        Parameters
        ----------
        name
            What was recorded, such as "lif1.v"; may be left out where only one state was.
        neuron
            Its number in the order C, H, W, or its coordinates as a tuple; a list of these for several, at
            most 24. Default: the six whose state moves the most.
        sample
            Which sample of the batch.

        Returns
        -------
        Traces
            As `raster`. Where the spikes of the layer were recorded, too, the picture marks them.

        Raises
        ------
        ValueError
            A name, neuron or sample that was not recorded.
        """
        name = self._state(name)
        values = self.states[name]
        shape = values.shape[2:]
        grid = _of_sample(values, sample, "trace")
        chosen = _most_moving(grid) if neuron is None else [_place(n, shape) for n in _listed(neuron)]
        labels = {",".join(map(str, np.unravel_index(i, shape))): i for i in chosen}
        layer = name.rpartition(".")[0]
        fired = self._grid(layer, sample, "trace") if layer in self.spikes else None
        spikes = {} if fired is None else {label: fired[:, i] for label, i in labels.items()}
        return Traces(name, {label: grid[:, i] for label, i in labels.items()}, spikes, sample)

    def rates(self, *, sample: int | None = None) -> Rates:
        """Show how often the neurons of each recorded layer fire, in spikes per neuron and step.

        Parameters
        ----------
        sample
            Which sample of the batch. Default: the mean of all.

        Returns
        -------
        Rates
            As `raster`; ``.values`` is a dict of numbers.

        Raises
        ------
        ValueError
            No spikes were recorded, or no such sample.
        """
        if not self.spikes:
            raise ValueError("rates: no spikes were recorded: record the name of a neuron layer")
        if sample is None:
            rates = {name: float(bits.numpy().mean()) for name, bits in self.spikes.items()}
            return Rates({"": rates}, "mean of all samples")
        grids = {name: self._grid(name, sample, "rates") for name in self.spikes}
        return Rates({"": {name: float(grid.mean()) for name, grid in grids.items()}}, f"sample {sample}")

    def _grid(self, name: str, sample: int, caller: str) -> NDArray[np.bool_]:
        return _of_sample(self.spikes[name].numpy(), sample, caller)

    def _spiking(self, name: str | None) -> str:
        recorded = ", ".join(f"'{known}'" for known in self.spikes) or "none"
        if name is None and len(self.spikes) == 1:
            return next(iter(self.spikes))
        if name is None:
            raise ValueError(f"raster: expected the name of one recorded neuron layer; recorded: {recorded}")
        if name not in self.spikes:
            raise ValueError(
                f"raster: expected a recorded neuron layer, received '{name}'; recorded: {recorded}"
            )
        return name

    def _state(self, name: str | None) -> str:
        known = [each for each, values in self.states.items() if not _is_total(values)]
        if name is None and len(known) == 1:
            return known[0]
        if name not in known:
            recorded = ", ".join(f"'{each}'" for each in known) or "none"
            received = "none" if name is None else f"'{name}'"
            raise ValueError(
                f"trace: expected the name of a recorded state, received {received}; recorded: {recorded}"
            )
        return name


def _of_sample(values: NDArray[Any], sample: int, caller: str) -> NDArray[Any]:
    """Give [T, neurons] of [T, N, ...]."""
    if not -values.shape[1] <= sample < values.shape[1]:
        raise ValueError(f"{caller}: expected a sample below {values.shape[1]}, received {sample}")
    return values[:, sample].reshape(values.shape[0], -1)


def _most_moving(grid: NDArray[Any]) -> list[int]:
    moves = np.ptp(grid.astype(np.float64), axis=0)
    return sorted(int(i) for i in np.argsort(-moves, kind="stable")[:_TRACED])


def _listed(neuron: int | tuple[int, ...] | list[Any]) -> list[Any]:
    chosen = neuron if isinstance(neuron, list) else [neuron]
    if not 1 <= len(chosen) <= MOST:
        raise ValueError(f"trace: expected 1 to {MOST} neurons, received {len(chosen)}")
    return chosen


def _place(neuron: Any, shape: tuple[int, ...]) -> int:
    """Give the number of a neuron that is told by its number or its coordinates."""
    try:
        where = (
            tuple(map(index, neuron)) if isinstance(neuron, tuple) else np.unravel_index(index(neuron), shape)
        )
        return int(np.ravel_multi_index(where, shape))
    except (TypeError, ValueError):
        raise ValueError(
            f"trace: expected a neuron of {list(shape)}, by its number or its place, received {neuron!r}"
        ) from None


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
