"""From float weights to codes of 1, 2, 4 or 8 bits and integer neurons, without training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from snncore import _core
from snncore.builder import Profile, State
from snncore.inputs import Inputs
from snncore.memory import memory_held
from snncore.model import Model, check_model

from .calibration import SATURATION_SAMPLES, Calibration, Comparison
from .choosing import Choice
from .codes import Gamma, Granularity
from .graph import NEURONS, Graph
from .options import STATES, check_float, check_options, code_of, pixels_of
from .plan import Pixels, Plan, plan
from .rebuild import rebuild, weight_of
from .report import QuantizedLayer, QuantizeReport
from .weights import Method, WeightCode


def quantize(
    model: Model,
    *,
    bits: int = 8,
    calibration: Inputs | None = None,
    method: Method | None = None,
    gamma: Gamma = "mean",
    granularity: Granularity = "channel",
    factor: bool = True,
    ends: int | None = 8,
    state: State | Literal["auto"] = "i16",
    profile: Literal["W", "U", "auto"] = "W",
    preprocess: Mapping[str, Any] | None = None,
    layout: str | None = None,
    strict: bool = False,
    threads: int | None = None,
) -> tuple[Model, QuantizeReport]:
    """Turn a model of float weights into one of coded weights and integer neurons. Needs no torch.

    >>> small, report = snncore.quantize(model, bits=4, calibration=images)
    >>> print(report)

    Parameters
    ----------
    model
        Float weights, as `from_spikingjelly`, `from_snntorch`, `from_norse`, `from_nir` and others make it;
        it stays as it is.
    bits
        1, 2, 4 or 8, of the weights.
    calibration
        Samples as `Model.run` takes them, a few hundred: the report then says how well the two models agree.
    method
        "symmetric": round to multiples of a scale (2, 4, 8 bits). "rescaw": odd multiples (1, 2, 4, 8 bits).
        Default: symmetric for 8 bits, rescaw for fewer.
    gamma, factor
        Of "rescaw": what weights are divided by before they are rounded, "mean" or "max" of the magnitudes, a
        "percentile", or "one" (nothing); and whether it grows by ``(2^bits - 1) / 2^(bits-1)``, as it should
        where no training follows.
    granularity
        One scale for each output "channel", or one for the "layer".
    ends
        Bits of the first and last layers, symmetric; None: as the others.
    state
        Membranes: "i16", "i8" ...; "auto": for each neuron the narrowest that keeps the labels of the
        calibration data (at most 0.5 % of them change).
    profile
        The unit of membranes (docs/format.md): "W", of the threshold; "U", of a weight, where it fits;
        "auto": for each neuron, from the input on, the one in which more of its spikes are the float
        model's on the calibration data. `report.notes` says why.
    preprocess
        ``{"zero_point": z, "scale": s}``: the real values of the input are ``(pixel - z) * s`` of pixels 0 to
        255. The input then takes raw pixels (and, as before, real values), and the first layer is integer,
        too. Default: as the model says, else the first layer stays float.
    layout, threads
        Of running the calibration data, as for `Model.run`.
    strict
        Refuse where a layer would stay float, instead of leaving it alone.

    Returns
    -------
    (Model, QuantizeReport)
        Layers that have no integer form stay as they are; the report says which, and why.

    Raises
    ------
    ValueError
        A wrong option, calibration data that do not fit, a model that is quantised already or in which
        nothing can be.
    snncore.Error
        `strict`, and a layer would stay float: names all of them.

    Notes
    -----
    A float neuron ``h = decay * v + gain * x + bias`` that fires at a threshold and is reset at once becomes
    an integer LIF, whatever framework it came from; neurons with a synaptic current, several spikes a step, a
    floor or refractory time have none.
    """
    check_model("quantize", model)
    code = code_of(bits, method, gamma, granularity, factor)
    check_options(ends, state, profile, calibration)
    graph = Graph(model)
    check_float(graph)
    made = plan(graph, pixels_of(graph, preprocess))
    data = None if calibration is None else Calibration(model, calibration, layout, _by_port(graph, made))
    _check_plan(graph, made, preprocess, strict)
    work = _Work(model, graph, made, _codes(graph, made, code, ends), data, threads)
    states: dict[str, State] = dict.fromkeys(made.rules, "i16" if state == "auto" else state)
    profiles: dict[str, Profile] = dict.fromkeys(made.rules, "W" if profile == "auto" else profile)
    notes: list[str] = []
    if data is not None:
        choice = Choice(model, data, threads, work.build)
        notes += choice.profiles(states, profiles) if profile == "auto" else []
        notes += choice.states(states, profiles) if state == "auto" else []
    quantised = work.build(states, profiles)
    return quantised, work.report(quantised, code, notes)


def _by_port(graph: Graph, made: Plan) -> dict[str, Pixels]:
    return {p["name"]: made.pixels[p["edge"]] for p in graph.document["inputs"] if p["edge"] in made.pixels}


def _check_plan(graph: Graph, made: Plan, preprocess: Mapping[str, Any] | None, strict: bool) -> None:
    listed = "; ".join(f"'{name}': {why}" for name, why in made.reasons.items())
    if not made.coded:
        raise ValueError(f"quantize: nothing can become integer: {listed}")
    if strict and made.reasons:
        raise _core.Error(f"quantize: strict, and these would stay float: {listed}")
    if preprocess is not None and not made.pixels:
        raise ValueError(f"preprocess: the first layers cannot take raw pixels: {listed}")


def _codes(graph: Graph, made: Plan, code: WeightCode, ends: int | None) -> dict[str, dict[str, Any]]:
    """Code the weights; of the first and last layers by `ends` bits, symmetric, unless that is None."""
    special = set() if ends is None else graph.ends()
    at_ends = WeightCode("symmetric", ends or 8)
    coded = {}
    for node in graph.weighted():
        if node["name"] in made.coded:
            coded[node["name"]] = (at_ends if node["name"] in special else code)(weight_of(graph, node))
    return coded


@dataclass(frozen=True)
class _Work:
    """All that does not change while states and profiles are tried."""

    model: Model
    graph: Graph
    plan: Plan
    coded: dict[str, dict[str, Any]]
    data: Calibration | None
    threads: int | None

    def build(self, states: Mapping[str, State], profiles: Mapping[str, Profile]) -> Model:
        facts = self.model.metadata
        bits = sorted({weight["bits"] for weight in self.coded.values()})
        provenance = {
            **facts["provenance"],
            "quantised": f"{', '.join(map(str, bits))} bit, without training",
        }
        metadata = {"labels": facts["labels"], "preprocess": facts["preprocess"], "provenance": provenance}
        return rebuild(self.graph, self.plan, self.coded, states, profiles, metadata)

    def report(self, quantised: Model, code: WeightCode, notes: list[str]) -> QuantizeReport:
        """Compare the two models and write down what each layer became."""
        compared, clipped = Comparison(), None
        if self.data is not None:
            spiking = [
                n["name"]
                for n in self.graph.nodes
                if n["op"] in NEURONS and self.graph.edges[n["outputs"][0]]["dtype"] == "b1"
            ]
            compared = self.data.compare(self.model, quantised, spiking, self.threads)
            clipped = self.data.saturations(quantised)
            if clipped is None:
                notes = [
                    *notes,
                    "saturations are not counted: the integer reference needs torch and safetensors",
                ]
        counted = 0 if self.data is None or clipped is None else min(self.data.samples, SATURATION_SAMPLES)
        return QuantizeReport(
            bits=code.bits,
            method=code.method,
            bytes_before=self.model.file_bytes,
            bytes_after=quantised.file_bytes,
            samples=compared.samples,
            label_agreement=compared.label_agreement if compared.samples else None,
            saturation_samples=counted,
            memory_before=memory_held(self.model),
            memory_after=memory_held(quantised),
            layers=tuple(_rows(self, quantised, compared, clipped or {})),
            notes=tuple(notes),
        )


def _rows(
    work: _Work, quantised: Model, compared: Comparison, clipped: Mapping[str, int]
) -> Iterator[QuantizedLayer]:
    before, after = ({row.name: row for row in m.layers} for m in (work.model, quantised))
    new = Graph(quantised)
    written = {n["name"]: n for n in new.nodes}
    for node in work.graph.weighted():
        name = node["name"]
        now = written[name]
        coded = name in work.coded
        neuron = _neuron_after(new, now)
        attrs = neuron["attrs"] if neuron is not None and coded else {}
        reader = None if neuron is None else neuron["name"]
        yield QuantizedLayer(
            name=name,
            op=node["op"],
            method=_method(work.coded[name]) if coded else "float",
            bits=work.coded[name]["bits"] if coded else 32,
            bytes_before=before[name].bytes,
            bytes_after=after[name].bytes,
            accumulator=max(map(abs, new.edges[now["outputs"][0]]["range"])) if coded else None,
            neuron=reader,
            state_bits=STATES.get(attrs.get("state", "")) if coded else None,
            profile=attrs.get("profile"),
            saturations=clipped.get(reader or ""),
            spike_agreement=compared.same_spikes.get(reader or ""),
            reason=work.plan.reasons.get(name),
        )


def _method(weight: Mapping[str, Any]) -> str:
    return "symmetric" if weight["encoding"] == "sym" else "rescaw"


def _neuron_after(graph: Graph, node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the neuron that a layer's sums go to, through sums, streams and requantisation."""
    todo = list(graph.readers[node["outputs"][0]])
    while todo:
        reader = todo.pop(0)
        if reader["op"] in NEURONS:
            return reader
        if reader["op"] in ("add", "requant", "residual"):
            todo += graph.readers[reader["outputs"][0]]
    return None
