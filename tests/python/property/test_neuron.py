"""The parametrised neuron: engine against reference bit for bit, in every combination of stages."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import snnfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from property.engine import equal

import snncore
from snncore.neuron import _CHOICES, VALUES, Neuron
from snncore.reference.neuron import run as define
from snncore.reference.run import run

STEPS, BATCH = 7, 2


def legal(options: dict[str, Any]) -> bool:
    try:
        Neuron(**options)
    except ValueError:
        return False
    return True


def rules() -> list[dict[str, Any]]:
    """Every combination of the stages that fire and reset; the other stages take turns."""
    turns = itertools.cycle(itertools.product(_CHOICES["charge"], _CHOICES["synapse"], _CHOICES["floor"]))
    found = []
    for fire, voltage, reset, step, correct, refractory in itertools.product(
        *(_CHOICES[name] for name in ("fire", "voltage", "reset", "reset_step")),
        (False, True),
        _CHOICES["refractory"],
    ):
        options = dict(fire=fire, voltage=voltage, reset=reset, reset_step=step, correct=correct)
        options |= dict(refractory=refractory, refractory_steps=0 if refractory == "none" else 2)
        options |= dict(most=3 if fire in ("count", "round") else 1)
        if legal(options):
            charge, synapse, floor = next(turns)
            found.append(options | dict(charge=charge, synapse=synapse, floor=floor))
    return found


def charged() -> list[dict[str, Any]]:
    """Every combination of the stages before the comparison, and the floor after it."""
    return [
        dict(charge=charge, synapse=synapse, floor=floor, reset="subtract")
        for charge, synapse, floor in itertools.product(
            _CHOICES["charge"], _CHOICES["synapse"], _CHOICES["floor"]
        )
    ]


def parameters(rng: np.random.Generator, shape: tuple[int, ...], dyadic: bool) -> dict[str, Any]:
    """Each one number, one a channel or one a neuron."""

    def drawn(lo: float, hi: float) -> Any:
        form = rng.choice(["number", "channel", "neuron"])
        size = {"number": (), "channel": shape[:1], "neuron": shape}[form]
        values = rng.uniform(lo, hi, size)
        return np.asarray(np.round(values * 8) / 8 if dyadic else values, np.float32)

    given = {name: drawn(-0.5, 0.5) for name in VALUES}
    return given | {
        "rate": drawn(0.25, 1.0) if rng.random() < 0.5 else drawn(1.0, 3.0) / 2,
        "input_gain": drawn(0.5, 1.5),
        "synapse_gain": drawn(0.5, 1.5),
        "synapse_rate": drawn(0.25, 0.75),
        "threshold": drawn(0.25, 1.0),
        "drop": drawn(0.25, 1.0),
    }


def currents(rng: np.random.Generator, shape: tuple[int, ...], dyadic: bool) -> np.ndarray:
    x = rng.uniform(-1, 2.5, (STEPS, BATCH, *shape))
    return np.asarray(np.round(x * 8) / 8 if dyadic else x, np.float32)


def layout(shape: tuple[int, ...]) -> str:
    return "TNCHW" if len(shape) == 3 else "TNC"


def model_of(neuron: Neuron, shape: tuple[int, ...]) -> snncore.Model:
    b = snncore.GraphBuilder()
    b.output("y", b.neuron("n", b.input("x", "f32", shape, layout=layout(shape)), neuron))
    return b.build(timesteps=STEPS)


def check(neuron: Neuron, x: np.ndarray) -> None:
    """Output, membranes, currents: definition, the file's reference, engine on 1 and 2 threads, stream."""
    expected = define(neuron, torch.from_numpy(x))
    model = model_of(neuron, x.shape[2:])
    record = ["n.v"] + ["n.i"] * (neuron.synapse != "none")
    record += ["n"] * (neuron.fire in ("at_least", "above"))
    reference = run(model.to_bytes(), x)
    equal(reference.outputs["y"], expected.out, "file's reference")
    for threads in (1, 2):
        equal(model.run(x, threads=threads), expected.out, f"output, {threads} threads")
        recorded = model.run(x, threads=threads, record=record)
        compare(recorded, expected, slice(None), neuron)
    check_stream(model, neuron, x, expected, record)


