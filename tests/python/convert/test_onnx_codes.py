"""Membranes kept as codes, and profile T, in onnxruntime: in and outside of loops, and files that lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from convert.onnx_runs import same
from onnx import helper, numpy_helper

import snncore

MOST = {"i2": 1, "i4": 7, "i8": 127}
CHANNELS = 6


def tables(rng: np.random.Generator, state: str, codes: str) -> dict[str, Any]:
    """Equal steps, or any codes from any edge on; some edges are equal."""
    n = MOST[state]
    if codes == "steps":
        return {"load": (2**9 * np.arange(-n, n + 1) + n) // (2 * n), "unit_bits": 8}
    load = np.sort(rng.integers(-500, 500, 2 * n + 1)) * (np.arange(2 * n + 1) != n)
    edges = np.sort(rng.integers(-300, 400, 2 * n))
    edges[1] = edges[0]
    return {"load": load, "edges": edges}


def three_states(rng: np.random.Generator) -> dict[str, Any]:
    gamma = np.sort(rng.integers(-150, 200, (3, 2, CHANNELS)), 1).reshape(6, CHANNELS)
    return {
        "profile": "T",
        "state": "i2",
        "leak": "none",
        "leak_param": 0,
        "theta": rng.integers(0, 200, (3, CHANNELS)),
        "gamma": gamma,
    }


def network(
    rng: np.random.Generator, *, image: bool = True, loop: bool = False, **neuron: Any
) -> snncore.Model:
    """Spikes through weights and neurons, which may hear themselves one step later."""
    side = (3, 4) if image else ()
    one = (1, 1) if image else ()
    b = snncore.GraphBuilder()
    layer = b.conv2d if image else b.linear

    def weight(inputs: int) -> np.ndarray:
        return rng.integers(-8, 8, (CHANNELS, inputs, *one)).astype(np.int8)

    x = b.input("x", "b1", [9, *side], layout="TNCHW" if image else "TNC")
    terms = [layer("fc", x, weight(9), encoding="odd", bits=4, scale=1.0)]
    if loop:
        back = b.delay("late", "lif", 1, [CHANNELS, *side])
        terms.append(layer("again", back, weight(CHANNELS), encoding="odd", bits=4, scale=1.0))
    gain, none = np.full(CHANNELS, 7), np.zeros(CHANNELS, int)
    x = b.requant("current", terms, [gain] * len(terms), none + 40, none)
    theta = rng.integers(100, 300, CHANNELS)
    b.output("y", b.lif_int("lif", x, **({"theta": theta, "leak": "shift", "leak_param": 2} | neuron)))
    return b.build(7)


def checked(model: snncore.Model, rng: np.random.Generator) -> onnx.ModelProto:
    """The engine's spikes, some and not all; and the very file back."""
    x = rng.random((7, 3, *model.inputs[0].shape)) < 0.5
    proto = same(model, x, ["lif"])
    assert 0 < model.run(x).mean() < 1
    assert snncore.from_onnx(proto.SerializeToString()).to_bytes() == model.to_bytes()
    return proto


@pytest.mark.parametrize("loop", [False, True], ids=["", "loop"])
@pytest.mark.parametrize("late", [False, True], ids=["", "late"])
@pytest.mark.parametrize("codes", ["steps", "edges"])
@pytest.mark.parametrize("state", MOST)
def test_codes(state: str, codes: str, late: bool, loop: bool) -> None:
    rng = np.random.default_rng(sum(map(ord, f"{state}{codes}{late}{loop}")))
    more = {"reset": "subtract", "psi": np.full(CHANNELS, 150)} if late else {}
    given = tables(rng, state, codes)
    model = network(rng, image=not late, loop=loop, state=state, leak_at_store=late, **more, **given)
    proto = checked(model, rng)
    (made,) = [f.name for f in proto.functions if f.name.startswith("lif")]
    assert made.endswith("codes_8" if codes == "steps" else "edges")


@pytest.mark.parametrize("loop", [False, True], ids=["", "loop"])
@pytest.mark.parametrize("image", [False, True], ids=["vector", "image"])
def test_three_states(image: bool, loop: bool) -> None:
    rng = np.random.default_rng(3)
    checked(network(rng, image=image, loop=loop, **three_states(rng)), rng)


def test_every_membrane_finds_its_code() -> None:
    """A neuron for each membrane around every edge: what its code stands for, to the unit."""
    rng = np.random.default_rng(5)
    edges = np.sort(rng.choice(np.arange(-240, 240), 254, replace=False)) * 4
    load = np.arange(-127, 128) * 16
    v = np.unique(np.concatenate([edges + d for d in (-1, 0, 1)]))
    loaded = load[np.searchsorted(edges, v, side="right")]
    both, none = v + loaded, np.zeros(len(v), int)
    for theta in (0, 1):
        b = snncore.GraphBuilder()
        x = b.input("x", "b1", [1], layout="TNC")
        x = b.linear("fc", x, np.sign(both)[:, np.newaxis].astype(np.int8), encoding="sym", bits=2, scale=1.0)
        x = b.requant("current", [x], [abs(both)], -loaded, none)  # v first, then minus what should be there
        options = {"state": "i8", "leak": "none", "reset": "subtract", "load": load, "edges": edges}
        b.output("y", b.lif_int("lif", x, theta=none + theta, psi=none, **options))
        model = b.build(2)
        x = np.array([1, 0], bool).reshape(2, 1, 1)
        same(model, x, ["lif"])
        assert (model.run(x)[1] == (theta == 0)).all()


def damaged(proto: onnx.ModelProto, role: str, values: np.ndarray) -> bytes:
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    tensor = next(t for t in made.graph.initializer if t.name == f"lif.{role}")
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return made.SerializeToString()


def test_files_that_lie() -> None:
    rng = np.random.default_rng(7)
    proto = snncore.to_onnx(network(rng, state="i4", **tables(rng, "i4", "edges")))
    for role, values in [
        ("load", np.zeros(14, np.int64)),
        ("load", np.arange(15)),
        ("load", np.full(15, 2**40)),
        ("edges", np.arange(14)[::-1].copy()),
        ("edges", np.array(3)),
    ]:
        with pytest.raises((ValueError, snncore.Error), match="lif") as caught:
            snncore.from_onnx(damaged(proto, role, values))
        assert "\n" not in str(caught.value)
    three = snncore.to_onnx(network(rng, **three_states(rng)))
    for role, values in [("gamma", np.zeros((5, 1, 6, 1, 1), np.int64)), ("theta", np.array(3))]:
        with pytest.raises((ValueError, snncore.Error), match="lif") as caught:
            snncore.from_onnx(damaged(three, role, values))
        assert "\n" not in str(caught.value)
    for name, value in [("codes", "both"), ("codes", 3), ("state", "i16"), ("unit_bits", -1)]:
        steps = snncore.to_onnx(network(rng, state="i4", **tables(rng, "i4", "steps")))
        (call,) = [n for n in steps.graph.node if n.name == "lif"]
        kept = [a for a in call.attribute if a.name != name]
        del call.attribute[:]
        call.attribute.extend([*kept, helper.make_attribute(name, value)])
        with pytest.raises(snncore.FormatError, match="'lif'"):
            snncore.from_onnx(steps)
