"""sinabs' own layers against the reference."""

from __future__ import annotations

import itertools

import pytest
import torch
from frameworks import against

sinabs = pytest.importorskip("sinabs")
import sinabs.activation as sa
import sinabs.layers as sl

from snncore.presets import sinabs as preset

# exp(-1 / tau) is 0.5 for the first
TAUS = [1 / 0.6931471805599453, 10.0, 2.3]


def framework(layer, x):
    """Batch first: [N, T, F]."""
    layer.record_states = True
    with torch.no_grad():
        out = layer(x.transpose(0, 1))
    states = {name: value.transpose(0, 1) for name, value in layer.recordings.items()}
    return out.transpose(0, 1), states["v_mem"], states.get("i_syn")


def alphas(layer):
    """What the layer multiplies with, float32."""
    syn = layer.alpha_syn_calculated
    return {
        "alpha_mem": layer.alpha_mem_calculated.item(),
        "alpha_syn": None if syn is None else syn.item(),
    }


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("sinabs") == preset.VERSION


@pytest.mark.parametrize("norm_input", [True, False])
@pytest.mark.parametrize("spikes", ["MultiSpike", "MaxSpike", "SingleSpike"])
@pytest.mark.parametrize("reset", ["MembraneSubtract", "MembraneReset"])
def test_lif(norm_input, spikes, reset):
    spike_fn = {"MultiSpike": sa.MultiSpike, "MaxSpike": sa.MaxSpike(3), "SingleSpike": sa.SingleSpike}
    reset_fn = {"MembraneSubtract": sa.MembraneSubtract(), "MembraneReset": sa.MembraneReset()}
    cases = []
    for tau, syn, th, least in itertools.product(TAUS, [None, 3.0], [0.5, 0.3], [None, -0.5]):
        layer = sl.LIF(
            tau,
            syn,
            torch.tensor(th),
            spike_fn[spikes],
            reset_fn[reset],
            min_v_mem=least,
            norm_input=norm_input,
        )
        n = preset.lif(
            **alphas(layer),
            spike_threshold=th,
            spike_fn=spikes,
            max_num_spikes_per_bin=3,
            reset_fn=reset,
            min_v_mem=least,
            norm_input=norm_input,
        )
        cases.append((n, lambda x, layer=layer: (layer.reset_states(), framework(layer, x))[1]))
    against.check(cases, scale=1.5)


def test_decays_from_time_constants_are_within_one_bit():
    for tau in torch.linspace(0.5, 50, 200):
        theirs = sl.LIF(tau).alpha_mem_calculated
        ours = torch.tensor(preset.lif(tau_mem=tau.item()).values("rate").item())
        assert abs(int(ours.view(torch.int32)) - int(theirs.detach().view(torch.int32))) <= 1


def test_iaf():
    cases = []
    for syn, th, least in itertools.product([None, 3.0], [1.0, 0.7], [None, -1.0, -0.3]):
        layer = sl.IAF(torch.tensor(th), tau_syn=syn, min_v_mem=least)
        n = preset.iaf(alpha_syn=alphas(layer)["alpha_syn"], spike_threshold=th, min_v_mem=least)
        cases.append((n, lambda x, layer=layer: (layer.reset_states(), framework(layer, x))[1]))
    against.check(cases, scale=2.0, shift=-0.5)


def test_exp_leak():
    for tau, norm in itertools.product(TAUS, [True, False]):
        layer = sl.ExpLeak(tau, norm_input=norm)
        n = preset.exp_leak(alpha_mem=alphas(layer)["alpha_mem"], norm_input=norm)
        for x in against.inputs(4):
            layer.reset_states()
            against.compare(n, x, framework(layer, x))
