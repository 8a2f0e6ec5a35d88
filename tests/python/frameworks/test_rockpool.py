"""Rockpool's own torch modules against the reference."""

from __future__ import annotations

import itertools

import pytest
import torch
from frameworks import against

pytest.importorskip("rockpool")
from rockpool.nn.modules import LIFBitshiftTorch, LIFNeuronTorch, LIFTorch

from snncore.presets import rockpool as preset


def framework(module, x):
    """Batch first; the module keeps its state, so it starts anew."""
    module = module.reset_state()
    with torch.no_grad():
        out, _, record = module(x.transpose(0, 1), record=True)
    current = record["isyn"][..., 0].transpose(0, 1) if "isyn" in record else None
    return out.transpose(0, 1), record["vmem"].transpose(0, 1), current


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("rockpool") == preset.VERSION


def test_lif_from_decays():
    cases = []
    for a, b, th, bias, most in itertools.product(
        [0.5, 0.9], [0.5, 0.7], [0.5, 0.3], [0.0, 0.125], [3.0, 65536.0]
    ):
        module = LIFTorch(
            (against.NEURONS,) * 2,
            leak_mode="decays",
            alpha=torch.tensor(a),
            beta=torch.tensor(b),
            threshold=torch.tensor(th),
            bias=torch.tensor(bias),
            max_spikes_per_dt=torch.tensor(most),
        )
        cases.append((preset.lif(a, b, th, bias, most), lambda x, m=module: framework(m, x)))
    against.check(cases)


def test_lif_from_time_constants():
    cases = []
    for mem, syn in itertools.product([0.02, 0.004], [0.01, 0.003]):
        module = LIFTorch(
            (against.NEURONS,) * 2, tau_mem=torch.tensor(mem), tau_syn=torch.tensor(syn), dt=1e-3
        )
        n = preset.lif(module.alpha.item(), module.beta.item())
        cases.append((n, lambda x, m=module: framework(m, x)))
    for n, answer in cases:
        for x in against.inputs(5):
            against.compare(n, x, answer(x))


def test_lif_bitshift():
    cases = []
    for mem, syn in itertools.product([0.002, 0.008], [0.002, 0.004]):
        module = LIFBitshiftTorch((against.NEURONS,) * 2, tau_mem=mem, tau_syn=syn, dt=1e-3)
        n = preset.lif(module.alpha.item(), module.beta.item(), max_spikes_per_dt=31)
        cases.append((n, lambda x, m=module: framework(m, x)))
    against.check(cases)


def test_lif_neuron():
    cases = []
    for mem, th, bias in itertools.product([0.02, 1e-3 / 0.6931471805599453], [0.5, 0.3], [0.0, 0.125]):
        module = LIFNeuronTorch(
            (against.NEURONS,), tau_mem=torch.tensor(mem), threshold=torch.tensor(th), bias=torch.tensor(bias)
        )
        alpha = torch.exp(-module.dt / module.tau_mem).item()
        n = preset.lif_neuron(alpha, th, bias)
        cases.append((n, lambda x, m=module: framework(m, x)))
    against.check(cases)
