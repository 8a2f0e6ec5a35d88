"""SpikingJelly's own modules against the reference."""

from __future__ import annotations

import itertools

import pytest
import torch
from frameworks import against

pytest.importorskip("spikingjelly")
from spikingjelly.activation_based import functional, neuron, surrogate

from snncore.presets import spikingjelly as preset

RESETS = [None, 0.0, -0.25]


def modes(module, x):
    """The module step by step and as a sequence; both must agree with the reference."""
    module.step_mode = "s"
    outs, vs = [], []
    for now in x:
        outs.append(module(now))
        vs.append(module.v.clone())
    module.reset()
    module.step_mode, module.store_v_seq = "m", True
    out = module(x)
    against.same_bits("multi-step output", torch.stack(outs), out)
    against.same_bits("multi-step membrane", torch.stack(vs), module.v_seq)
    return out, module.v_seq, None


def one_mode(module, x, mode):
    module.step_mode = mode
    if mode == "m":
        module.store_v_seq = True
        return module(x), module.v_seq, None
    outs, vs = [], []
    for now in x:
        outs.append(module(now))
        vs.append(module.v.clone())
    return torch.stack(outs), torch.stack(vs), None


def test_version():
    import importlib.metadata

    assert importlib.metadata.version("spikingjelly") == preset.VERSION


def test_if():
    against.check(
        [
            (
                preset.if_(v_threshold=th, v_reset=r),
                lambda x, th=th, r=r: modes(neuron.IFNode(v_threshold=th, v_reset=r), x),
            )
            for th, r in itertools.product([1.0, 0.75], RESETS)
        ]
    )


@pytest.mark.parametrize("decay_input", [True, False])
def test_lif(decay_input):
    against.check(
        [
            (
                preset.lif(tau, decay_input, th, r),
                lambda x, tau=tau, th=th, r=r: modes(neuron.LIFNode(tau, decay_input, th, r), x),
            )
            for tau, th, r in itertools.product([2.0, 4.0, 1.7, 10.3], [0.5, 0.3], RESETS)
        ]
    )


def test_lif_with_another_surrogate():
    against.check(
        [
            (
                preset.lif(2.0, True, 0.5, 0.0),
                lambda x: modes(neuron.LIFNode(2.0, True, 0.5, 0.0, surrogate_function=surrogate.ATan()), x),
            )
        ]
    )


@pytest.mark.parametrize("decay_input", [True, False])
def test_parametric_lif(decay_input):
    cases = []
    for init_tau, th, r in itertools.product([2.0, 3.7], [0.5, 0.3], RESETS):
        module = neuron.ParametricLIFNode(init_tau, decay_input, th, r)
        q = module.w.detach().sigmoid().item()
        cases.append(
            (preset.parametric_lif(q, decay_input, th, r), lambda x, m=module: (m.reset(), modes(m, x))[1])
        )
    against.check(cases)


@pytest.mark.parametrize("mode", ["s", "m"])
def test_ilif(mode):
    def framework(x, tau, th, most):
        module = neuron.ILIFNode(tau, th, surrogate.MultiLevelSpikeCount(most))
        return one_mode(module, x, mode)

    against.check(
        [
            (
                preset.ilif(tau, th, most, step_mode=mode),
                lambda x, tau=tau, th=th, most=most: framework(x, tau, th, most),
            )
            for tau, th, most in itertools.product([4 / 3, 2.0, 3.3], [1.0, 0.7], [1, 4, 8])
        ],
        scale=2.0,
    )


def test_the_two_step_modes_of_ilif_differ_in_their_bits():
    x = list(against.inputs(0, 2.0))[1]
    module = neuron.ILIFNode(3.3, 0.7)
    s = one_mode(module, x, "s")
    module.reset()
    m = one_mode(module, x, "m")
    with pytest.raises(AssertionError, match="membrane differs"):
        against.same_bits("membrane", s[1], m[1])


def non_spiking(module, x):
    v = torch.stack(module(x))
    return v, v, None


def test_non_spiking():
    tau = [2.0, 3.3]
    cases = [
        (preset.non_spiking_lif(t), lambda x, t=t: non_spiking(neuron.NonSpikingLIFNode(t), x)) for t in tau
    ]
    cases.append((preset.non_spiking_if(), lambda x: non_spiking(neuron.NonSpikingIFNode(), x)))
    for n, framework in cases:
        for x in against.inputs(1):
            against.compare(n, x, framework(x))


def test_cuba_lif():
    def framework(x, a, b, th, r):
        i = v = torch.zeros_like(x[0])
        outs, vs, currents = [], [], []
        for now in x:
            s, i, v = functional.cuba_lif_step(now, i, v, a, b, th, r, surrogate.Sigmoid())
            outs.append(s)
            vs.append(v)
            currents.append(i)
        return torch.stack(outs), torch.stack(vs), torch.stack(currents)

    against.check(
        [
            (
                preset.cuba_lif(a, b, th, r),
                lambda x, a=a, b=b, th=th, r=r: framework(x, a, b, th, r),
            )
            for a, b, th, r in itertools.product([0.5, 0.8], [0.5, 0.9], [1.0], RESETS)
        ]
    )
