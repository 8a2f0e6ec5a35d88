"""Networks of the frameworks, imported and quantised: every layer becomes integer, and little changes."""

from __future__ import annotations

import pytest
import torch
from frameworks.networks import dyadic, images
from torch import nn

import snncore

PIXELS = {"zero_point": 128, "scale": 1 / 16}  # what `images` are made of


def check(model: snncore.Model, x: torch.Tensor) -> None:
    small, report = snncore.quantize(model, calibration=x.numpy(), preprocess=PIXELS, strict=True)
    assert report.left_float == () and report.label_agreement >= 0.9
    rates = [row.spike_agreement for row in report.layers if row.spike_agreement is not None]
    assert len(rates) >= 2 and min(rates) > 0.97
    assert snncore.verify(small, None, x[:, :2].numpy()).equal


def rows(make) -> list[nn.Module]:
    return [
        nn.Conv2d(2, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), make(), nn.AvgPool2d(2),
        nn.Conv2d(8, 12, 3, padding=1), make(), nn.Flatten(), nn.Linear(12 * 16, 10),
    ]  # fmt: skip


def test_spikingjelly_with_blocks():
    pytest.importorskip("spikingjelly")
    from frameworks.test_import_spikingjelly import SewNet

    x = images(4, 24, (2, 8, 8))
    check(snncore.from_spikingjelly(dyadic(SewNet()), x), x)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_snntorch(reset):
    snntorch = pytest.importorskip("snntorch")
    net = nn.Sequential(*rows(lambda: snntorch.Leaky(beta=0.75, init_hidden=True, reset_mechanism=reset)))
    x = images(5, 24, (2, 8, 8))
    check(snncore.from_snntorch(dyadic(net, gain=1.5), x), x)


def test_norse():
    norse = pytest.importorskip("norse.torch")
    net = norse.SequentialState(*rows(norse.LIFBoxCell))
    x = images(5, 24, (2, 8, 8))
    check(snncore.from_norse(dyadic(net, gain=8), x), x)


def test_nir():
    nir = pytest.importorskip("nir")
    import numpy as np

    rng = np.random.default_rng(0)
    w = [(rng.integers(-40, 60, s) / 64).astype(np.float32) for s in ((30, 20), (10, 30))]
    full = {
        n: np.full(30, v, np.float32)
        for n, v in {"tau": 2e-3, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0}.items()
    }
    graph = nir.NIRGraph.from_list(nir.Linear(w[0]), nir.LIF(**full), nir.Linear(w[1]))
    model = snncore.from_nir(graph, dt=1e-3, reset="zero", input_dtype="b1", readout="mean", timesteps=5)
    x = rng.random((5, 40, 20)) < 0.4
    small, report = snncore.quantize(model, calibration=x, strict=True)
    assert report.label_agreement >= 0.95 and report.layers[0].spike_agreement > 0.99
    assert snncore.verify(small, None, x).equal
