"""What `convert_ann` found, for each number of time steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from snncore.json_text import json_text


@dataclass(frozen=True)
class AnnStep:
    """How the spiking network does when it takes so many time steps."""

    timesteps: int
    agreement: float  #: share of the calibration samples with the label of the ReLU network, 0..1
    accuracy: float | None  #: share with the right label; None: labels were not given


@dataclass(frozen=True)
class AnnReport:
    """What `snncore.convert_ann` found; ``str(report)`` is a table."""

    timesteps: int  #: of the model
    samples: int
    accuracy: float | None  #: of the ReLU network
    thresholds: Mapping[str, float]  #: by the neuron's name
    steps: tuple[AnnStep, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Write all of it."""
        return json_text(asdict(self))

    def __str__(self) -> str:
        lines = ["   T  agreement  accuracy"]
        for row in self.steps:
            accuracy = "-" if row.accuracy is None else f"{100 * row.accuracy:.2f} %"
            chosen = "  <" if row.timesteps == self.timesteps else ""
            lines.append(f"{row.timesteps:>4}  {100 * row.agreement:>7.2f} %  {accuracy:>8}{chosen}".rstrip())
        if self.accuracy is not None:
            lines.append(f" ReLU{'':13}{100 * self.accuracy:.2f} %".rstrip())
        lines.append(f"{self.samples} samples; the model takes T = {self.timesteps}")
        return "\n".join([*lines, *self.notes])
