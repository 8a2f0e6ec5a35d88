"""Does a model fire the same spikes as what it was made from? Compared step by step, neuron by neuron."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncore.convert.evaluating import evaluating
from snncore.model import Model

if TYPE_CHECKING:
    import torch

#: By how much outputs of a float module may differ, relative to the largest: its sums are rounded.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Difference:
    """Where two runs part: the first step, then the first layer, then the first neuron."""

    step: int
    layer: str  #: name in the model; of an output where all spikes agree
    index: list[int]  #: sample, then C, H, W or feature
    ours: float
    theirs: float


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found."""

    equal: bool  #: every compared spike and every output
    samples: int
    label_agreement: float  #: share of samples whose largest output is the same, 0..1
    first_difference: Difference | None
    max_abs_difference: float  #: of the outputs
    against: str  #: what the model was compared with
    spikes: int  #: how many spikes and silences were compared
    different_spikes: int  #: how many of them differ
    layers: tuple[str, ...]  #: the neuron layers compared

    def to_json(self) -> str:
        """Write the stable part: equal, samples, label_agreement, first_difference, max_abs_difference."""
        keys = ("equal", "samples", "label_agreement", "first_difference", "max_abs_difference")
        facts = {k: v for k, v in asdict(self).items() if k in keys}
        return json.dumps(facts)

    def __str__(self) -> str:
        verdict = "equal" if self.equal else "DIFFERENT"
        samples = f"{self.samples} sample{'s' if self.samples != 1 else ''}"
        lines = [f"{verdict}: {samples} against {self.against}"]
        if self.layers:
            equal = "all equal"
            if self.different_spikes:
                equal = f"{100 * (1 - self.different_spikes / self.spikes):.3f} % equal"
            lines.append(f"spikes compared: {self.spikes:,} in {len(self.layers)} layers, {equal}")
        lines.append(f"labels that agree: {100 * self.label_agreement:.1f} %")
        lines.append(f"largest difference of an output: {self.max_abs_difference:.3g}")
        if self.first_difference is not None:
            d = self.first_difference
            lines.append(
                f"first difference: step {d.step}, layer '{d.layer}', index {list(d.index)}: "
                f"ours {d.ours:g}, theirs {d.theirs:g}"
            )
        return "\n".join(lines)


class _Run(NamedTuple):
    """One side: outputs [N, F] or [T, N, ...], and spikes [T, N, ...] by the layer's name, in order."""

    outputs: dict[str, NDArray[Any]]
    spikes: dict[str, NDArray[np.bool_]]


def verify(
    model: Model,
    module: torch.nn.Module | None,
    x: Any,
    *,
    layout: str | None = None,
    threads: int | None = None,
    batch: int = 64,
) -> VerifyReport:
    """Run `model` and `module` on `x` and compare every spike and every output.

    Parameters
    ----------
    model
        The engine's side.
    module
        `snncore.reference.Network`, or another module that `from_torch` takes: float32, so spikes may
        differ where a membrane comes within rounding of the threshold. None: the integer reference, which
        reads the same file and must agree bit for bit.
    x
        Input, as for `Model.run`. A module gets raw pixels through the zero point and scale of the model.
    layout, threads
        As for `Model.run`.
    batch
        How many samples to compare at a time.

    Raises
    ------
    ValueError
        `module` does not belong to `model`, or `x` does not fit.
    ImportError
        No torch (or, for the integer reference, no safetensors).
    """
    total: VerifyReport | None = None
    for start, part in _parts(model, x, layout, batch):
        if module is None:
            theirs = _integer_twin(model, part, layout)
        else:
            theirs = _module(model, module, part, layout)
        ours = _engine(model, part, layout, threads, list(theirs.spikes))
        report = _compare(ours, theirs, start, exact=module is None)
        total = report if total is None else _joined(total, report)
    if total is None:
        raise ValueError("verify: expected at least one sample, received none")
    against = "the integer reference" if module is None else f"{type(module).__name__} (float32)"
    return replace(total, against=against)


def _document(model: Model) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(model._core.document())
    return document


def _neurons(model: Model) -> dict[str, bool]:
    """Name the neuron layers in order; whether they fire bits, which can be recorded, or counts."""
    graph = _document(model)["graph"]
    spiking = [n for n in graph["nodes"] if n["op"] in ("lif", "if", "cuba_lif", "neuron", "psn")]
    return {n["name"]: graph["edges"][n["outputs"][0]]["dtype"] == "b1" for n in spiking}