def compare(recorded: Any, expected: Any, steps: Any, neuron: Neuron) -> None:
    equal(recorded.outputs, expected.out[steps], "output, recorded")
    equal(recorded.states["n.v"], expected.v[steps], "membranes")
    if neuron.synapse != "none":
        equal(recorded.states["n.i"], expected.i[steps], "currents")
    if "n" in recorded.spikes:
        equal(recorded.spikes["n"].numpy(), expected.out[steps] != 0, "spikes")


def check_stream(
    model: snncore.Model, neuron: Neuron, x: np.ndarray, expected: Any, record: list[str]
) -> None:
    """Step by step; a second session goes on from a saved state; after a reset all is as at first."""
    frames = layout(x.shape[2:]).replace("T", "")
    first, second = (model.stream(batch=BATCH, layout=frames, record=record) for _ in range(2))
    for t in range(STEPS):
        session = first if t < 3 else second
        if t == 3:
            second.load_state(first.save_state())
        compare(session.step(x[t]), expected, slice(t, t + 1), neuron)
    second.reset()
    compare(second.step(x[0]), expected, slice(0, 1), neuron)


@pytest.mark.parametrize("options", rules(), ids=lambda o: "-".join(str(v) for v in o.values()))
def test_rules(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(sum(map(ord, str(options))))
    for shape, dyadic in (((5, 2, 3), True), ((37,), False)):
        neuron = Neuron(**options, **parameters(rng, shape, dyadic))
        check(neuron, currents(rng, shape, dyadic))


@pytest.mark.parametrize("options", charged(), ids=lambda o: "-".join(o.values()))
def test_charges(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(sum(map(ord, str(options))))
    for shape, dyadic in (((70,), True), ((3, 2, 2), False)):
        neuron = Neuron(**options, **parameters(rng, shape, dyadic))
        check(neuron, currents(rng, shape, dyadic))


@given(st.data())
def test_any(data: Any) -> None:
    options = data.draw(st.sampled_from(rules() + charged()))
    seed, dyadic = data.draw(st.integers(0, 2**16)), data.draw(st.booleans())
    shape = data.draw(
        st.one_of(
            st.tuples(st.integers(1, 130)),
            st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 5)),
        )
    )
    rng = np.random.default_rng(seed)
    check(Neuron(**options, **parameters(rng, shape, dyadic)), currents(rng, shape, dyadic))


@pytest.mark.parametrize(
    "options", rules()[::5] + charged()[::7], ids=lambda o: "-".join(map(str, o.values()))
)
def test_files_of_another_writer(options: dict[str, Any]) -> None:
    """Every tensor written, also those that are as by default."""
    rng = np.random.default_rng(9)
    shape = (3, 2, 4)
    neuron, x = Neuron(**options, **parameters(rng, shape, True)), currents(rng, shape, True)
    b = snnfile.Builder()
    b.output("y", b.neuron("n", b.input("x", "f32", shape, layout="TNCHW"), neuron))
    file = b.build(timesteps=STEPS).to_bytes()
    expected = define(neuron, torch.from_numpy(x))
    equal(run(file, x, "TNCHW").outputs["y"], expected.out, "reference")
    equal(snncore.load(file).run(x, layout="TNCHW"), expected.out, "engine")


@pytest.mark.parametrize("reset", ["zero", "subtract"])
@pytest.mark.parametrize("fire", ["at_least", "above"])
@pytest.mark.parametrize("shape", [(40,), (3, 2, 4)])
def test_plain(reset: Any, fire: Any, shape: tuple[int, ...]) -> None:
    """What the kernel of the plain neuron takes over; then one that it must not."""
    rng = np.random.default_rng(10)
    for dyadic, options in ((True, {}), (False, {}), (True, {"rate": rng.uniform(0.25, 1, shape[0])})):
        plain = dict(rate=0.75, input_gain=0.5, threshold=0.5) | options
        check(Neuron(**plain, reset=reset, fire=fire), currents(rng, shape, dyadic))


