"""The parametrised neuron: hand-worked steps, refusals, and that today's `LIF` is one of its cases."""

from __future__ import annotations

import pytest
import torch

from snncore.neuron import Neuron
from snncore.reference import LIF
from snncore.reference.neuron import run, step


def walk(neuron, *inputs):
    trace = run(neuron, torch.tensor(inputs, dtype=torch.float32).view(-1, 1, 1))
    return trace.out.flatten().tolist(), trace.v.flatten().tolist()


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("strict", [True, False])
def test_the_plain_neuron_is_a_case(reset, strict):
    x = torch.randint(-4, 9, (16, 2, 32), generator=torch.Generator().manual_seed(0)) / 8
    plain = LIF(decay=0.5, input_gain=0.75, threshold=0.5, reset=reset, strict=strict)
    fire = "above" if strict else "at_least"
    neuron = Neuron(rate=0.5, input_gain=0.75, threshold=0.5, reset=reset, fire=fire)
    assert torch.equal(run(neuron, x).out, plain(x))


def test_steps_by_hand():
    delayed = Neuron(rate=1.0, fire="above", reset="subtract", reset_step="next_charge")
    assert walk(delayed, 1.5, 0.0, 1.0) == ([1, 0, 1], [1.5, 0.5, 1.5])
    assert walk(Neuron(rate=1.0, fire="count", most=3, reset="subtract"), 2.5, 9.0) == ([2, 3], [0.5, 6.5])
    assert walk(Neuron(rate=1.0, fire="round", most=4, reset="subtract"), 0.5, 1.0, 1.0) == (
        [0, 2, 0],  # ties go to the even count
        [0.5, -0.5, 0.5],
    )
    old = Neuron(rate=1.0, fire="above", voltage="old", reset="subtract", reset_step="next_charge")
    assert walk(old, 1.5, 0.0, 0.0) == ([0, 1, 0], [1.5, 0.5, 0.5])
    waits = Neuron(rate=1.0, refractory="input", refractory_steps=2)
    assert walk(waits, 1.0, 1.0, 1.0, 1.0) == ([1, 0, 0, 1], [0, 0, 0, 0])
    holds = Neuron(rate=0.5, refractory="hold", refractory_steps=1, reset="value", reset_value=0.25)
    assert walk(holds, 1.0, 1.0, 0.0) == ([1, 0, 0], [0.25, 0.25, 0.125])
    assert walk(Neuron(rate=1.0, floor="clamp", floor_value=-0.5), -2.0, 0.25) == ([0, 0], [-0.5, -0.25])
    corrected = Neuron(rate=1.0, fire="above", reset="subtract", reset_step="next_charge", correct=True)
    assert walk(corrected, 2.5, 0.0) == ([1, 0], [1.5, 1.5])  # a quirk that is kept: r = 1, s = 0


def test_a_state_goes_on():
    x = torch.rand(9, 3, 4, generator=torch.Generator().manual_seed(1))
    n = Neuron(rate=0.9, synapse="jump", synapse_rate=0.25, refractory="input", refractory_steps=2)
    whole, first = run(n, x), run(n, x[:4])
    assert torch.equal(torch.cat([first.out, run(n, x[4:], first.last).out]), whole.out)
    assert torch.equal(step(n, x[4], first.last)[0], whole.out[4])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"charge": "euler"}, "charge must be one of decay, relax_divide"),
        ({"charge": "relax_divide", "rate": 0.0}, "must not be 0"),
        ({"rate": float("nan")}, "rate must be finite"),
        ({"threshold": 1e39}, "threshold must be finite"),
        ({"threshold": "high"}, "expected numbers for threshold"),
        ({"fire": "count", "threshold": -1.0}, "needs a threshold above 0"),
        ({"fire": "count", "most": 65536}, "most must be 1..65535"),
        ({"most": 2}, "most must be 1..1"),
        ({"fire": "count", "most": 2.5}, "most must be an integer"),
        ({"refractory": "input"}, "refractory_steps must be 1..32767"),
        ({"refractory_steps": 3}, "refractory_steps must be 0..0"),
        ({"fire": "count", "voltage": "old"}, "needs voltage 'new'"),
        ({"fire": "none"}, "needs reset 'none'"),
        ({"reset": "none", "reset_step": "next_state"}, "needs reset_step 'same'"),
        ({"correct": True}, "correct needs"),
        (
            {"reset": "zero", "reset_step": "next_state", "refractory": "hold", "refractory_steps": 1},
            "refractory",
        ),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        Neuron(**options)
