"""Channels, or single weights, taken out of a finished model, without training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from snncore import _core
from snncore.inputs import Inputs
from snncore.memory import memory_held
from snncore.model import Model, check_model

from .calibration import Calibration
from .copying import Copy
from .cutting import EditedParts, cut
from .graph import Graph, Node
from .prune_report import PrunedStream, PruneReport
from .ratios import kept, layer_ratios, share_of, stream_ratios
from .scores import SCORES, Activity, Criterion, observe
from .streams import Stream, Streams
from .thinning import thin

_DEFAULT_RATIO: Final = 0.5


def prune(
    model: Model,
    *,
    calibration: Inputs | None = None,
    ratio: float | None = None,
    criterion: Criterion = "svs",
    ratios: Mapping[str, float] | None = None,
    unstructured: bool = False,
    layout: str | None = None,
    threads: int | None = None,
) -> tuple[Model, PruneReport]:
    """Take channels out of a finished model, integer or float. Needs no torch.

    >>> small, report = snncore.prune(model, calibration=images, ratio=0.5)
    >>> print(report)

    Parameters
    ----------
    model
        Any model; it stays as it is.
    calibration
        Samples as `Model.run` takes them, a few hundred. Without them only "magnitude" is possible.
    ratio
        Share of the channels of each stream that goes, 0..1: of n channels ``int(n * (1 - ratio))`` stay.
        Default: 0.5. Not with "dead".
    criterion
        Which channels stay: those of the highest "svs" (the rank of their spike maps), "sca" (their
        membranes' L1 norm) or "magnitude" (of their weights). "dead": all that fire on calibration data, so
        that its outputs stay the same, which is checked.
    ratios
        Ratios of single layers, by the name of a layer with weights or of a neuron.
    unstructured
        Make single weights zero instead, the smallest of each layer: criterion "magnitude", and weights that
        can be zero (float32, or codes of encoding "sym").
    layout, threads
        Of running the calibration data, as for `Model.run`.

    Returns
    -------
    (Model, PruneReport)
        The model computes what the old one would if the removed channels never fired, bit for bit.

    Raises
    ------
    ValueError
        A wrong option, calibration data that do not fit, a layer that has to keep its channels, or one that
        would lose all.

    Notes
    -----
    Layers that are added up share one set of channels, their stream; its score is the sum of its neurons'
    scores. Of equal scores the higher firing rate stays, then the lower channel. Streams that a readout or
    an output reads, or that are joined with an input, keep all channels. Source of "svs" and "sca": Wei et
    al., "QP-SNN", ICLR 2025 (arXiv 2502.05905), section 4.2.
    """
    ratio = _checked(model, calibration, ratio, ratios, criterion, unstructured)
    graph = Graph(model)
    streams = Streams(graph)
    wanted = (layer_ratios if unstructured else stream_ratios)(streams, ratio, ratios or {})
    data = None if calibration is None else Calibration(model, calibration, layout, {})
    kept: dict[str, NDArray[np.intp]] = {}
    if unstructured:
        parts = thin(graph, wanted)
    else:
        chosen = [stream for stream in streams if stream.name in wanted]
        seen = Activity() if data is None else observe(graph, model, chosen, data, criterion, threads)
        for stream in chosen:
            scores = SCORES[criterion](graph, seen, stream)
            share = None if criterion == "dead" else wanted[stream.name]
            kept[stream.name] = _kept(stream, scores, seen.rate(stream), share)
        parts = cut(graph, streams, kept)
    made = _built(model, parts, criterion, unstructured)
    agreement, equal = (None, None) if data is None else _compared(model, made, data, threads)
    if criterion == "dead" and not equal:
        raise _core.Error("prune: the outputs of the calibration data changed; please report this model")
    rows = tuple(_row(s, kept, (graph, model), (Graph(parts), made)) for s in streams)
    notes = [
        f"'{s.name}' never fires on calibration data; one channel of it is kept"
        for s in streams
        if criterion == "dead" and s.name in kept and not seen.rate(s).any()
    ]
    return made, PruneReport(
        criterion=criterion,
        ratio=None if criterion == "dead" else ratio,
        unstructured=unstructured,
        bytes_before=model.file_bytes,
        bytes_after=made.file_bytes,
        samples=0 if data is None else data.samples,
        label_agreement=agreement,
        outputs_equal=equal,
        memory_before=memory_held(model),
        memory_after=memory_held(made),
        streams=rows,
        notes=tuple(notes),
    )


def _checked(
    model: Model,
    calibration: Inputs | None,
    ratio: float | None,
    ratios: Mapping[str, float] | None,
    criterion: str,
    unstructured: bool,
) -> float:
    check_model("prune", model)
    if criterion not in get_args(Criterion):
        raise ValueError(
            f"prune: criterion must be one of {', '.join(get_args(Criterion))}, received {criterion!r}"
        )
    share = share_of("ratio", _DEFAULT_RATIO if ratio is None else ratio)
    if unstructured and criterion != "magnitude":
        raise ValueError(f"prune: unstructured goes with criterion 'magnitude' only, received '{criterion}'")
    if criterion == "dead" and (ratio is not None or ratios):
        raise ValueError("prune: criterion 'dead' removes all channels that never fire; give no ratio")
    if calibration is None and criterion != "magnitude":
        raise ValueError(f"prune: criterion '{criterion}' needs calibration data, received none")
    return share


def _kept(stream: Stream, scores: NDArray[Any], rates: NDArray[Any], ratio: float | None) -> NDArray[np.intp]:
    """Choose the channels of the highest scores, ascending; without a ratio those that fire, at least one."""
    count = max(1, np.count_nonzero(rates)) if ratio is None else kept(stream.channels, ratio)
    if count == 0:
        raise ValueError(
            f"prune: a ratio of {ratio:g} would leave none of the {stream.channels} channels of "
            f"'{stream.name}'; choose a smaller one"
        )
    order = np.lexsort((np.arange(stream.channels), -rates, -scores))
    return np.sort(order[:count])


def _built(model: Model, parts: EditedParts, criterion: str, unstructured: bool) -> Model:
    facts = model.metadata
    what = "single weights" if unstructured else "channels"
    provenance = {**facts["provenance"], "pruned": f"{what}, by {criterion}, without training"}
    return Copy(Graph(parts)).model(
        {"labels": facts["labels"], "preprocess": facts["preprocess"], "provenance": provenance}
    )


def _compared(old: Model, new: Model, data: Calibration, threads: int | None) -> tuple[float | None, bool]:
    """Run both on the calibration data: the share of equal labels, and whether all outputs are equal."""
    compared, equal = data.compare(old, new, (), threads), True
    for x in data.batches():
        one, two = (m.run(x, layout=data.layout, threads=threads) for m in (old, new))
        pairs = zip(one.values(), two.values(), strict=True) if isinstance(one, dict) else [(one, two)]
        equal = equal and all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    return compared.label_agreement, equal


def _row(
    stream: Stream,
    kept: Mapping[str, NDArray[np.intp]],
    before: tuple[Graph, Model],
    after: tuple[Graph, Model],
) -> PrunedStream:
    names = {n["name"] for n in stream.writers}
    left = kept.get(stream.name, np.arange(stream.channels))

    def weights(graph: Graph) -> int:
        return sum(_filled(graph, n) for n in graph.weighted() if n["name"] in names)

    def size(model: Model) -> int:
        return sum(row.bytes for row in model.layers if row.name in names)

    old, new = weights(before[0]), weights(after[0])
    thinned = not kept and new != old  # single weights of a layer that keeps its channels
    return PrunedStream(
        name=stream.name,
        members=tuple(stream.members),
        channels_before=stream.channels,
        channels_after=len(left),
        kept=tuple(map(int, left)),
        weights_before=old,
        weights_after=new,
        bytes_before=size(before[1]),
        bytes_after=size(after[1]),
        reason=None if thinned else stream.reason,
    )


def _filled(graph: Graph, node: Node) -> int:
    codes = graph.parts.codes(node)
    return int(np.count_nonzero(graph.values(node)["weight"] if codes is None else codes.m))
