"""From a PyTorch network to a model. Needs torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from snncore.builder import GraphBuilder, Leak, Profile, State
from snncore.model import Model
from snncore.reference import Network

from .calls import Call, Trace
from .evaluating import evaluating
from .kinds import TEMPORAL
from .progress import tracked
from .streams import stream_values
from .trace import trace


def from_torch(
    module: nn.Module,
    example: Tensor,
    *,
    preprocess: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    timesteps: int | None = None,
    readout: Literal["mean", "sum"] = "mean",
    state: State = "i16",
    profile: Profile = "W",
    name: str | None = None,
    provenance: Mapping[str, str] | None = None,
    progress: bool | None = None,
) -> Model:
    """Convert a network of `snncore.reference` neurons and `torch.nn` layers, as it is in evaluation mode.

    Parameters
    ----------
    module
        `snncore.reference.Network`; or a `torch.nn.Sequential` of layers and neurons, run the way `Network`
        runs its layers; or any module whose forward torch.fx can trace and which takes a sequence, time
        first (residual ``+``, flattening and unflattening of the time axis, and a final ``mean(0)`` or
        ``sum(0)`` over time are understood).
    example
        A tensor of the shape that `module` takes: [N, C, H, W] (a static image, or [T, C, H, W]), [T, N, C,
        H, W], [N, F] or [T, N, F]; bool for a network that takes spikes. Only its shape and dtype matter.
    preprocess
        How pixels become the network's input, as in `Network`: zero_point, scale, and, if wanted, size
        ([height, width]) and crop ("center" or "stretch"). With it, a network whose first convolution is
        quantised takes raw pixels.
    labels
        Names of the classes.
    timesteps
        Steps of a run. Default: the network's, else the first axis of a time-first example.
    readout
        What a `torch.nn.Sequential` ends in: the mean or the sum of its last layer over time.
    state, profile
        Membranes of the integer neurons: bits, and the unit they count in ("W": a common one, "U": one a
        channel, "X": exact thresholds).
    name
        Stored with the model.
    provenance
        More facts to store with the model, such as ``{"window_us": "34000"}`` of a network that was trained
        on events in windows of 34 ms.
    progress
        Show a progress bar. Default: on a terminal.

    Raises
    ------
    snncore.Error
        Modules that have no counterpart; the message lists all of them.
    ValueError
        An example, option or layer that does not fit; the message names it.
    """
    example = torch.as_tensor(example)
    if not isinstance(module, nn.Module) or example.dim() not in (2, 3, 4, 5):
        raise ValueError(
            "from_torch: expected a torch module and an example [N, C, H, W], [T, N, C, H, W], [N, F] or "
            f"[T, N, F], received {type(module).__name__} and shape {list(example.shape)}"
        )
    row = isinstance(module, (Network, nn.Sequential))
    layers = module.layers if isinstance(module, Network) else module
    if isinstance(module, Network):
        preprocess = module.preprocess if preprocess is None else preprocess
        labels = labels if labels is not None else module.labels
        timesteps, readout = timesteps or module.timesteps, module.readout
    time_first = example.dim() in (3, 5)
    # A row's layers see time in the batch; one frame tells all shapes, and any neuron takes one step.
    traced_on = (example.flatten(0, 1) if time_first else example)[:1] if row else example
    steps = timesteps or (example.shape[0] if time_first or not row else None)
    if steps is None:
        raise ValueError(
            "from_torch: timesteps is not given, and the example has no time axis to take it from"
        )
    with evaluating(module), torch.no_grad():
        found = trace(layers, traced_on.float())
        emitter = Emitter(found, preprocess or {}, state, profile, readout if row else None, steps)
        emitter.input(example)
        for call in tracked(found.calls, "converting", progress):
            emitter.emit(call)
        emitter.output(readout if row else None)
    return emitter.builder.build(
        steps,
        labels=list(labels) if labels else None,
        preprocess=image_of(preprocess, example),
        provenance={**provenance_of(module, name), **(provenance or {})},
    )


def image_of(preprocess: Mapping[str, Any] | None, example: Tensor) -> dict[str, Any] | None:
    """Size, crop and colour of the images that the file asks for."""
    if preprocess is None or example.dim() < 4 or example.shape[-3] not in (1, 3):
        return None
    height, width = preprocess.get("size") or example.shape[-2:]
    color = "rgb" if example.shape[-3] == 3 else "gray"
    return {"size": [int(height), int(width)], "crop": preprocess.get("crop", "center"), "color": color}


def provenance_of(module: nn.Module, name: str | None) -> dict[str, str]:
    """Say what a model was made of, and how many float32 values that had."""
    values = sum(t.numel() for t in module.state_dict().values() if t.is_floating_point())
    kind = f"{type(module).__module__}.{type(module).__qualname__}"
    facts = {"source": f"torch {torch.__version__}, {kind}", "float32_values": str(values)}
    return {"name": name, **facts} if name else facts


def _array(values: Tensor | None, dtype: Any = np.float64) -> Any:
    return None if values is None else values.detach().cpu().contiguous().numpy().astype(dtype)


def _halved(found: Trace) -> set[str]:
    """Name what linear layers give to the mean of two heads alone: their weights take its half, exactly."""
    readers = Counter(value for call in found.calls for value in call.inputs)
    linear = {call.value for call in found.calls if call.kind == "linear" and readers[call.value] == 1}
    means = [set(call.inputs) for call in found.calls if call.kind == "head_mean"]
    return {value for values in means if values <= linear for value in values}


def _halves(neuron: Any) -> bool:
    """Whether a map's membrane is even whenever it is halved: how that is rounded makes no difference."""
    return (neuron.decay, neuron.input_gain, neuron.threshold) == (0.5, 0.5, 1.0)


