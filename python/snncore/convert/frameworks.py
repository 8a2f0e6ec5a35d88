"""From SpikingJelly, snnTorch, sinabs and Norse to a model: their own neurons, bit for bit. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from snncore.model import Model

from .dialects import Dialect, Stepping, dialect
from .evaluating import evaluating
from .progress import tracked
from .torch import Emitter, image_of, provenance_of
from .trace import Trace, trace

Readout = Literal["mean", "sum", "last"]


def from_spikingjelly(module: nn.Module, example: Tensor, **options: Any) -> Model:
    """Convert a SpikingJelly network: `IFNode`, `LIFNode`, `ParametricLIFNode`, step mode "s" or "m".

    `LinearRecurrentContainer`, and `ElementWiseRecurrentContainer` with an addition, around layers that end
    in such a neuron. `SpikingSelfAttention`, `QKAttention` of tokens or channels, `SpikeDrivenSelfAttention`,
    alone, in networks of your own, and in `Spikformer`, `QKFormer` and `SpikeDrivenTransformer`.

    Float32 weights, batch norm folded; every neuron evaluates the expression that SpikingJelly 2.0 (backend
    torch) does, so that equal currents give equal spikes.

    Parameters
    ----------
    module
        The network. It is put into evaluation mode meanwhile, and its state is reset.
    example
        What the network takes, or a sequence of it: [N, C, H, W] or [N, F], or time first, [T, N, ...]. Only
        shape and dtype matter; bool: the network takes spikes. For an attention alone, tokens [T, N, C, L]:
        the model then takes images [C, 1, L].
    options
        As for `convert_framework`.

    Raises
    ------
    snncore.Error
        Modules that have no counterpart, all in one message; SpikingJelly is not installed.
    ValueError
        An example or option that does not fit.
    """
    return convert_framework(dialect("spikingjelly"), module, example, **options)


def from_snntorch(module: nn.Module, example: Tensor, **options: Any) -> Model:
    """Convert an snnTorch network: `Leaky`, `Synaptic`, `Lapicque`, `RLeaky` and `RSynaptic`.

    What comes back in the last two passes a linear layer, a conv2d, or factors one to one.

    A `torch.nn.Sequential` of layers and neurons with ``init_hidden=True``; a module whose forward takes one
    step; or one whose forward loops over the steps, each like the first, and stacks the spikes. Otherwise as
    `from_spikingjelly`.
    """
    return convert_framework(dialect("snntorch"), module, example, **options)


def from_sinabs(module: nn.Module, example: Tensor, **options: Any) -> Model:
    """Convert a sinabs network: `LIF`, `IAF`, `ExpLeak`, their Squeeze forms, `LIFRecurrent`, `IAFRecurrent`.

    `example` is time first all the same. A `rec_connect` is a layer, or a Sequential of layers.

    Neurons that fire without limit in a step fire at most 1,023 times here, so that no pool can overflow.
    Otherwise as `from_spikingjelly`.
    """
    return convert_framework(dialect("sinabs"), module, example, **options)


def from_norse(module: nn.Module, example: Tensor, **options: Any) -> Model:
    """Convert a Norse `SequentialState` of layers and `LIFCell`, `LIFBoxCell`, `IAFCell`, `LIFRecurrentCell`.

    Or of layers and modules that take all steps in one call: `LIF`, `LIFRecurrent`.

    Otherwise as `from_spikingjelly`.
    """
    return convert_framework(dialect("norse"), module, example, **options)


def convert_framework(
    found: Dialect,
    module: nn.Module,
    example: Tensor,
    *,
    timesteps: int | None = None,
    readout: Readout | None = "mean",
    labels: Sequence[str] | None = None,
    preprocess: Mapping[str, Any] | None = None,
    name: str | None = None,
    progress: bool | None = None,
) -> Model:
    """Convert a network of one framework's neurons.

    What comes back in a recurrent neuron is added to its current: ``current + back``, then the neuron's
    expression. snnTorch and Norse add it to the decayed state last, SpikingJelly inside one product: the same
    bits where sums are exact in float32, else perhaps another last bit.

    Parameters
    ----------
    timesteps
        Steps of a run. Default: the first axis of a time-first example, or as many as a forward takes that
        loops over one frame.
    readout
        Where the network itself does not end in a mean or sum over time: how its outputs, if they are
        vectors, become one. None: an output for each step.
    labels, preprocess, name
        As for `from_torch`.
    progress
        Show a progress bar. Default: on a terminal.
    """
    example = torch.as_tensor(example)
    if not isinstance(module, nn.Module) or example.dim() not in (2, 3, 4, 5):
        raise ValueError(
            f"{found.caller}: expected a torch module and an example [N, C, H, W], [T, N, C, H, W], [N, "
            f"F] or [T, N, F], received {type(module).__name__} and shape {list(example.shape)}"
        )
    example = found.example(module, example)
    time_first = example.dim() in (3, 5)
    told = timesteps or (len(example) if time_first else None)
    prepared = found.prepare(module)
    with evaluating(prepared), torch.no_grad():
        calls = traced(found, prepared, example, told or 1)
        found.reset(prepared)
        steps = told or calls.steps
        if steps is None:
            raise ValueError(f"{found.caller}: timesteps is not given, and the example has no time axis")
        if calls.steps is not None and steps != calls.steps:
            raise ValueError(
                f"{found.caller}: the module loops over {calls.steps} steps by itself, timesteps is {steps}"
            )
        emitter = Emitter(calls, preprocess or {}, "i16", "W")
        emitter.input(example)
        for call in tracked(calls.calls, "converting", progress):
            emitter.emit(call)
        vector = len(emitter.builder.shape(emitter.edges[calls.result])) == 1
        reduced = bool(calls.calls) and any(call.kind == "readout" for call in calls.calls)
        emitter.output(readout if vector and not reduced else None)
    return emitter.builder.build(
        steps,
        labels=list(labels) if labels else None,
        preprocess=image_of(preprocess, example),
        provenance=provenance_of(module, name) | {"framework": found.name},
    )


def stepping_of(found: Dialect, module: nn.Module, sequence: Tensor) -> Stepping:
    """Say whether a network takes each step of [T, N, ...] in a call of its own, or all in one.

    Where the module does not say, it is run on the first step: a forward that calls some neuron several times
    loops over the steps.
    """
    said = found.stepping(module)
    if said is not None:
        return said
    calls = {name: 0 for name, part in module.named_modules() if found.is_neuron(part)}
    hooks = [
        part.register_forward_hook(lambda *_, name=name: calls.__setitem__(name, calls[name] + 1))
        for name, part in module.named_modules()
        if name in calls
    ]
    try:
        found.reset(module)
        module(sequence[0])
        return "each" if max(calls.values(), default=1) <= 1 else "all"
    except (RuntimeError, ValueError, IndexError):
        return "all"
    finally:
        for hook in hooks:
            hook.remove()
        found.reset(module)


def traced(found: Dialect, module: nn.Module, example: Tensor, steps: int) -> Trace:
    """Trace a network that `found.prepare` gave, in evaluation mode, on frames or a sequence."""
    sequence = example if example.dim() in (3, 5) else example.expand(steps, *example.shape)
    sequence = sequence.float()
    each = stepping_of(found, module, sequence) == "each"
    takes_frames = each or (found.stepping(module) is None and example.dim() not in (3, 5))
    found.reset(module)
    return trace(module, sequence[0] if takes_frames else found.to_module(module, sequence), found)


class FrameworkRun(NamedTuple):
    """What a network did: outputs [T, N, ...] or what it makes of all steps.

    By a neuron's name in the module: what it fired and, where the framework exposes them, its membranes after
    reset, [T, N, ...].
    """

    output: Tensor
    spikes: dict[str, Tensor]
    membranes: dict[str, Tensor]


def run_framework(found: Dialect, module: nn.Module, x: Tensor, time_first: bool, steps: int) -> FrameworkRun:
    """Run a framework's network by its own code on [T, N, ...], or on frames [N, ...] shown `steps` times."""
    sequence = x if time_first else x.expand(steps, *x.shape)
    steps = len(sequence)
    prepared = found.prepare(module)
    fired: dict[str, list[Tensor]] = {}
    charged: dict[str, list[Tensor | None]] = {}
    with evaluating(prepared), torch.no_grad(), ExitStack() as hooks:
        each = stepping_of(found, prepared, sequence) == "each"
        hooks.enter_context(found.watching(prepared))
        for name, part in prepared.named_modules():
            if found.is_neuron(part):
                fired[name], charged[name] = [], []
                hook = _keep(found, fired[name], charged[name])
                hooks.callback(part.register_forward_hook(hook).remove)
        found.reset(prepared)
        if each:
            output = torch.stack([_first(prepared(now)) for now in sequence])
        else:
            frames = not time_first and found.stepping(prepared) is None
            output = _first(prepared(x if frames else found.to_module(prepared, sequence)))
            output = found.from_module(prepared, output, steps)
        found.reset(prepared)
    spikes = {
        name: torch.stack(values)
        if len(values) > 1 or each
        else found.from_module(prepared, values[0], steps)
        for name, values in fired.items()
    }
    return FrameworkRun(output, spikes, _over_time(charged, spikes))


def _over_time(charged: dict[str, list[Tensor | None]], spikes: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put the membranes of single calls behind each other; only those of the spikes' shape are known."""
    found = {name: [v for v in values if v is not None] for name, values in charged.items()}
    joined = {name: torch.stack(v) if len(v) > 1 else v[0] for name, v in found.items() if v}
    shaped = {name: v.unsqueeze(0) if v.dim() < spikes[name].dim() else v for name, v in joined.items()}
    return {name: v for name, v in shaped.items() if v.shape == spikes[name].shape}


def _keep(
    found: Dialect, fired: list[Tensor], charged: list[Tensor | None]
) -> Callable[[nn.Module, Any, Any], None]:
    def hook(neuron: nn.Module, _inputs: Any, output: Any) -> None:
        fired.append(_first(output).detach().clone())
        v = found.membrane(neuron, output)
        charged.append(None if v is None else v.detach().clone())

    return hook


def _first(output: Any) -> Tensor:
    """Give the spikes, of spikes and states."""
    while isinstance(output, (tuple, list)):
        output = output[0]
    spikes: Tensor = output
    return spikes