def test_behind_layers_and_before_them() -> None:
    """A convolution, counts that a linear layer reads after flatten, per-neuron parameters of a flattened
    image, a readout of membranes."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((4, 2, 2, 5, 5)).astype(np.float32)
    b = snncore.GraphBuilder()
    b.conv2d("c", b.input("x", "f32", (2, 5, 5), layout="TNCHW"), w(rng, 6, 2, 3, 3), padding=1)
    sums = snncore.presets.sinabs.lif(alpha_mem=0.75, alpha_syn=0.5, spike_threshold=0.5, norm_input=False)
    b.flatten("f", b.neuron("n1", "c", sums))
    b.linear("l", "f", w(rng, 9, 150))
    b.neuron("n2", "l", snncore.presets.norse.li())
    b.output("y", b.readout("r", "n2", mode="last"))
    flat = b.flatten("g", "c")
    rate = rng.uniform(0.25, 1, (150,)).astype(np.float32)
    b.output("z", b.linear("m", b.neuron("n3", flat, Neuron(rate=rate)), w(rng, 3, 150)))
    model = b.build(timesteps=4)
    expected = run(model.to_bytes(), x)
    record = ["n1.v", "n1.i", "n2.v", "n2.i", "n3", "n3.v"]
    for threads in (1, 2):
        ours = model.run(x, threads=threads, record=record)
        for name in ("y", "z"):
            equal(ours.outputs[name], expected.outputs[name], name)
        for name in ("n1", "n2", "n3"):
            equal(ours.states[f"{name}.v"], expected.membranes[name], f"{name}.v")
        for name in ("n1", "n2"):
            equal(ours.states[f"{name}.i"], expected.currents[name], f"{name}.i")
        equal(ours.spikes["n3"].numpy(), expected.spikes["n3"], "n3")
    by_hand = define(Neuron(rate=rate.reshape(6, 5, 5)), torch.from_numpy(convolved(model, x)))
    equal(ours.spikes["n3"].numpy(), by_hand.out.reshape(4, 2, 150) != 0, "per-neuron parameters, C, H, W")
    assert snncore.verify(model, None, x).equal


def w(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.integers(-8, 9, shape) / 16).astype(np.float32)


def convolved(model: snncore.Model, x: np.ndarray) -> np.ndarray:
    from snncore.reference.run import read

    weight = read(model.to_bytes()).tensors["c.weight"].permute(0, 3, 1, 2)
    images = torch.from_numpy(x).flatten(0, 1)
    return torch.nn.functional.conv2d(images, weight, padding=1).reshape(4, 2, 6, 5, 5).numpy()


def test_recurrent() -> None:
    """Spikes of the step before come back through a linear layer; a sequence equals the stream."""
    rng = np.random.default_rng(6)
    x = rng.uniform(-1, 2, (9, 2, 8)).astype(np.float32)
    b = snncore.GraphBuilder()
    at = b.input("x", "f32", (8,), layout="TNC")
    back = b.linear("w", b.delay("d", "n", shape=(8,)), w(rng, 8, 8))
    neuron = snncore.presets.bindsnet.current_lif_nodes(0.9, 0.5, thresh=-64.0, refrac=2)
    b.neuron("n", b.add("a", [at, back]), neuron)
    b.output("y", "n")
    model = b.build(timesteps=9)
    expected = run(model.to_bytes(), x)
    ours = model.run(x, record=["n.v", "n.i"])
    equal(ours.outputs, expected.outputs["y"], "spikes")
    equal(ours.states["n.v"], expected.membranes["n"], "membranes")
    session = model.stream(batch=2, layout="NC")
    for t in range(9):
        equal(session.step(x[t])[0], expected.outputs["y"][t], f"step {t}")


def refused(**options: Any) -> None:
    b = snncore.GraphBuilder()
    b.neuron("n", b.input("x", "f32", (4, 2, 2)), Neuron(**options))


def test_refusals() -> None:
    with pytest.raises(
        ValueError, match=r"neuron 'n': rate must be one number, \[4\] or \[4, 2, 2\], .* \[3\]"
    ):
        refused(rate=[0.5, 0.25, 0.125])
    b = snncore.GraphBuilder()
    with pytest.raises(ValueError, match=r"neuron 'n': .*f32.* b1"):
        b.neuron("n", b.input("x", "b1", (4,)), Neuron())
    model = model_of(Neuron(fire="count", most=3), (4,))
    with pytest.raises(ValueError, match=r"record 'n'"):
        model.run(np.zeros((STEPS, 1, 4), np.float32), record=["n"])
    with pytest.raises(ValueError, match=r"record 'n\.i'"):
        model.run(np.zeros((STEPS, 1, 4), np.float32), record=["n.i"])
