"""The parametrised neuron in onnxruntime, in every combination of stages: the engine's very values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

for package in ("onnx", "onnxruntime", "torch", "safetensors"):
    pytest.importorskip(package)

from convert.onnx_runs import run
from property.engine import equal
from property.test_neuron import charged, currents, model_of, parameters, rules

import snncore
from snncore import Neuron


@pytest.mark.parametrize("options", rules() + charged(), ids=lambda o: "-".join(str(v) for v in o.values()))
def test_stages(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(sum(map(ord, str(options))))
    for shape in ((5, 2, 3), (37,)):
        neuron = Neuron(**options, **parameters(rng, shape, dyadic=False))
        x = currents(rng, shape, dyadic=False)
        model = model_of(neuron, shape)
        proto = snncore.to_onnx(model)
        equal(run(proto, x)["y"], model.run(x), "output")
        assert snncore.from_onnx(proto).to_bytes() == model.to_bytes()
