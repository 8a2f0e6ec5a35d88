"""From a plain ReLU network to a spiking one: thresholds balanced on data. Needs torch.

An integrate-and-fire neuron with reset by subtraction that is given a current x for T steps fires about T * x
/ threshold times: its rate is a ReLU, cut off at the threshold and rounded down to multiples of 1 / T. With
the threshold at (nearly) the largest activation, as in Diehl et al., "Fast-Classifying, High-Accuracy Spiking
Deep Networks Through Weight and Threshold Balancing", IJCNN 2015, little is cut off; a percentile keeps a few
outliers from making every other neuron slow: Rueckauer et al., "Conversion of Continuous-Valued Deep Networks
to Efficient Event-Driven Networks for Image Classification", Frontiers in Neuroscience 2017. A membrane that
starts at half the threshold rounds to the nearest multiple instead: Bu et al., "Optimized Potential
Initialization for Low-latency Spiking Neural Networks", AAAI 2022.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snncore.convert.dialects import Dialect
from snncore.convert.evaluating import evaluating
from snncore.convert.frameworks import convert_framework
from snncore.convert.trace import Call, Trace, trace
from snncore.model import Model
from snncore.neuron import Neuron

from .ann_report import AnnReport, AnnStep

RECTIFIERS: Final = (nn.ReLU, nn.ReLU6)
_BATCH: Final = 64
_KEPT: Final = 1 << 18  # activations of a layer and batch that its percentile is taken from


def convert_ann(
    module: nn.Module,
    example: Tensor,
    calibration: Any,
    *,
    timesteps: int | Sequence[int] = (4, 8, 16, 32, 64),
    agreement: float = 0.99,
    percentile: float = 99.9,
    targets: Any = None,
    labels: Sequence[str] | None = None,
    preprocess: Mapping[str, Any] | None = None,
    name: str | None = None,
    threads: int | None = None,
) -> tuple[Model, AnnReport]:
    """Convert a trained ReLU network: integrate-and-fire neurons with balanced thresholds, a sweep over T.

    Parameters
    ----------
    module
        Convolutions, linear and batch-norm layers, ReLU, average pools (and maximum pools, see the notes),
        flatten, dropout, one after another; it is not changed.
    example
        [N, C, H, W] or [N, F]; only the shape matters.
    calibration
        Samples [N, ...], float32, as `module` takes them; a few hundred that were not trained on.
    timesteps
        Steps to try. The model takes the fewest with which `agreement` is reached, else the best of them.
    agreement
        Share of the calibration samples that are to keep the label that `module` gives them, 0..1.
    percentile
        Of each layer's activations, above 0 to 100: what becomes its threshold.
    targets
        Right labels [N] of the calibration samples, for accuracies.
    labels, preprocess, name
        Of the model, as for `from_torch`.
    threads
        Of running the model, as for `Model.run`.

    Returns
    -------
    (Model, AnnReport)
        Float weights; ``snncore.quantize`` makes integers of it, too. The report has agreement and accuracy
        for each T.

    Raises
    ------
    snncore.Error
        Layers that have no counterpart, all of them named.
    ValueError
        An option, samples that do not fit, a layer that is called twice.

    Notes
    -----
    The input is shown at every step; outputs are averaged over time. Where a rectifier comes last they are
    rates of spikes: the report says what one stands for. A maximum pool becomes an OR of spikes,
    which fires more often than its most active input: average pools convert better.
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"convert_ann: expected a torch module, received {type(module).__name__}")
    samples, right = _samples(example, calibration, targets)
    sweep = _sweep(timesteps)
    _check_shares(agreement, percentile)
    spiking = copy.deepcopy(module).cpu()
    activations = _activations(spiking, samples, percentile)
    theirs = _labels(spiking, samples)
    thresholds: dict[nn.Module, float] = {part: value or 1.0 for part, value in activations.items()}
    dialect = _dialect(thresholds)
    with evaluating(spiking), torch.no_grad():
        found = trace(spiking, example.float(), dialect)
        calls, worth = found.calls, _balance(found, thresholds)
        options: dict[str, Any] = {
            "labels": labels,
            "preprocess": preprocess,
            "name": name,
            "progress": False,
        }

    def at(steps: int) -> Model:
        return convert_framework(dialect, spiking, example, timesteps=steps, readout="mean", **options)

    model = at(sweep[-1])
    steps = tuple(_step(model, samples, steps, theirs, right, threads) for steps in sweep)
    enough = [row for row in steps if row.agreement >= agreement]
    chosen = (enough or [max(steps, key=lambda row: row.agreement)])[0]
    names = {c.module: c.name for c in calls if c.module is not None and c.module in thresholds}
    report = AnnReport(
        chosen.timesteps,
        len(samples),
        None if right is None else float(np.mean(theirs == right)),
        {names[part]: value for part, value in thresholds.items()},
        steps,
        tuple(_notes(calls, names, activations, agreement, chosen, worth)),
    )
    return at(chosen.timesteps), report


