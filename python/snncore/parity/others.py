"""What a model can be compared with: the reference, a torch module, a NIR graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from .report import Difference, Margin
from .sides import Side, Subject, equations_side, integer_twin, module_side, over_steps, values_of


class Other(Protocol):
    """The other side."""

    name: str

    def side(self, part: Any, layout: str | None, axes: str) -> Side:
        """Run it on samples as `Model.run` takes them."""

    def margin(
        self, part: Any, local: int, spikes: Mapping[str, NDArray[Any]], first: Difference, axes: str
    ) -> tuple[Margin | None, str]:
        """Say how far from its threshold the first different neuron was, of one sample; else why not."""


class Reference:
    """The file, run by the definitions: every bit must agree."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        kind = "integer" if any(map(subject.is_integer, subject.nodes)) else "float32"
        self.name = f"the {kind} reference"

    def side(self, part: Any, layout: str | None, axes: str) -> Side:
        """Run `snncore.reference.run`."""
        return integer_twin(self.subject, part, layout)

    def margin(
        self, part: Any, local: int, spikes: Mapping[str, NDArray[Any]], first: Difference, axes: str
    ) -> tuple[Margin | None, str]:
        """No difference is allowed."""
        return None, "the reference must agree bit for bit"


class Module:
    """A torch module, run by its own code."""

    def __init__(self, subject: Subject, module: Any) -> None:
        self.subject, self.module = subject, module
        self.name = f"{type(module).__name__} (float32)"

    def side(self, part: Any, layout: str | None, axes: str) -> Side:
        """Run the module."""
        return module_side(self.subject, self.module, *values_of(self.subject.model, part, axes))

    def margin(
        self, part: Any, local: int, spikes: Mapping[str, NDArray[Any]], first: Difference, axes: str
    ) -> tuple[Margin | None, str]:
        """Evaluate the module's own parameters."""
        import torch

        from .bound import Unknown, margin_of, trace_of_module

        steps = self.subject.model.timesteps
        values, time_first = values_of(self.subject.model, part, axes)
        one = values[:, local : local + 1] if time_first else values[local : local + 1]
        frames = torch.from_numpy(over_steps(one, time_first, steps).copy())
        try:
            found = trace_of_module(self.module, torch.from_numpy(one), time_first, steps)
            return margin_of(found, frames, spikes, first), ""
        except Unknown as why:
            return None, str(why)


#: By how much the converter moves a neuron's parameters: it rounds, and takes what is nearly 1 as 1.
_SLACK = 2.0**-21


class NirGraph:
    """A NIR graph, evaluated in float64."""

    def __init__(self, subject: Subject, source: Any) -> None:
        from snncore.convert.nir.equations import Equations

        self.subject, self.equations = subject, Equations.of_model(subject.model, source)
        self.name = "the NIR graph (float64)"

    def side(self, part: Any, layout: str | None, axes: str) -> Side:
        """Evaluate the equations."""
        steps = self.subject.model.timesteps
        return equations_side(
            self.subject, self.equations, over_steps(*values_of(self.subject.model, part, axes), steps)
        )

    def margin(
        self, part: Any, local: int, spikes: Mapping[str, NDArray[Any]], first: Difference, axes: str
    ) -> tuple[Margin | None, str]:
        """Evaluate the file's parameters, which are the graph's but for rounding."""
        try:
            import torch

            from .bound import Unknown, margin_of
            from .files import trace_of_file
        except ModuleNotFoundError as missing:
            return None, f"this needs the package '{missing.name}': pip install 'snncore[torch]'"
        values, time_first = values_of(self.subject.model, part, axes)
        frames = over_steps(values, time_first, self.subject.model.timesteps)[:, local : local + 1]
        try:
            found = trace_of_file(self.subject)
            return margin_of(found, torch.from_numpy(frames.copy()), spikes, first, _SLACK), ""
        except Unknown as why:
            return None, str(why)
