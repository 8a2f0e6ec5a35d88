"""Random networks in onnxruntime: what the engine computes, bit for bit; and read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from property import strategies, test_cuba, test_recurrent
from property.engine import Builder, equal
from property.strategies import Case

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from convert.onnx_runs import fed, run

import snncore


def build(case: Case) -> snncore.Model:
    """The model, whose default layout is that of the case's input."""
    for method, arguments in case.calls:
        if method == "input":
            arguments["layout"] = case.layout
    return case.build(Builder())


def check(case: Case) -> None:
    model = build(case)
    proto = snncore.to_onnx(model, record=[*case.neurons, *case.sums])
    onnx.checker.check_model(proto, full_check=True)
    ours = model.run(case.x, record=[*case.neurons, *(f"{s}.sum" for s in case.sums)])
    theirs = run(proto, fed(model.inputs[0], case.x))
    for name in case.sums:
        equal(theirs[name], ours.states[f"{name}.sum"], f"sums of {name}")
    for name in case.neurons:
        equal(theirs[name], ours.spikes[name].numpy(), f"spikes of {name}")
    equal(theirs["y"], ours.outputs, "output")


@given(strategies.networks())
def test_networks(case: Case) -> None:
    check(case)


@given(strategies.convolutions())
def test_convolutions(case: Case) -> None:
    check(case)


@given(strategies.neurons())
def test_neurons(case: Case) -> None:
    check(case)


@given(strategies.residuals())
def test_residuals(case: Case) -> None:
    check(case)


@given(strategies.pools())
def test_pools(case: Case) -> None:
    check(case)


@given(strategies.adds())
def test_adds(case: Case) -> None:
    check(case)


@given(test_cuba.cases())
def test_cuba_lif(case: Case) -> None:
    check(case)


@given(test_recurrent.delays())
def test_delays(case: Case) -> None:
    check(case)


@given(test_recurrent.loops())
def test_loops(case: Case) -> None:
    check(case)