def _samples(example: Any, calibration: Any, targets: Any) -> tuple[Tensor, NDArray[Any] | None]:
    if not isinstance(example, Tensor) or example.dim() not in (2, 4):
        raise ValueError(
            "convert_ann: expected an example [N, C, H, W] or [N, F], received "
            f"{list(example.shape) if isinstance(example, Tensor) else type(example).__name__}"
        )
    samples = torch.as_tensor(calibration).detach().cpu().float()
    if samples.shape[1:] != example.shape[1:] or samples.dim() != example.dim() or len(samples) == 0:
        raise ValueError(
            f"calibration: expected samples of shape {['N', *example.shape[1:]]}, received "
            f"{list(samples.shape)}".replace("'", "")
        )
    if not torch.isfinite(samples).all():
        raise ValueError("calibration: expected finite values, received NaN or infinity")
    if targets is None:
        return samples, None
    right = np.asarray(targets)
    if right.shape != (len(samples),):
        raise ValueError(f"targets: expected {len(samples)} labels, received {list(right.shape)}")
    return samples, right


def _sweep(timesteps: int | Sequence[int]) -> list[int]:
    given = list(timesteps) if isinstance(timesteps, Iterable) else [timesteps]
    if not given or not all(isinstance(t, (int, np.integer)) and 1 <= t <= 4096 for t in given):
        raise ValueError(f"timesteps: expected numbers of 1 to 4096, received {timesteps!r}")
    return sorted({int(t) for t in given})


def _check_shares(agreement: float, percentile: float) -> None:
    if not 0 <= agreement <= 1:
        raise ValueError(f"agreement: expected a share of 0 to 1, received {agreement!r}")
    if not 0 < percentile <= 100:
        raise ValueError(f"percentile: expected above 0 to 100, received {percentile!r}")


def _batches(samples: Tensor) -> Iterator[Tensor]:
    return (samples[i : i + _BATCH] for i in range(0, len(samples), _BATCH))


def _activations(module: nn.Module, samples: Tensor, percentile: float) -> dict[nn.Module, float]:
    """Give the percentile of what each ReLU puts out; the mean of the batches'. 0: it is never active."""
    found: dict[nn.Module, list[float]] = {}
    calls: dict[str, int] = {}
    weighted = (*RECTIFIERS, nn.Conv2d, nn.Linear, nn.BatchNorm1d, nn.BatchNorm2d)
    with evaluating(module), torch.no_grad(), ExitStack() as hooks:
        for name, part in module.named_modules():
            if isinstance(part, weighted):
                hooks.callback(part.register_forward_hook(_count(calls, name)).remove)
            if type(part) in RECTIFIERS:
                part.inplace = False  # what was before it is looked at, too
                found[part] = []
                hooks.callback(part.register_forward_hook(_watch(found[part], percentile)).remove)
        for batch in _batches(samples):
            calls.clear()
            _forward(module, batch)
            twice = [name for name, count in calls.items() if count > 1]
            if twice:
                raise ValueError(
                    f"convert_ann: '{twice[0]}' is called {calls[twice[0]]} times; give each call a layer of "
                    "its own, since each becomes neurons of its own"
                )
    if not found:
        raise ValueError("convert_ann: expected a network with nn.ReLU modules, it has none")
    return {part: float(np.mean(values)) if values else 0.0 for part, values in found.items()}


