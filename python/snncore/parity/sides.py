"""The two sides of a comparison: the engine, and the module or the reference that it is compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncore.convert.evaluating import evaluating
from snncore.model import Model

if TYPE_CHECKING:
    import torch

    from snncore.convert.nir.equations import Equations


class Side(NamedTuple):
    """Outputs [N, F] or [T, N, ...]; by neuron layer, spikes and membranes after reset [T, N, ...]."""

    outputs: dict[str, NDArray[Any]]
    spikes: dict[str, NDArray[np.bool_]]
    membranes: dict[str, NDArray[Any]]


class Subject:
    """A model, and what its file says about its neurons."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.document: dict[str, Any] = json.loads(model._core.document())

    @cached_property
    def nodes(self) -> dict[str, dict[str, Any]]:
        """The neuron layers by name, in order."""
        nodes = self.document["graph"]["nodes"]
        return {
            n["name"]: n for n in nodes if n["op"] in ("lif", "if", "cuba_lif", "neuron", "psn", "saccade")
        }

    @cached_property
    def fires_bits(self) -> dict[str, bool]:
        """By neuron layer: whether it fires bits, which can be recorded; counts and membranes cannot."""
        edges = self.document["graph"]["edges"]
        return {name: edges[n["outputs"][0]]["dtype"] == "b1" for name, n in self.nodes.items()}

    def size(self, name: str) -> int:
        """Count the neurons of a layer."""
        edge = self.document["graph"]["edges"][self.nodes[name]["outputs"][0]]
        return int(np.prod(edge["shape"], dtype=np.int64))

    @cached_property
    def maps(self) -> dict[str, str]:
        """The variant of attention maps, by the neuron layer that fires them: modules have heads first."""
        nodes = self.document["graph"]["nodes"]
        writer = {edge: n for n in nodes for edge in n["outputs"]}
        scores = {n["outputs"][0]: n["attrs"]["variant"] for n in nodes if n["op"] == "map_scores"}
        sums = {name: writer.get(n["inputs"][0], n)["inputs"][0] for name, n in self.nodes.items()}
        return {name: scores[edge] for name, edge in sums.items() if edge in scores}

    def shaped(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        """Give what a module calls tokens or heads, [T, N, ...], the axes of the layer, where these fit."""
        variant = self.maps.get(name)
        if variant is not None:
            return np.moveaxis(values, -1 if variant == "qk" else -2, 2)
        *pixels, channels = self.document["graph"]["edges"][self.nodes[name]["outputs"][0]]["shape"]
        shape = (*values.shape[:2], channels, *pixels)
        return values.reshape(shape) if values.size == np.prod(shape) else values

    @cached_property
    def readout(self) -> str | None:
        """How the first output becomes one of all steps."""
        edge = self.document["outputs"][0]["edge"]
        nodes = self.document["graph"]["nodes"]
        found = [n for n in nodes if n["op"] == "readout" and edge in n["outputs"]]
        return str(found[0]["attrs"]["mode"]) if found else None

    @cached_property
    def units(self) -> dict[str, NDArray[np.float64]]:
        """By layer of integer membranes: what 1 is in the unit of the float neuron it was made from, [C].

        Layers are left out where membranes are no multiple of it: profile X, a leak when stored, a threshold
        that is not positive.
        """
        integer = {
            name: n["attrs"]
            for name, n in self.nodes.items()
            if n["attrs"].get("arith") == "int" and not n["attrs"]["leak_at_store"]
        }
        if not integer:
            return {}
        from snncore.reference.run import read

        tensors = read(self.model.to_bytes()).tensors
        thresholds = {name: tensors[self.nodes[name]["tensors"]["theta"]].numpy() for name in integer}
        return {
            name: integer[name]["threshold"] / theta.astype(np.float64)
            for name, theta in thresholds.items()
            if integer[name]["profile"] != "X" and (theta > 0).all()
        }

    def is_integer(self, name: str) -> bool:
        """Whether a layer's membranes are integers."""
        node = self.nodes[name]
        return bool(node["op"] == "cuba_lif" or node["attrs"].get("arith") == "int")


def engine(
    subject: Subject,
    x: Any,
    layout: str | None,
    threads: int | None,
    spikes: Iterable[str],
    states: Iterable[str],
) -> Side:
    """Run the model: outputs are those of a run that records nothing, which computes in other places."""
    model = subject.model
    record = [*spikes, *(f"{name}.v" for name in states)]
    outputs = model.run(x, layout=layout, threads=threads)
    if not isinstance(outputs, dict):
        outputs = {model.outputs[0].name: outputs}
    result = model.run(x, layout=layout, threads=threads, record=record)
    fired = {name: bits.numpy() for name, bits in result.spikes.items()}
    return Side(dict(outputs), fired, {name.removesuffix(".v"): v for name, v in result.states.items()})


def integer_twin(subject: Subject, x: Any, layout: str | None) -> Side:
    """Run the file by the definitions, `snncore.reference.run`."""
    from snncore.reference.run import run

    result = run(subject.model.to_bytes(), x, layout=layout)
    kinds = (result.outputs, result.spikes, result.membranes)
    return Side(*({name: value.numpy() for name, value in kind.items()} for kind in kinds))


def module_side(
    subject: Subject, module: torch.nn.Module, given: NDArray[np.float32], time_first: bool
) -> Side:
    """Run a module by its own code, on float32 [N, ...] or [T, N, ...]."""
    import torch

    from snncore.convert.dialects import dialect_of
    from snncore.convert.frameworks import run_framework
    from snncore.reference import Network

    steps, values = subject.model.timesteps, torch.from_numpy(given)
    found = dialect_of(module)
    if found is not None:
        return _named(subject, *run_framework(found, module, values, time_first, steps))
    if isinstance(module, torch.nn.Sequential) and values.dim() - time_first == 4:
        module = Network(module, timesteps=steps, readout="sum" if subject.readout == "sum" else "mean")
    with evaluating(module), torch.no_grad():
        if isinstance(module, Network):
            if not time_first and module.timesteps != steps:
                values = values.expand(steps, *values.shape)
            return _named(subject, *_listened(module, values))
        if not time_first:
            values = values.unsqueeze(0).expand(steps, *values.shape)
        return _named(subject, *_hooked(module, values))


def values_of(model: Model, x: Any, axes: str) -> tuple[NDArray[np.float32], bool]:
    """Values float32 [N, ...] or [T, N, ...] of an array in the layout `axes`; and whether it has T."""
    if len(model.inputs) != 1:
        raise ValueError(
            f"verify: expected a model with one input for a torch module, it has {len(model.inputs)}"
        )
    port = model.inputs[0]
    order = [a for a in ("TNCHW" if len(port.shape) == 3 else "TNC") if a in axes]
    values = np.asarray(x).transpose([axes.index(a) for a in order])
    if "N" not in axes:
        values = np.expand_dims(values, 1 if "T" in axes else 0)
    single = np.ascontiguousarray(values, dtype=np.float32)
    if values.dtype == np.uint8:
        if not port.zero_point:
            raise ValueError("verify: the model does not say how pixels become values; give float32")
        zero = np.array(port.zero_point, np.float32).reshape(-1, *[1] * (len(port.shape) - 1))
        single = (single - zero) * np.float32(port.scale)
    return single, "T" in axes


def over_steps(values: NDArray[np.float32], time_first: bool, steps: int) -> NDArray[np.float32]:
    """Give [T, N, ...]: frames stand for every step."""
    return values if time_first else np.broadcast_to(values, (steps, *values.shape))


def equations_side(subject: Subject, equations: Equations, frames: NDArray[np.float32]) -> Side:
    """Evaluate a NIR graph on [T, N, ...], in the shapes of the model."""
    found = equations.run(frames)
    edges = subject.document["graph"]["edges"]
    names = {port.name for port in subject.model.outputs}
    if not names <= set(found.outputs) or not set(found.membranes) <= set(subject.nodes):
        raise ValueError("verify: the NIR graph has other nodes than the one that the model was made from")

    def shaped(name: str, values: NDArray[Any]) -> NDArray[Any]:
        shape = edges[subject.nodes[name]["outputs"][0]]["shape"]
        return values.reshape(*values.shape[:2], *shape[-1:], *shape[:-1])

    outputs = {}
    for port in subject.model.outputs:
        y = found.outputs[port.name]
        mode = subject.readout
        if not port.layout.startswith("T"):
            y = y[-1] if mode == "last" else y.sum(axis=0) if mode == "sum" else y.mean(axis=0)
        outputs[port.name] = y.reshape(*y.shape[: 2 if port.layout.startswith("T") else 1], *port.shape)
    bits = [name for name, one in subject.fires_bits.items() if one and name in found.spikes]
    return Side(
        outputs,
        {name: shaped(name, found.spikes[name]) != 0 for name in bits},
        {name: shaped(name, found.membranes[name]) for name in subject.nodes if name in found.membranes},
    )


Recorded = tuple["torch.Tensor", dict[str, "torch.Tensor"], dict[str, "torch.Tensor"]]


def _hooked(module: torch.nn.Module, values: torch.Tensor) -> Recorded:
    """Run on [T, N, ...]; a module whose layers see no time axis gets one sample [T, ...] at a time."""
    import torch

    try:
        return _listened(module, values)
    except (RuntimeError, ValueError):
        runs = [_listened(module, values[:, n]) for n in range(values.shape[1])]
    outputs, *kinds = zip(*runs, strict=True)
    per_step = outputs[0].shape[0] == values.shape[0] and outputs[0].dim() > 1
    spikes, membranes = (
        {name: torch.stack([each[name] for each in kind], dim=1) for name in kind[0]} for kind in kinds
    )
    return torch.stack(outputs, dim=1 if per_step else 0), spikes, membranes


def _listened(module: torch.nn.Module, values: torch.Tensor) -> Recorded:
    """Run a module, and listen to its neurons; membranes are those of a `LIF`'s own `step`."""
    from snncore.reference import LIF
    from snncore.reference.network import NEURONS

    spikes: dict[str, Any] = {}
    membranes: dict[str, Any] = {}
    with ExitStack() as hooks:
        for name, part in module.named_modules():
            if isinstance(part, NEURONS):

                def keep(part: Any, inputs: Any, output: Any, name: str = name) -> None:
                    spikes[name] = output
                    if isinstance(part, LIF):
                        membranes[name] = _membranes(part, inputs[0])

                hooks.callback(part.register_forward_hook(keep).remove)
        return module(values), spikes, membranes


def _membranes(neuron: Any, currents: torch.Tensor) -> torch.Tensor:
    import torch

    v, kept = None, []
    for current in currents:
        _, v = neuron.step(current, v)
        kept.append(v)
    return torch.stack(kept)


def _named(
    subject: Subject,
    output: torch.Tensor,
    spikes: Mapping[str, torch.Tensor],
    membranes: Mapping[str, torch.Tensor],
) -> Side:
    """Give a module's layers the names and shapes that they have in the model: the same, else in order."""
    names = list(subject.nodes)
    spikes, membranes = (_parts_of_layers(kind, names) for kind in (spikes, membranes))
    given = list(spikes)
    if not set(given) <= set(names):
        if len(given) != len(names):
            raise ValueError(f"verify: the module has {len(given)} neuron layers, the model has {len(names)}")
        given = names
    ours = dict(zip(spikes, given, strict=True))
    fired = {ours[name]: subject.shaped(ours[name], value.numpy()) for name, value in spikes.items()}
    charged = {ours[name]: subject.shaped(ours[name], value.numpy()) for name, value in membranes.items()}
    port, mode = subject.model.outputs[0], subject.readout
    if output.dim() == len(port.shape) + 2 and not port.layout.startswith("T"):
        output = output[-1] if mode == "last" else output.sum(0) if mode == "sum" else output.mean(0)
    outputs = output.numpy()
    lead = 2 if port.layout.startswith("T") else 1
    images = outputs.shape[:lead] + port.shape  # of tokens, too
    return Side(
        {port.name: outputs.reshape(images) if outputs.size == np.prod(images) else outputs},
        {name: fired[name] for name in names if name in fired and subject.fires_bits[name]},
        {name: charged[name] for name in names if name in charged},
    )


def _parts_of_layers(values: Mapping[str, torch.Tensor], names: list[str]) -> dict[str, torch.Tensor]:
    """Cut [T, N, C, ...] of a layer that the model has as several along its channels.

    ``block.lif`` may be ``block.q.lif``, ``block.k.lif`` and so on, in that order.
    """
    found: dict[str, torch.Tensor] = {}
    for name, value in values.items():
        parts = [] if name in names else [n for n in names if _without_row(n) == name]
        found |= dict(zip(parts, value.chunk(len(parts), 2), strict=True)) if parts else {name: value}
    return found


def _without_row(name: str) -> str:
    path, _, last = name.rpartition(".")
    return ".".join(filter(None, (path.rpartition(".")[0], last)))
