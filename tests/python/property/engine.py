"""The engine against the reference, on one case, in every way it can be run."""

from __future__ import annotations

from typing import Any

import numpy as np
import snnfile
import torch
from property.strategies import Case

import snncore
from snncore.reference.run import Result, read, run


class Builder(snncore.GraphBuilder):
    """`snncore.GraphBuilder` with the one name that the file's vocabulary has besides."""

    def lif_f32(self, name: str, x: str, **options: Any) -> str:
        return self.lif(name, x, **options)


def check(case: Case) -> None:
    """Spikes, membranes, integer sums and outputs: `==` in sequence and stream mode, with 1 and 2 threads."""
    model = case.build(Builder())
    names = recordings(case)
    check_formats(model)
    # Format 1 states the ranges that the engine has proven, and the reference holds it to them.
    expected = run(model.to_bytes(format_version=1), case.x, case.layout, record=names)
    for threads in (1, 2):
        recorded = model.run(case.x, layout=case.layout, threads=threads, record=names)
        compare(case, recorded, expected, f"{threads} threads")
        fired = model.run(case.x, layout=case.layout, threads=threads, record=case.neurons)
        for name in case.neurons:
            how = f"spikes of {name}, alone, {threads} threads"
            equal(fired.spikes[name].numpy(), expected.spikes[name], how)
        plain = model.run(case.x, layout=case.layout, threads=threads)
        equal(plain, expected.outputs["y"], f"output, nothing recorded, {threads} threads")
    check_stream(case, model, expected)
    check_foreign_file(case, expected)


def check_formats(model: snncore.Model) -> None:
    """The newest format says what format 1 says, to both readers, in fewer bytes."""
    whole, short = model.to_bytes(format_version=1), model.to_bytes()
    assert len(short) < len(whole)
    assert snncore.load(whole).to_bytes() == short and snncore.load(short).to_bytes(format_version=1) == whole
    ours, theirs = read(whole), read(short)
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name, tensor in ours.tensors.items():
        assert tensor.dtype == theirs.tensors[name].dtype and torch.equal(tensor, theirs.tensors[name]), name
    assert ours.document["graph"]["nodes"] == theirs.document["graph"]["nodes"]
    for name, edge in theirs.document["graph"]["edges"].items():
        stated = ours.document["graph"]["edges"].pop(name)
        assert edge == stated | {"range": edge["range"] and stated["range"]}, name
    assert not ours.document["graph"]["edges"]


def recordings(case: Case) -> list[str]:
    sums = [f"{name}.sum" for name in case.sums + case.totals]
    return [*case.neurons, *[f"{name}.v" for name in case.neurons], *sums]


def compare(case: Case, recorded: Any, expected: Result, how: str) -> None:
    for name in case.sums + case.totals:
        equal(recorded.states[f"{name}.sum"], expected.sums[name], f"sums of {name}, {how}")
    for name in case.neurons:
        equal(recorded.states[f"{name}.v"], expected.membranes[name], f"membranes of {name}, {how}")
        equal(recorded.spikes[name].numpy(), expected.spikes[name], f"spikes of {name}, {how}")
    equal(recorded.outputs, expected.outputs["y"], f"output, {how}")


def check_stream(case: Case, model: snncore.Model, expected: Result) -> None:
    """Step by step; two sessions, one with recordings (which keeps sums apart) and one without."""
    timed = "T" in case.layout
    axis = case.layout.index("T") if timed else -1
    batch = case.x.shape[case.layout.index("N")]
    layout = case.layout.replace("T", "")
    recorded = model.stream(batch=batch, layout=layout, record=recordings(case))
    plain = model.stream(batch=batch, layout=layout, threads=2)
    per_step = expected.outputs["y"].dim() != 2
    for t in range(case.timesteps):
        frame = np.ascontiguousarray(case.x.take(t, axis)) if timed else case.x
        result, output = recorded.step(frame), plain.step(frame)
        for name in case.neurons:
            equal(result.spikes[name].numpy()[0], expected.spikes[name][t], f"spikes of {name}, step {t}")
            equal(
                result.states[f"{name}.v"][0], expected.membranes[name][t], f"membranes of {name}, step {t}"
            )
        for name in case.sums:
            equal(result.states[f"{name}.sum"][0], expected.sums[name][t], f"sums of {name}, step {t}")
        if per_step:
            equal(output[0], expected.outputs["y"][t], f"output, step {t}")
            equal(result.outputs[0], expected.outputs["y"][t], f"output, step {t}, recorded")
    for name in case.totals:
        equal(result.states[f"{name}.sum"], expected.sums[name], f"sums of {name}, last step")
    if not per_step:
        equal(output, expected.outputs["y"], "output, last step")


def check_foreign_file(case: Case, expected: Result) -> None:
    """A file of the same network that the library did not write (its tensors are not aligned)."""
    data = case.build(snnfile.Builder()).to_bytes()
    theirs = run(data, case.x, case.layout)
    equal(theirs.outputs["y"], expected.outputs["y"], "output, the same calls to another writer")
    ours = snncore.load(data).run(case.x, layout=case.layout, record=case.neurons)
    equal(ours.outputs, theirs.outputs["y"], "output, foreign file")
    for name in case.neurons:
        equal(ours.spikes[name].numpy(), expected.spikes[name], f"spikes of {name}, foreign file")


def equal(ours: Any, theirs: Any, what: str) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, reference {theirs.shape}"
    if not np.array_equal(ours, theirs):
        at = tuple(int(i) for i in np.argwhere(ours != theirs)[0])
        count = int((ours != theirs).sum())
        raise AssertionError(f"{what}: {count} differ, first at {at}: {ours[at]}, reference {theirs[at]}")
