"""Widths and units of membranes, chosen on calibration data, one neuron after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from snncore import _core
from snncore.builder import Profile, State
from snncore.model import Model

from .calibration import Calibration
from .graph import Graph
from .options import STATES

#: What a narrower state may lose: the share of calibration samples whose label changes.
_LOSS: Final = 0.005

States = dict[str, State]
Profiles = dict[str, Profile]


@dataclass(frozen=True)
class Choice:
    """The float model and its data, and how to build the integer one from states and profiles by neuron."""

    model: Model
    data: Calibration
    threads: int | None
    build: Callable[[Mapping[str, State], Mapping[str, Profile]], Model]

    def profiles(self, states: States, profiles: Profiles) -> list[str]:
        """Let each neuron count in the unit that keeps more of its spikes, W where equal; says why."""
        kept = self._same_spikes(self.build(states, profiles), list(profiles))
        notes = []
        for name in profiles:
            made = self.build(states, {**profiles, name: "U"})
            if _profile(made, name) != "U":
                notes.append(f"'{name}' counts in unit W: its constants do not fit unit U")
                continue
            found = self._same_spikes(made, list(profiles))
            unit: Profile = "U" if found[name] > kept[name] else "W"
            notes.append(
                f"'{name}' counts in unit {unit}: {100 * kept[name]:.3f} % of its spikes are the float "
                f"model's in W, {100 * found[name]:.3f} % in U"
            )
            if unit == "U":
                profiles[name], kept = unit, found
        return notes

    def states(self, states: States, profiles: Profiles) -> list[str]:
        """Give each neuron the narrowest state that keeps the labels; says which cannot hold a neuron."""
        labels = self.data.labels(self.model, self.threads)
        if labels is None:
            raise ValueError(
                "quantize: state 'auto' needs a model whose first output is a value for each class"
            )

        def agreement() -> float:
            found = self.data.labels(self.build(states, profiles), self.threads)
            return float(np.mean(found == labels))

        floor = agreement() - _LOSS
        notes = []
        for name in states:
            wide = states[name]
            for narrow in (s for s in get_args(State) if s in STATES and STATES[s] < STATES[wide]):
                states[name] = narrow
                try:
                    if agreement() >= floor:
                        break
                except (ValueError, _core.Error) as why:  # this state cannot hold this neuron
                    notes.append(f"'{name}' with state {narrow}: {why}")
            else:
                states[name] = wide
        return notes

    def _same_spikes(self, made: Model, neurons: list[str]) -> dict[str, float]:
        """Give for each neuron the share of spikes that are the float model's."""
        return self.data.compare(self.model, made, neurons, self.threads).same_spikes


def _profile(model: Model, neuron: str) -> str:
    node = next(n for n in Graph(model).nodes if n["name"] == neuron)
    return str(node["attrs"]["profile"])
