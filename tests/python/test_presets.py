"""Presets without the frameworks: what they make of parameters, what they refuse, and a model of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import snncore
from snncore import Neuron, presets

# One of every function, by framework.
MADE: dict[str, list[Neuron]] = {
    "spikingjelly": [
        presets.spikingjelly.if_(v_reset=None),
        presets.spikingjelly.lif(decay_input=False),
        presets.spikingjelly.parametric_lif(0.25),
        presets.spikingjelly.ilif(),
        presets.spikingjelly.non_spiking_lif(),
        presets.spikingjelly.non_spiking_if(),
        presets.spikingjelly.cuba_lif(0.5, 0.75),
    ],
    "snntorch": [
        presets.snntorch.leaky(0.5, reset_delay=False),
        presets.snntorch.rleaky(0.5, reset_mechanism="zero"),
        presets.snntorch.synaptic(0.5, 0.75, reset_mechanism="none"),
        presets.snntorch.lapicque(1.0, 2.0),
    ],
    "norse": [
        presets.norse.lif(),
        presets.norse.lif_refrac(),
        presets.norse.lif_box(reset_method="subtract"),
        presets.norse.iaf(),
        presets.norse.li(),
        presets.norse.li_box(),
    ],
    "sinabs": [
        presets.sinabs.lif(tau_mem=10.0, tau_syn=5.0, spike_fn="MaxSpike", max_num_spikes_per_bin=2),
        presets.sinabs.iaf(min_v_mem=-1.0),
        presets.sinabs.exp_leak(0.5),
    ],
    "rockpool": [presets.rockpool.lif(tau_mem=0.02, tau_syn=0.01), presets.rockpool.lif_neuron(0.5)],
    "spyx": [
        presets.spyx.lif(0.5),
        presets.spyx.if_(),
        presets.spyx.cuba_lif(0.5, 0.75),
        presets.spyx.psu_lif(0.5),
        presets.spyx.li(0.5),
    ],
    "bindsnet": [
        presets.bindsnet.if_nodes(),
        presets.bindsnet.lif_nodes(0.99, lbound=-70.0),
        presets.bindsnet.boosted_lif_nodes(0.99),
        presets.bindsnet.current_lif_nodes(0.99, 0.5),
    ],
    "nir": [
        presets.nir.if_(1.0, 1.0, dt=1e-4, reset="zero"),
        presets.nir.lif(0.01, 1.0, 0.0, 1.0, dt=1e-4, reset="subtract"),
        presets.nir.cuba_lif(0.005, 0.01, 1.0, 0.0, 1.0, dt=1e-4, reset="value"),
        presets.nir.i(1.0, dt=1e-4),
        presets.nir.li(0.01, 1.0, 0.0, dt=1e-4),
        presets.nir.cuba_li(0.005, 0.01, 1.0, 0.0, dt=1e-4),
    ],
}


def test_every_framework_and_function_is_here() -> None:
    assert [*MADE, "lava"] == list(presets.VERSIONS)  # whose neuron is an operation of its own
    for framework, made in MADE.items():
        module = getattr(presets, framework)
        functions = [
            name
            for name, value in vars(module).items()
            if callable(value) and value.__module__ == module.__name__ and not name.startswith("_")
        ]
        assert len(functions) == len(made), framework


@pytest.mark.parametrize("framework", MADE)
def test_every_preset_becomes_a_model(framework: str) -> None:
    x = np.random.default_rng(0).uniform(-1, 20, (6, 2, 3, 2, 2)).astype(np.float32)
    for neuron in MADE[framework]:
        b = snncore.GraphBuilder()
        b.output("y", b.neuron("n", b.input("x", "f32", (3, 2, 2), layout="TNCHW"), neuron))
        model = snncore.load(b.build(timesteps=6).to_bytes())
        result = model.run(x, record=["n.v"])
        assert result.outputs.shape == x.shape
        assert np.isfinite(result.states["n.v"]).all()
        assert neuron.equation().startswith(("h = ", "i = ", "y = "))
        most = neuron.most if neuron.fire != "none" else np.inf
        assert result.outputs.max() <= most


def test_parameters() -> None:
    assert presets.spikingjelly.lif(v_reset=-0.5).values("initial") == np.float32(-0.5)
    assert presets.snntorch.leaky([0.5, 2.0]).values("rate").tolist() == [0.5, 1.0]
    assert presets.norse.lif(dt=0.002).values("rate") == np.float32(0.002) * np.float32(100)
    assert presets.sinabs.lif(0.75).values("input_gain") == 0.25
    assert presets.bindsnet.current_lif_nodes(0.5, 0.5, refrac=1).refractory == "none"
    assert presets.rockpool.lif(0.5, 0.5).most == 65535
    assert presets.nir.lif(0.01, 2.0, 0.0, 1.0, dt=1e-3, reset="zero").values("input_gain") == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: presets.snntorch.leaky(0.5, reset_mechanism="half"), "reset_mechanism must be"),
        (lambda: presets.sinabs.lif(), "expected alpha_mem or tau_mem"),
        (lambda: presets.sinabs.lif(0.5, tau_mem=3.0), "received both"),
        (lambda: presets.sinabs.lif(0.5, spike_fn="Some"), "unknown spike_fn"),
        (lambda: presets.rockpool.lif(0.5), "expected alpha or tau_mem, and beta"),
        (lambda: presets.nir.if_(1.0, 1.0, dt=1e-4, reset="none"), "reset must be"),
        (lambda: presets.spikingjelly.lif(tau=float("inf")), "rate must be finite"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_nir_asks_for_what_a_file_does_not_say() -> None:
    with pytest.raises(TypeError, match="dt"):
        presets.nir.lif(0.01, 1.0, 0.0, 1.0)


def test_a_plain_preset_is_the_plain_neuron() -> None:
    x = np.random.default_rng(1).uniform(-1, 2, (8, 2, 33)).astype(np.float32)
    spikes = snncore.functional.lif(x, decay=1.0, reset="subtract").numpy()
    b = snncore.GraphBuilder()
    edge = b.input("x", "f32", (33,), layout="TNC")
    b.output("y", b.neuron("n", edge, presets.spikingjelly.if_(v_reset=None)))
    np.testing.assert_array_equal(b.build(timesteps=8).run(x), spikes)