def _parts(model: Model, x: Any, layout: str | None, batch: int) -> Iterator[tuple[int, Any]]:
    """Cut `x` along the samples: (first sample, part)."""
    if isinstance(x, (Mapping, tuple)):
        yield 0, x
        return
    array = np.asarray(x.detach() if hasattr(x, "detach") else x.numpy() if hasattr(x, "numpy") else x)
    axes = layout or model.inputs[0].layout
    if "N" not in axes or array.ndim != len(axes):  # where it does not fit, the engine says so best
        yield 0, array
        return
    axis = axes.index("N")
    for start in range(0, array.shape[axis], batch):
        yield start, array.take(range(start, min(start + batch, array.shape[axis])), axis)


def _engine(model: Model, x: Any, layout: str | None, threads: int | None, record: list[str]) -> _Run:
    result = model.run(x, layout=layout, threads=threads, record=record)
    outputs = result.outputs
    if not isinstance(outputs, dict):
        outputs = {model.outputs[0].name: outputs}
    return _Run(dict(outputs), {name: result.spikes[name].numpy() for name in record})


def _integer_twin(model: Model, x: Any, layout: str | None) -> _Run:
    from snncore.reference.run import run

    result = run(model.to_bytes(), x, layout=layout)
    outputs = {name: value.numpy() for name, value in result.outputs.items()}
    return _Run(outputs, {name: value.numpy() for name, value in result.spikes.items()})


def _module(model: Model, module: torch.nn.Module, x: Any, layout: str | None) -> _Run:
    import torch

    from snncore.convert.dialects import dialect_of
    from snncore.convert.frameworks import run_framework
    from snncore.reference import Network

    values, time_first = _for_torch(model, torch.as_tensor(np.asarray(x)), layout or model.inputs[0].layout)
    mode = _readout_mode(model)
    found = dialect_of(module)
    if found is not None:
        output, spikes = run_framework(found, module, values, time_first, model.timesteps)
        return _from_torch_run(model, output, spikes, mode)
    if isinstance(module, torch.nn.Sequential) and values.dim() - time_first == 4:
        module = Network(module, timesteps=model.timesteps, readout="sum" if mode == "sum" else "mean")
    with evaluating(module), torch.no_grad():
        if isinstance(module, Network):
            spikes = module.spikes(values)
            output = module(values)
        else:
            if not time_first:
                values = values.unsqueeze(0).expand(model.timesteps, *values.shape)
            output, spikes = _hooked(module, values)
    return _from_torch_run(model, output, spikes, mode)


def _from_torch_run(
    model: Model,
    output: torch.Tensor,
    spikes: dict[str, torch.Tensor],
    mode: str | None,
) -> _Run:
    port = model.outputs[0]
    if output.dim() == len(port.shape) + 2 and not port.layout.startswith("T"):
        output = output[-1] if mode == "last" else output.sum(0) if mode == "sum" else output.mean(0)
    named = _by_name(_neurons(model), {k: v.numpy() for k, v in spikes.items()})
    return _Run({port.name: output.numpy()}, named)


def _for_torch(model: Model, x: torch.Tensor, axes: str) -> tuple[torch.Tensor, bool]:
    """Values float32 [N, ...] or [T, N, ...] of an array in the layout `axes`; and whether it has T."""
    import torch

    if len(model.inputs) != 1:
        raise ValueError(
            f"verify: expected a model with one input for a torch module, it has {len(model.inputs)}"
        )
    port = model.inputs[0]
    order = [a for a in ("TNCHW" if len(port.shape) == 3 else "TNC") if a in axes]
    x = x.permute([axes.index(a) for a in order])
    if "N" not in axes:
        x = x.unsqueeze(1 if "T" in axes else 0)
    if x.dtype == torch.uint8:
        if not port.zero_point:
            raise ValueError("verify: the model does not say how pixels become values; give float32")
        zero = torch.tensor(port.zero_point, dtype=torch.float32).view(-1, *[1] * (len(port.shape) - 1))
        return (x.float() - zero) * port.scale, "T" in axes
    return x.float(), "T" in axes


def _readout_mode(model: Model) -> str | None:
    document = _document(model)
    edge = document["outputs"][0]["edge"]
    for node in document["graph"]["nodes"]:
        if node["op"] == "readout" and edge in node["outputs"]:
            return str(node["attrs"]["mode"])
    return None


