"""Random networks in onnxruntime: what the engine computes, bit for bit; and read back: the same file."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
for package in ("onnxruntime", "torch", "safetensors"):
    pytest.importorskip(package)

from convert.onnx_runs import fed, run
from hypothesis import given
from property import strategies, test_cuba, test_recurrent
from property.engine import Builder, equal
from property.strategies import Case

import snncore


def check(case: Case) -> None:
    """Sums, spikes and outputs of onnxruntime, and the bytes of what is read back."""
    make_exact(case)
    model = case.build(Builder())
    proto = snncore.to_onnx(model, record=[*case.neurons, *case.sums])
    onnx.checker.check_model(proto, full_check=True)
    ours = model.run(case.x, record=[*case.neurons, *(f"{s}.sum" for s in case.sums)])
    theirs = run(proto, fed(model.inputs[0], case.x))
    if has_exact_sums(case):
        for name in case.sums:
            equal(theirs[name], ours.states[f"{name}.sum"], f"sums of {name}")
        for name in case.neurons:
            equal(theirs[name], ours.spikes[name].numpy(), f"spikes of {name}")
        equal(theirs["y"], ours.outputs, "output")
    elif not case.neurons:
        np.testing.assert_allclose(theirs["y"], ours.outputs, rtol=1e-5, atol=1e-5)
    again = snncore.from_onnx(proto.SerializeToString())
    assert document(again) == document(model)
    assert again.to_bytes() == model.to_bytes()


def make_exact(case: Case) -> None:
    """Give the case's layout to its input, and values to float layers whose sums are exact in any order."""
    if case.x.dtype == np.float32:
        case.x = np.round(case.x * 4) / np.float32(4)
    for method, arguments in case.calls:
        if method == "input":
            arguments["layout"] = case.layout
            if "scale" in arguments and arguments["dtype"] == "f32":
                arguments["scale"] = 1 / 4
        if arguments.get("encoding") == "f32":
            for name in ("weight", "bias"):
                if arguments[name] is not None:
                    arguments[name] = np.round(arguments[name] * 8) / np.float32(8)


def has_exact_sums(case: Case) -> bool:
    """Tell whether no mean over a window whose size is no power of two goes into a float sum."""
    real = any(a.get("encoding") == "f32" for _, a in case.calls) or case.x.dtype == np.float32
    sizes = [math.prod(a["kernel"]) for method, a in case.calls if method == "avgpool2d"]
    return not real or all(size & (size - 1) == 0 for size in sizes)


def document(model: snncore.Model) -> Any:
    return json.loads(model._core.document())


@given(strategies.networks())
def test_networks(case: Case) -> None:
    check(case)


@given(strategies.real_networks())
def test_float_networks(case: Case) -> None:
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


@given(test_recurrent.real_loops())
def test_float_loops(case: Case) -> None:
    check(case)
