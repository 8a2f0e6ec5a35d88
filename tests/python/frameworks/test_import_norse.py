"""Whole Norse networks."""

from __future__ import annotations

import pytest
import torch
from frameworks.networks import check, dyadic, images
from torch import nn

norse = pytest.importorskip("norse")
import norse.torch as nt

import snncore


def test_sequential_state():
    p = nt.LIFBoxParameters(tau_mem_inv=torch.tensor(500.0))
    net = nt.SequentialState(
        nn.Conv2d(2, 6, 3, padding=1),
        nt.LIFBoxCell(p),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 16, 10),
        nt.IAFCell(),
    )
    net = dyadic(net)
    x = images(6, 3, (2, 8, 8)) * 2
    check(snncore.from_norse(net, x), net, x)


def test_lif_with_synapse():
    net = dyadic(nt.SequentialState(nn.Linear(16, 32), nt.LIFCell(), nn.Linear(32, 8), nt.LIFCell()))
    x = images(20, 4, (16,)) * 8
    check(snncore.from_norse(net, x), net, x)


def test_what_is_not_known_is_named():
    with pytest.raises(snncore.Error, match=r"expected a norse\.torch.SequentialState, received Linear"):
        snncore.from_norse(nn.Linear(4, 4), torch.zeros(2, 1, 4))
    with pytest.raises(snncore.Error, match=r"1 \(LSNNCell\): unknown|LSNNCell"):
        snncore.from_norse(nt.SequentialState(nn.Linear(4, 4), nt.LSNNCell()), torch.zeros(2, 1, 4))
