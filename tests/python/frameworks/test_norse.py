"""Norse's own functions against the reference."""

from __future__ import annotations

import itertools

import pytest
import torch
from frameworks import against

pytest.importorskip("norse")
from norse.torch.functional.iaf import IAFFeedForwardState, IAFParameters, iaf_feed_forward_step
from norse.torch.functional.leaky_integrator import LIParameters, LIState, li_feed_forward_step
from norse.torch.functional.lif_refrac import (
    LIFRefracFeedForwardState,
    LIFRefracParameters,
    lif_refrac_feed_forward_step,
)
from norse.torch.functional.reset import reset_subtract, reset_value
from norse.torch.module.leaky_integrator_box import LIBoxCell, LIBoxParameters
from norse.torch.module.lif import LIFCell, LIFFeedForwardState, LIFParameters
from norse.torch.module.lif_box import LIFBoxCell, LIFBoxParameters

from snncore.presets import norse as preset

# dt / tau is dyadic for the first of each
MEM = [(1 / 2.0**-3, 2.0**-4), (100.0, 0.001), (83.0, 0.0013)]


def stacked(steps):
    outs, vs, currents = zip(*steps, strict=True)
    current = None if currents[0] is None else torch.stack(currents).detach()
    return torch.stack(outs).detach(), torch.stack(vs).detach(), current


def tensors(**values):
    return {k: torch.as_tensor(v) for k, v in values.items()}


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("norse") == preset.VERSION


@pytest.mark.parametrize("leak", [0.0, 0.25])
def test_lif(leak):
    def framework(x, options, dt):
        cell, state, steps = LIFCell(LIFParameters(**tensors(**options)), dt=dt), None, []
        for now in x:
            z, state = cell(now, state)
            steps.append((z, state.v, state.i))
        return stacked(steps)

    cases = []
    for (mem, dt), th, reset in itertools.product(MEM, [0.5, 0.3], [0.0, -0.25]):
        syn = mem * 2
        options = dict(tau_syn_inv=syn, tau_mem_inv=mem, v_leak=leak, v_th=th, v_reset=reset)
        cases.append((preset.lif(**options, dt=dt), lambda x, o=options, dt=dt: framework(x, o, dt)))
    against.check(cases)


def test_lif_refrac():
    def framework(x, options, dt, rho):
        p = LIFRefracParameters(LIFParameters(**tensors(**options)), torch.as_tensor(rho))
        zero = torch.zeros_like(x[0])
        state, steps = LIFRefracFeedForwardState(LIFFeedForwardState(zero, zero), zero), []
        for now in x:
            z, state = lif_refrac_feed_forward_step(now, state, p, dt)
            steps.append((z, state.lif.v, state.lif.i))
        return stacked(steps)

    cases = []
    for (mem, dt), rho in itertools.product(MEM, [1.0, 2.5, 5.0]):
        options = dict(tau_syn_inv=mem * 2, tau_mem_inv=mem, v_leak=0.0, v_th=0.5, v_reset=0.0)
        cases.append(
            (
                preset.lif_refrac(**options, rho_reset=rho, dt=dt),
                lambda x, o=options, dt=dt, rho=rho: framework(x, o, dt, rho),
            )
        )
    against.check(cases)


@pytest.mark.parametrize("method", ["value", "subtract"])
def test_lif_box(method):
    methods = {"value": reset_value, "subtract": reset_subtract}

    def framework(x, options, dt):
        p = LIFBoxParameters(**tensors(**options), reset_method=methods[method])
        cell, state, steps = LIFBoxCell(p, dt=dt), None, []
        for now in x:
            z, state = cell(now, state)
            steps.append((z, state.v, None))
        return stacked(steps)

    cases = []
    for (mem, dt), th, leak in itertools.product(MEM, [0.5, 0.3], [0.0, 0.125]):
        options = dict(tau_mem_inv=mem, v_leak=leak, v_th=th, v_reset=0.0)
        cases.append(
            (
                preset.lif_box(**options, reset_method=method, dt=dt),
                lambda x, o=options, dt=dt: framework(x, o, dt),
            )
        )
    against.check(cases)


def test_iaf():
    def framework(x, th, reset):
        p = IAFParameters(torch.as_tensor(th), torch.as_tensor(reset))
        state, steps = IAFFeedForwardState(torch.zeros_like(x[0])), []
        for now in x:
            z, state = iaf_feed_forward_step(now, state, p)
            steps.append((z, state.v, None))
        return stacked(steps)

    against.check(
        [
            (preset.iaf(th, r), lambda x, th=th, r=r: framework(x, th, r))
            for th, r in itertools.product([1.0, 0.7], [0.0, -0.5])
        ]
    )


def test_readouts():
    def li(x, options, dt):
        zero = torch.zeros_like(x[0])
        state, steps = LIState(zero + options["v_leak"], zero), []
        for now in x:
            out, state = li_feed_forward_step(now, state, LIParameters(**tensors(**options)), dt)
            steps.append((out, state.v, state.i))
        return stacked(steps)

    def box(x, options, dt):
        cell, state, steps = LIBoxCell(LIBoxParameters(**tensors(**options)), dt=dt), None, []
        for now in x:
            out, state = cell(now, state)
            steps.append((out, state.v, None))
        return stacked(steps)

    for (mem, dt), leak in itertools.product(MEM, [0.0, 0.25]):
        options = dict(tau_syn_inv=mem * 2, tau_mem_inv=mem, v_leak=leak)
        for x in against.inputs(3):
            against.compare(preset.li(**options, dt=dt), x, li(x, options, dt))
            options_box = dict(tau_mem_inv=mem, v_leak=leak)
            against.compare(preset.li_box(**options_box, dt=dt), x, box(x, options_box, dt))
