"""How the modules of each framework are read: one file a framework, loaded when a module of it turns up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from snncore import _core
from snncore.neuron import Neuron
from snncore.reference import Composite

FRAMEWORKS = ("spikingjelly", "snntorch", "sinabs", "norse")

#: How a network takes time: "each" step in a call of its own, "all" steps in one call, time first.
Stepping = Literal["each", "all"]


class Times(nn.Module):
    """A layer that multiplies each element by a factor of its own, or all by one."""

    def __init__(self, factor: Tensor) -> None:
        super().__init__()
        self.factor = factor.detach()

    def forward(self, x: Tensor) -> Tensor:
        """Multiply."""
        return x * self.factor


def linear(weight: Tensor, bias: Tensor | None = None) -> nn.Linear:
    """Make a linear layer of its weights."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias is not None)
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone())
    return layer


@dataclass(frozen=True)
class Loop:
    """A neuron whose output comes back one step later: ``neuron(body(ahead(x) + back(what it gave)))``.

    Sums are taken as written, x first. Frameworks may add in another order: the same bits where the sums are
    exact in float32, else they may differ in the last one.
    """

    neuron: Neuron
    back: tuple[nn.Module, ...] = ()  #: layers; none: it comes back as it is
    ahead: tuple[nn.Module, ...] = ()
    body: tuple[nn.Module, ...] = ()
    late: Literal["spikes", "currents"] = "spikes"  #: currents: in the first step not even a bias comes back
    inner: str = ""  #: the neuron's path in the module, where it is a part of it


@dataclass(frozen=True)
class Psn:
    """Parallel spiking neurons: the weights of `GraphBuilder.psn`."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Dialect:
    """What one framework adds to `torch.nn`. Types are exact: a subclass may compute something else."""

    name: str
    neurons: Mapping[type[nn.Module], Callable[[Any], Neuron | Psn]]
    stateful: tuple[type[nn.Module], ...]  #: what all neurons derive from: known, or named in an error
    reset: Callable[[nn.Module], None]  #: clear the state of every neuron
    stepping: Callable[[nn.Module], Stepping | None]  #: None: the module does not say
    #: Methods of `GraphBuilder`, "drop", or "pointwise": a one-dimensional convolution of kernel 1.
    layers: Mapping[type[nn.Module], str] = field(default_factory=dict)
    loops: Mapping[type[nn.Module], Callable[[Any], Loop]] = field(default_factory=dict)  #: recurrent neurons
    #: Modules that a neuron and its feedback lie in.
    containers: Mapping[type[nn.Module], Callable[[Any], Loop]] = field(default_factory=dict)
    #: Modules that are read as layers of `snncore.reference`, around the module's own neurons.
    composites: Mapping[type[nn.Module], Callable[[Any], Composite]] = field(default_factory=dict)
    prepare: Callable[[nn.Module], nn.Module] = lambda module: module  #: what torch.fx can trace
    #: An example as [N, ...] or [T, N, ...] of images or vectors.
    example: Callable[[nn.Module, Tensor], Tensor] = lambda module, x: x
    #: Between [T, N, ...] and the axes that the network has.
    to_module: Callable[[nn.Module, Tensor], Tensor] = lambda module, x: x
    from_module: Callable[[nn.Module, Tensor, int], Tensor] = lambda module, y, steps: y
    #: A neuron's membranes in the call just made, of the neuron and what the call returned: [N, ...], or time
    #: first where the call took all steps; None: not exposed. `watching` makes neurons keep them meanwhile.
    membrane: Callable[[Any, Any], Tensor | None] = lambda neuron, output: None
    watching: Callable[[nn.Module], AbstractContextManager[None]] = lambda module: nullcontext()
    caller: str = ""  #: the function that errors speak of; default: from_ and the name

    def __post_init__(self) -> None:
        object.__setattr__(self, "caller", self.caller or f"from_{self.name}")

    @property
    def leaves(self) -> tuple[type[nn.Module], ...]:
        """The types that are not looked into."""
        known = (self.neurons, self.loops, self.containers, self.layers, self.composites)
        return (*self.stateful, *chain(*known))

    def is_neuron(self, module: nn.Module) -> bool:
        """Whether a module is one of this framework's neurons."""
        return type(module) in self.neurons or type(module) in self.loops

    def keeps_state(self, module: nn.Module) -> bool:
        """Say whether a module is a neuron, or has one inside that it hands on from step to step."""
        return self.is_neuron(module) or isinstance(module, self.stateful)

    def loop(self, module: nn.Module) -> Loop | None:
        """Say what comes back in a module; None: nothing. ValueError: what has no counterpart."""
        made = self.loops.get(type(module)) or self.containers.get(type(module))
        return made(module) if made else None


@contextmanager
def switched_on(neurons: list[Any], flag: str, kept: str) -> Iterator[None]:
    """Set a flag of neurons for a while; afterwards flag and what it makes them keep are as before."""
    before = [(neuron, getattr(neuron, flag), getattr(neuron, kept, None)) for neuron in neurons]
    try:
        for neuron in neurons:
            setattr(neuron, flag, True)
        yield
    finally:
        for neuron, was, held in before:
            setattr(neuron, flag, was)
            setattr(neuron, kept, held)


def dialect(name: str) -> Dialect:
    """Load the dialect of a framework; snncore.Error where the framework is not installed."""
    try:
        found: Dialect = import_module(f"{__name__}.{name}").DIALECT
    except ImportError as why:
        raise _core.Error(f"from_{name}: {name} is not installed ({why})") from why
    return found


def dialect_of(module: nn.Module) -> Dialect | None:
    """Find whose neurons a network has: the first framework that a part of it belongs to, if any."""
    packages = {type(part).__module__.partition(".")[0] for part in module.modules()}
    return next((dialect(name) for name in FRAMEWORKS if name in packages), None)
