"""Whole sinabs networks, batch first and squeezed; many spikes a step."""

from __future__ import annotations

import pytest
import torch
from frameworks.networks import check, dyadic, images
from torch import nn

pytest.importorskip("sinabs")
import sinabs.activation as sa
import sinabs.layers as sl

import snncore


@pytest.mark.parametrize("single", [True, False])
def test_squeezed_cnn(single):
    fire = sa.SingleSpike if single else sa.MultiSpike
    make = lambda: sl.IAFSqueeze(batch_size=3, spike_fn=fire, min_v_mem=-1.0)  # noqa: E731
    net = nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1, bias=False), make(), nn.AvgPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1, bias=False), make(), nn.Flatten(),
        nn.Linear(8 * 16, 10, bias=False), make(),
    )  # fmt: skip
    net = dyadic(net)
    x = images(5, 3, (2, 8, 8))
    check(snncore.from_sinabs(net, x), net, x)


def test_lif_batch_first():
    net = dyadic(
        nn.Sequential(nn.Linear(20, 30), sl.LIF(1 / 0.6931471805599453), nn.Linear(30, 10), sl.IAF())
    )
    x = images(8, 4, (20,))
    check(snncore.from_sinabs(net, x), net, x)


def test_what_is_not_known_is_named():
    net = nn.Sequential(nn.Linear(4, 4), sl.ALIF(10.0, 10.0))
    with pytest.raises(snncore.Error, match=r"1 \(ALIF\): unknown"):
        snncore.from_sinabs(net, torch.zeros(2, 1, 4))