def _hooked(module: torch.nn.Module, values: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Run on [T, N, ...]; a module whose layers see no time axis gets one sample [T, ...] at a time."""
    import torch

    try:
        return _listened(module, values)
    except (RuntimeError, ValueError):
        runs = [_listened(module, values[:, n]) for n in range(values.shape[1])]
    spikes = {name: torch.stack([s[name] for _, s in runs], dim=1) for name in runs[0][1]}
    per_step = runs[0][0].shape[0] == values.shape[0] and runs[0][0].dim() > 1
    return torch.stack([y for y, _ in runs], dim=1 if per_step else 0), spikes


def _listened(module: torch.nn.Module, values: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    from snncore.reference import LIF

    spikes: dict[str, Any] = {}
    with ExitStack() as hooks:
        for name, part in module.named_modules():
            if isinstance(part, LIF):

                def keep(_part: Any, _inputs: Any, output: Any, name: str = name) -> None:
                    spikes[name] = output

                hooks.callback(part.register_forward_hook(keep).remove)
        return module(values), spikes


def _by_name(neurons: dict[str, bool], spikes: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Give the module's layers the names that they have in the model: the same, else in order."""
    if not set(spikes) <= set(neurons):
        if len(spikes) != len(neurons):
            raise ValueError(
                f"verify: the module has {len(spikes)} neuron layers, the model has {len(neurons)}"
            )
        spikes = dict(zip(neurons, spikes.values(), strict=True))
    return {name: spikes[name] for name, bits in neurons.items() if bits and name in spikes}


def _compare(ours: _Run, theirs: _Run, first_sample: int, exact: bool) -> VerifyReport:
    differences: list[tuple[Difference, int]] = []
    compared, different = 0, 0
    for position, (name, expected) in enumerate(theirs.spikes.items()):
        fired = ours.spikes[name]
        _same_shape(name, fired, expected)
        differ = fired != expected
        compared, different = compared + fired.size, different + int(differ.sum())
        differences += _first(fired, expected, differ, name, position, first_sample)
    largest, agreement, samples = 0.0, 1.0, 0
    steps = max((len(s) for s in theirs.spikes.values()), default=1)
    for position, (name, expected) in enumerate(theirs.outputs.items()):
        y = ours.outputs[name]
        _same_shape(name, y, expected)
        if y.ndim == 2:  # a readout, [N, F]: what stands after the last step
            y, expected = (np.broadcast_to(values, (steps, *values.shape)) for values in (y, expected))
        apart = np.abs(y.astype(np.float64) - expected)
        largest = max(largest, float(apart.max(initial=0.0)))
        over = ~(apart <= _allowed(expected, exact))
        if ours.outputs[name].ndim == 2:
            over[:-1] = False
        if position == 0:
            samples = y.shape[1]
            agreement = float(np.mean(y[-1].argmax(-1) == expected[-1].argmax(-1)))
        differences += _first(y, expected, over, name, len(theirs.spikes) + position, first_sample)
    first = min(differences, key=lambda d: (d[0].step, d[1], d[0].index))[0] if differences else None
    names = tuple(theirs.spikes)
    return VerifyReport(first is None, samples, agreement, first, largest, "", compared, different, names)


def _allowed(expected: NDArray[Any], exact: bool) -> float:
    return 0.0 if exact else TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0)))


def _same_shape(name: str, ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    if ours.shape != theirs.shape:
        raise ValueError(
            f"verify: '{name}' is {list(ours.shape)} in the model and {list(theirs.shape)} in the module"
        )


def _first(
    ours: NDArray[Any],
    theirs: NDArray[Any],
    differ: NDArray[np.bool_],
    name: str,
    position: int,
    first_sample: int,
) -> list[tuple[Difference, int]]:
    """Find the first place [T, N, ...] where `differ` holds, if any; with the layer's position."""
    if not differ.any():
        return []
    step, sample, *rest = (int(i) for i in np.unravel_index(int(differ.argmax()), differ.shape))
    here = (step, sample, *rest)
    index = [sample + first_sample, *rest]
    return [(Difference(step, name, index, float(ours[here]), float(theirs[here])), position)]


def _joined(a: VerifyReport, b: VerifyReport) -> VerifyReport:
    firsts = [d for d in (a.first_difference, b.first_difference) if d is not None]
    order = {name: i for i, name in enumerate(a.layers)}
    first = min(firsts, key=lambda d: (d.step, order.get(d.layer, len(order)), d.index)) if firsts else None
    samples = a.samples + b.samples
    agreement = (a.label_agreement * a.samples + b.label_agreement * b.samples) / samples
    largest = max(a.max_abs_difference, b.max_abs_difference)
    return replace(
        a,
        equal=first is None,
        samples=samples,
        label_agreement=agreement,
        first_difference=first,
        max_abs_difference=largest,
        spikes=a.spikes + b.spikes,
        different_spikes=a.different_spikes + b.different_spikes,
    )
