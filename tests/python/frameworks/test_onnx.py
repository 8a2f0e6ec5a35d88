"""Networks of SpikingJelly and snnTorch, converted and exported: onnxruntime fires where they do."""

from __future__ import annotations

import pytest
import torch
from frameworks.networks import check, dyadic, images
from torch import nn

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from convert.onnx_runs import same

import snncore


def exported(model: snncore.Model, net, x: torch.Tensor) -> None:
    """Equal to the framework (by `verify`), to the engine, and back again byte for byte."""
    check(model, net, x)
    names = [layer.name for layer in model.layers if layer.op in ("lif", "if", "neuron")]
    proto = same(model, x.numpy(), names)
    assert snncore.from_onnx(proto).to_bytes() == model.to_bytes()


@pytest.mark.parametrize("kind", ["if", "lif", "plif", "soft"])
def test_spikingjelly_cnn(kind):
    pytest.importorskip("spikingjelly")
    from frameworks.test_import_spikingjelly import cnn
    from spikingjelly.activation_based import neuron

    make = {
        "if": neuron.IFNode,
        "lif": neuron.LIFNode,
        "plif": lambda: neuron.ParametricLIFNode(init_tau=2.0),
        "soft": lambda: neuron.LIFNode(v_reset=None),
    }[kind]
    net, x = cnn(make), images(5, 3, (3, 8, 8))
    exported(snncore.from_spikingjelly(net, x), net, x)


def test_spikingjelly_sew_resnet():
    pytest.importorskip("spikingjelly")
    from frameworks.test_import_spikingjelly import SewNet

    net, x = dyadic(SewNet(), gain=2.5), images(4, 2, (2, 8, 8))
    exported(snncore.from_spikingjelly(net, x), net, x)


def test_snntorch():
    snn = pytest.importorskip("snntorch")
    net = nn.Sequential(
        nn.Conv2d(2, 6, 3), snn.Leaky(beta=0.5, init_hidden=True), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(54, 12), snn.Synaptic(alpha=0.5, beta=0.5, init_hidden=True, output=True),
    )  # fmt: skip
    net, x = dyadic(net, gain=2.2), images(6, 3, (2, 8, 8))
    exported(snncore.from_snntorch(net, x), net, x)