class Emitter:
    """Calls the builder. `edges` maps what fx calls a value to what the builder calls it."""

    def __init__(
        self,
        found: Trace,
        preprocess: Mapping[str, Any],
        state: State,
        profile: Profile,
        readout: Literal["mean", "sum", "last"] | None = None,
        steps: int = 1,
    ) -> None:
        self.builder = GraphBuilder()
        self.steps = steps  # of a run
        self.mode = readout  # over time, of a row of layers: what two heads are read with
        self.answered: set[str] = set()  # edges made of readouts
        self.found, self.preprocess, self.state, self.profile = found, preprocess, state, profile
        self.edges: dict[str, str] = {}
        self.real: set[str] = set()  # edges that hold real currents, since some weight is not coded
        self.streams = stream_values(found)  # by what fx calls them
        self.halved = _halved(found)
        self.held: set[str] = set()  # edges that are streams
        self.scores: set[str] = set()  # edges that are scores of maps
        self.names = {
            call.value: call.name for call in found.calls
        }  # of what a delay reads before it is there

    def input(self, example: Tensor) -> None:
        """Raw pixels for a quantised convolution whose preprocessing is known; else spikes or real values."""
        rank = 3 if example.dim() >= 4 else 1
        shape = list(example.shape[-rank:])
        zero_point, scale = self.preprocess.get("zero_point"), self.preprocess.get("scale")
        known = zero_point is not None and scale is not None
        readers = self._readers()
        coded = [c for c in readers if getattr(c.module, "quantizer", None) is not None]
        dtype: Literal["u8", "b1", "f32"] = "b1" if example.dtype == torch.bool else "f32"
        if known and readers and all(c in coded and c.kind == "conv2d" for c in readers):
            dtype = "u8"
        elif dtype == "f32" and coded:
            raise ValueError(
                f"from_torch: '{coded[0].name}' has quantised weights and reads real values; give preprocess "
                "with zero_point and scale if the input is an image, an example of dtype bool if it is "
                "spikes, or leave that layer unquantised"
            )
        if isinstance(zero_point, int):
            zero_point = [zero_point] * shape[0]
        pixels = known and dtype != "b1"
        time = "T" if example.dim() in (3, 5) else ""
        layout = f"{time}N{'CHW' if rank == 3 else 'C'}"
        self.edges[self.found.source] = self.builder.input(
            "input",
            dtype,
            shape,
            zero_point=[int(z) for z in zero_point or ()] if pixels else None,
            scale=float(scale or 0.0) if pixels else None,
            layout=layout,
        )

    def _readers(self) -> list[Call]:
        """List the calls that read the input."""
        names, readers = {self.found.source}, []
        for call in self.found.calls:
            if names.intersection(call.inputs):
                if call.kind == "drop":
                    names.add(call.value)
                else:
                    readers.append(call)
        return readers

    def emit(self, call: Call) -> None:
        """Add one call to the graph."""
        inputs = [self.edges[i] if i in self.edges else self.names[i] for i in call.inputs]
        method: Callable[[Call, list[str]], str] = getattr(self, f"_{call.kind}")
        edge = method(call, inputs)
        if call.value in self.streams and self.real.isdisjoint(inputs):
            edge = (
                edge if call.kind in ("add", "couple") else self.builder.residual(f"{call.name}.stream", edge)
            )
            self.held.add(edge)
        self.edges[call.value] = edge
        weighs = call.kind in ("conv2d", "linear")
        if (
            getattr(call.module, "quantizer", None) is None
            if weighs
            else call.kind not in TEMPORAL and not self.real.isdisjoint(inputs)
        ):
            self.real.add(self.edges[call.value])

    def output(self, readout: Literal["mean", "sum", "last"] | None) -> None:
        """End in the value of the last call; a row of layers ends in a readout over time."""
        edge = self.edges[self.found.result]
        if readout is not None and edge not in self.answered:
            edge = self.builder.readout("logits", edge, readout)
        self.builder.output(edge, edge)

    def _drop(self, call: Call, inputs: list[str]) -> str:
        return inputs[0]

    def _weight(self, module: Any) -> tuple[Any, dict[str, Any]]:
        """Codes of a quantised layer, float32 values of another."""
        bias = _array(module.bias)
        quantizer = getattr(module, "quantizer", None)
        if quantizer is None:
            return _array(module.weight, np.float32), {"bias": bias}
        codes, scale = quantizer.codes(module.weight)
        coded = {"encoding": quantizer.encoding, "bits": quantizer.bits, "scale": _array(scale)}
        return _array(codes, np.int8), {**coded, "bias": bias}

    def _conv2d(self, call: Call, inputs: list[str]) -> str:
        weight, described = self._weight(call.module)
        return self.builder.conv2d(call.name, inputs[0], weight, **described, **call.options)

    def _linear(self, call: Call, inputs: list[str]) -> str:
        weight, described = self._weight(call.module)
        if call.value in self.halved:
            coded, bias = "scale" in described, described["bias"]
            described |= {"bias": None if bias is None else bias / 2}
            described |= {"scale": described["scale"] / 2} if coded else {}
            weight = weight if coded else weight / 2
        return self.builder.linear(call.name, inputs[0], weight, **described)

    def _batch_norm(self, call: Call, inputs: list[str]) -> str:
        bn: Any = call.module
        mean, var = _array(bn.running_mean), _array(bn.running_var)
        gamma = np.ones_like(mean) if bn.weight is None else _array(bn.weight)
        beta = np.zeros_like(mean) if bn.bias is None else _array(bn.bias)
        return self.builder.batch_norm(call.name, inputs[0], gamma, beta, mean, var, bn.eps)

    def _lif(self, call: Call, inputs: list[str]) -> str:
        neuron: Any = call.module
        stored: dict[str, Any] = {"profile": self.profile, "state": self.state}
        if call.options:  # a module that says itself how its membrane is kept
            if inputs[0] in self.real:
                raise ValueError(
                    f"from_torch: '{call.name}' keeps its membrane in few bits, which only an integer neuron "
                    "does; the weights before it must be coded, received float32"
                )
            stored = {"profile": "W", **call.options}
        if inputs[0] in self.scores:
            stored = {"profile": "W", "state": "i32", "theta0": 2 ** min(max(12, self.steps), 20)}
        half_floor = stored["profile"] == "X" or (inputs[0] in self.scores and _halves(neuron))
        leak: Leak = "none" if neuron.decay == 1 else "half_floor" if half_floor else "q15"
        return self.builder.lif(
            call.name,
            inputs[0],
            decay=neuron.decay,
            input_gain=neuron.input_gain,
            threshold=neuron.threshold,
            reset=neuron.reset,
            strict=neuron.strict,
            leak=leak,
            **stored,
        )

    def _neuron(self, call: Call, inputs: list[str]) -> str:
        return self.builder.neuron(call.name, inputs[0], call.options["neuron"])

    def _psn(self, call: Call, inputs: list[str]) -> str:
        psn = call.options["neuron"]
        return self.builder.psn(call.name, inputs[0], weight=psn.weight, bias=psn.bias)

    def _maxpool2d(self, call: Call, inputs: list[str]) -> str:
        return self.builder.maxpool2d(call.name, inputs[0], **call.options)

    def _avgpool2d(self, call: Call, inputs: list[str]) -> str:
        options = dict(call.options)
        flat = options.pop("flatten", False)
        edge = self.builder.avgpool2d(call.name, inputs[0], **options)
        return self.builder.flatten(f"{call.name}.flatten", edge) if flat else edge

    def _add(self, call: Call, inputs: list[str]) -> str:
        if call.value not in self.streams or not self.real.isdisjoint(inputs):
            return self.builder.add(call.name, inputs)
        new = [edge for edge in inputs if edge not in self.held]
        if len(new) == len(inputs):
            return self.builder.residual(call.name, self.builder.add(f"{call.name}.sum", inputs))
        x, stream = sorted(inputs, key=self.held.__contains__)
        return self.builder.residual(call.name, x, stream)

    def _couple(self, call: Call, inputs: list[str]) -> str:
        return self.builder.couple(call.name, inputs[0], inputs[1], inputs[-1])  # one stream: both are it

    def _head_mean(self, call: Call, inputs: list[str]) -> str:
        """Read both over time first: only then there are numbers to be halved."""
        if self.mode is None:
            raise ValueError(f"from_torch: '{call.name}' is understood in a Network or a row of layers only")
        read = [self.builder.readout(f"{edge}.logits", edge, self.mode) for edge in inputs]
        if self.halved.issuperset(call.inputs):
            mean = self.builder.add(call.name, read)
        else:
            total = self.builder.add(f"{call.name}.sum", read)
            half = np.eye(call.options["width"], dtype=np.float32) / 2
            mean = self.builder.linear(call.name, total, half)
        self.answered.add(mean)
        return mean

    def _attention(self, call: Call, inputs: list[str]) -> str:
        return self.builder.attention(call.name, *inputs, **call.options)

    def _map_scores(self, call: Call, inputs: list[str]) -> str:
        """Scores of values and keys: the rows of the map are those of the channels that it gives."""
        pair = inputs if call.options["variant"] == "qk" else inputs[::-1]
        edge = self.builder.map_scores(call.name, *pair, **call.options)
        self.scores.add(edge)
        return edge

    def _map_product(self, call: Call, inputs: list[str]) -> str:
        return self.builder.map_product(call.name, *inputs, **call.options)

    def _step_gain(self, call: Call, inputs: list[str]) -> str:
        gain: Any = call.module
        return self.builder.step_gain(call.name, inputs[0], _array(gain.gain))

    def _count(self, call: Call, inputs: list[str]) -> str:
        return self.builder.count(call.name, *inputs, **call.options)

    def _mask(self, call: Call, inputs: list[str]) -> str:
        return self.builder.mask(call.name, *inputs)

    def _saccade(self, call: Call, inputs: list[str]) -> str:
        mode, mix, threshold = (call.options[key] for key in ("mode", "mix", "threshold"))
        return self.builder.saccade(
            call.name, *inputs, mode=mode, threshold=_array(threshold), mix=_array(mix)
        )

    def _delay(self, call: Call, inputs: list[str]) -> str:
        return self.builder.delay(call.name, inputs[0], **call.options)

    def _flatten(self, call: Call, inputs: list[str]) -> str:
        return self.builder.flatten(call.name, inputs[0])

    def _readout(self, call: Call, inputs: list[str]) -> str:
        return self.builder.readout(call.name, inputs[0], call.options["mode"])
