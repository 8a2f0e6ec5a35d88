"""NIR nodes, which no code of NIR runs, against their equations in float64, on numbers where both are exact.

Norse's importer runs the same nodes: on these numbers its order of operations gives the same spikes.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from frameworks import against

nir = pytest.importorskip("nir")

from snncore.presets import nir as preset
from snncore.reference.neuron import run

DT = 2.0**-7
N = against.NEURONS


def full(value):
    return np.full(N, value, dtype=np.float32)


def node(kind, **values):
    return kind(**{name: full(value) for name, value in values.items()})


def euler(x, tau, r, v_leak, v_threshold=None, v_reset=None, tau_syn=None, w_in=None, reset="value", dt=DT):
    """The equations of the node by Euler's method, float64."""
    v, i = np.zeros(x.shape[1:]), np.zeros(x.shape[1:])
    outs, vs = [], []
    for now in x.astype(np.float64):
        if tau_syn is not None:
            i = i + dt / tau_syn * (-i + w_in * now)
        v = v + dt / tau * ((v_leak - v) + r * (now if tau_syn is None else i))
        s = np.zeros_like(v) if v_threshold is None else v > v_threshold
        outs.append(v if v_threshold is None else s)
        if v_threshold is not None:
            v = np.where(s, v_reset if reset == "value" else v - v_threshold, v)
        vs.append(v)
    return torch.tensor(np.array(outs, dtype=np.float32)), torch.tensor(np.array(vs, dtype=np.float32)), None


def dyadic():
    """A few steps: every product stays exact in float32."""
    return next(iter(against.inputs(7, 4.0)))[:10]


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("nir") == preset.VERSION


@pytest.mark.parametrize("reset", ["value", "subtract"])
def test_lif(reset):
    n = node(nir.LIF, tau=2.0**-6, r=2.0, v_leak=1.0, v_threshold=2.0, v_reset=-1.0)
    ours = preset.lif(n.tau, n.r, n.v_leak, n.v_threshold, n.v_reset, dt=DT, reset=reset)
    x = dyadic()
    trace = against.compare(ours, x, euler(x.numpy(), 2.0**-6, 2.0, 1.0, 2.0, -1.0, reset=reset))
    assert (trace.h == 2.0).any()
    assert not trace.out[trace.h == 2.0].any()


@pytest.mark.parametrize("reset", ["value", "subtract"])
def test_cuba_lif(reset):
    n = node(
        nir.CubaLIF,
        tau_syn=2.0**-6,
        tau_mem=2.0**-6,
        r=2.0,
        v_leak=0.0,
        v_threshold=1.0,
        v_reset=0.0,
        w_in=2.0,
    )
    ours = preset.cuba_lif(
        n.tau_syn, n.tau_mem, n.r, n.v_leak, n.v_threshold, n.w_in, n.v_reset, dt=DT, reset=reset
    )
    x = dyadic()
    answer = euler(x.numpy(), 2.0**-6, 2.0, 0.0, 1.0, 0.0, 2.0**-6, 2.0, reset)
    trace = against.compare(ours, x, answer)
    assert (trace.h == 1.0).any()


def test_if_and_readouts():
    x = dyadic()
    n = node(nir.IF, r=1 / DT, v_threshold=1.0, v_reset=0.0)
    trace = run(preset.if_(n.r, n.v_threshold, n.v_reset, dt=DT, reset="zero"), x)
    v = np.zeros(x.shape[1:])
    for now, s in zip(x.numpy(), trace.out.numpy(), strict=True):
        v = v + now
        assert np.array_equal(v > 1, s > 0)
        v = np.where(v > 1, 0, v)
    n = node(nir.LI, tau=2.0**-6, r=2.0, v_leak=0.5)
    against.compare(preset.li(n.tau, n.r, n.v_leak, dt=DT), x, euler(x.numpy(), 2.0**-6, 2.0, 0.5))
    n = node(nir.CubaLI, tau_syn=2.0**-6, tau_mem=2.0**-6, r=2.0, v_leak=0.5, w_in=2.0)
    ours = preset.cuba_li(n.tau_syn, n.tau_mem, n.r, n.v_leak, n.w_in, dt=DT)
    against.compare(ours, x, euler(x.numpy(), 2.0**-6, 2.0, 0.5, tau_syn=2.0**-6, w_in=2.0))
    n = node(nir.I, r=1 / DT)
    trace = run(preset.i(n.r, dt=DT), x)
    assert torch.equal(trace.out, torch.cumsum(x, 0))


def test_norse_runs_the_same_node():
    pytest.importorskip("norse")
    from norse.torch.utils.import_nir import _import_norse_module

    n = node(nir.LIF, tau=2.0**-6, r=1.0, v_leak=0.0, v_threshold=2.0, v_reset=0.0)
    cell, state = _import_norse_module(n, dt=DT), None
    x = dyadic()
    outs = []
    for now in x:
        z, state = cell(now, state)
        outs.append(z.detach())
    ours = preset.lif(n.tau, n.r, n.v_leak, n.v_threshold, n.v_reset, dt=DT, reset="value")
    assert torch.equal(run(ours, x).out, torch.stack(outs))