def _forward(module: nn.Module, batch: Tensor) -> Tensor:
    try:
        output = module(batch)
    except RuntimeError as why:
        text = str(why).splitlines()[0]
        raise ValueError(f"convert_ann: the network does not run on {list(batch.shape)}: {text}") from why
    if not isinstance(output, Tensor) or output.dim() != 2:
        raise ValueError("convert_ann: expected a network that gives one value for each class, [N, classes]")
    return output


def _count(calls: dict[str, int], name: str) -> Callable[..., None]:
    def hook(*_: Any) -> None:
        calls[name] = calls.get(name, 0) + 1

    return hook


def _watch(values: list[float], percentile: float) -> Callable[..., None]:
    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        flat = output.flatten()
        kept = flat[:: max(1, flat.numel() // _KEPT)].numpy()
        values.append(float(np.percentile(kept, percentile)))

    return hook


def _dialect(thresholds: Mapping[nn.Module, float]) -> Dialect:
    def neuron(module: nn.Module) -> Neuron:
        threshold = thresholds[module]
        return Neuron(rate=1.0, threshold=threshold, reset="subtract", initial=threshold / 2)

    return Dialect(
        name="ann",
        neurons=dict.fromkeys(RECTIFIERS, neuron),
        stateful=RECTIFIERS,
        reset=lambda module: None,
        stepping=lambda module: "each",
        caller="convert_ann",
    )


def _balance(found: Trace, thresholds: Mapping[nn.Module, float]) -> float | None:
    """Scale weights by what a spike before them stands for: the threshold of the neuron that fired it.

    Gives what a spike of the output stands for; None: the output is real values.
    """
    spike: dict[str, float | None] = {}  # None: real values
    for call in found.calls:
        worth = {spike.get(name) for name in call.inputs}
        if call.kind == "add" and worth != {None}:
            raise ValueError(
                f"convert_ann: '{call.name}' adds activations of two layers, whose spikes do not stand for "
                "the same amount; only networks without such shortcuts can be converted"
            )
        before = worth.pop() if worth else None
        if call.kind in ("conv2d", "linear"):
            assert call.module is not None
            if before is not None:
                call.module.weight.mul_(before)  # type: ignore[operator]
            before = None
        elif call.kind == "neuron":
            assert call.module is not None
            before = thresholds[call.module]
        spike[call.value] = before
    return spike.get(found.result)


def _labels(module: nn.Module, samples: Tensor) -> NDArray[Any]:
    with evaluating(module), torch.no_grad():
        return np.concatenate([_forward(module, batch).argmax(1).numpy() for batch in _batches(samples)])


def _step(
    model: Model,
    samples: Tensor,
    steps: int,
    theirs: NDArray[Any],
    right: NDArray[Any] | None,
    threads: int | None,
) -> AnnStep:
    layout = "NCHW" if samples.dim() == 4 else "NC"
    ours = np.concatenate(
        [
            model.run(batch.numpy(), timesteps=steps, layout=layout, threads=threads).argmax(1)
            for batch in _batches(samples)
        ]
    )
    accuracy = None if right is None else float(np.mean(ours == right))
    return AnnStep(steps, float(np.mean(ours == theirs)), accuracy)


def _notes(
    calls: Sequence[Call],
    names: Mapping[nn.Module, str],
    activations: Mapping[nn.Module, float],
    agreement: float,
    chosen: AnnStep,
    worth: float | None,
) -> Iterator[str]:
    if chosen.agreement < agreement:
        yield (
            f"an agreement of {100 * agreement:g} % was not reached: try more timesteps, another percentile, "
            "or training with spiking neurons"
        )
    if worth is not None:
        yield f"outputs are rates of spikes: times {worth:g} they are the activations of the network"
    for part, value in activations.items():
        if value == 0:
            yield f"'{names[part]}' is not active on calibration data: its threshold is 1"
    if _pools_spikes(calls):
        yield "a maximum pool became an OR of spikes, which fires more often than its most active input"


def _pools_spikes(calls: Sequence[Call]) -> bool:
    """Whether a maximum is taken of spikes, not of the real values before an activation."""
    spikes: set[str] = set()
    for call in calls:
        reads = not spikes.isdisjoint(call.inputs)
        if call.kind == "maxpool2d" and reads:
            return True
        if call.kind == "neuron" or (reads and call.kind not in ("conv2d", "linear")):
            spikes.add(call.value)
    return False
