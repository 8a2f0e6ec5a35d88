"""From a neuron in real units to integers: the constants in the file against the formulas, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, ldexp, log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import snncore
from snncore.reference.run import read

LIMIT = {"i8": 127, "i16": 32767, "i32": 2**31 - 1}


def rounded(x: float) -> int:
    return floor(x + 0.5)


@dataclass
class Term:
    """A sum with the value a * A + d (codes m, all scales folded)."""

    m: np.ndarray  # as given, [C, ...]
    a: np.ndarray
    d: np.ndarray
    x_max: int

    @property
    def a_max(self) -> np.ndarray:
        return abs(self.m).reshape(len(self.m), -1).sum(1) * self.x_max


class Draft:
    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.builder = snncore.GraphBuilder()
        self.dyadic = draw(
            st.booleans()
        )  # powers of two everywhere: every product is exact, roundings meet ties

    def number(self, low: float, high: float, size: int) -> np.ndarray:
        x = self.rng.uniform(low, high, size)
        return np.round(x * 16) / 16 if self.dyadic else x

    def positive(self, low: float, high: float, size: int) -> np.ndarray:
        return (
            2.0 ** np.round(np.log2(self.rng.uniform(low, high, size)))
            if self.dyadic
            else self.rng.uniform(low, high, size)
        )

    def input(self) -> tuple[str, float, int]:
        """Name of the edge, value of 1, largest value."""
        kind = self.draw(st.sampled_from(["b1", "u8", "counts"]))
        b = self.builder
        if kind == "u8":
            scale = 1 / 64 if self.dyadic else 0.0173
            return b.input("x", "u8", (3, 4, 4), zero_point=[1, 128, 255], scale=scale), scale, 255
        x = b.input("x", "b1", (3, 4, 4))
        if kind == "b1":
            return x, 1.0, 1
        return b.avgpool2d("pool", x, 2), 0.25, 4

    def layer(
        self, name: str, x: str, unit: float, x_max: int, channels: int, positive: bool
    ) -> tuple[str, Term]:
        """A convolution, perhaps with bias and batch norm; `positive`: no channel without weights or gain."""
        bits = self.draw(st.sampled_from([1, 2, 4, 8]))
        encoding = "odd" if bits == 1 or positive else self.draw(st.sampled_from(["odd", "sym"]))
        top = 2 ** (bits - 1)
        q = self.rng.integers(-top + (encoding == "sym"), top, (channels, 3, 1, 1)).astype(np.int8)
        if encoding == "sym":
            q[0] = 0
        m = q.astype(np.int64) if encoding == "sym" else 2 * q.astype(np.int64) + 1
        scale = self.positive(0.01, 0.3, self.draw(st.sampled_from([1, channels])))
        bias = self.number(-1, 1, channels) if self.draw(st.booleans()) else None
        edge = self.builder.conv2d(name, x, q, encoding=encoding, bits=bits, scale=scale, bias=bias)
        a, d = np.broadcast_to(scale * unit, channels), np.zeros(channels) if bias is None else bias
        if self.draw(st.booleans()):
            gamma = self.positive(0.2, 2, channels) * self.rng.choice([-1, 1], channels)
            if not positive:
                gamma[-1] = 0
            beta, mean = self.number(-1, 1, channels), self.number(-1, 1, channels)
            var, eps = (
                (np.full(channels, 0.25), 0.0) if self.dyadic else (self.rng.uniform(0.1, 4, channels), 1e-5)
            )
            edge = self.builder.batch_norm(f"{name}.bn", edge, gamma, beta, mean, var, eps)
            g = gamma / np.sqrt(var + eps)
            a, d = g * a, beta + g * (d - mean)
        return edge, Term(m, a, d, x_max)

    def finish(
        self, edge: str, timesteps: int, **neuron: Any
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Nodes by op and name, and tensors."""
        self.builder.output("y", self.builder.lif("lif", edge, **neuron))
        file = read(self.builder.build(timesteps).to_bytes())
        nodes = file.document["graph"]["nodes"]
        found = {"lif": nodes[-1], "requant": nodes[-2], "conv2d": [n for n in nodes if n["op"] == "conv2d"]}
        return found, {name: t.numpy() for name, t in file.tensors.items()}


def checked(
    file: tuple[dict[str, Any], dict[str, np.ndarray]], terms: list[Term]
) -> tuple[Any, Any, Any, Any]:
    """Weights flipped where a is negative; give attributes and tensors of requant and neuron, by role."""
    nodes, tensors = file
    for node, term in zip(nodes["conv2d"], terms, strict=True):
        stored = np.moveaxis(tensors[node["tensors"]["weight"]], -1, 1)
        sign = np.where(term.a < 0, -1, 1).reshape(-1, 1, 1, 1)
        alive = (term.a != 0).reshape(-1, 1, 1, 1)
        assert np.array_equal(stored * alive, term.m * sign * alive)
    requant, lif = nodes["requant"], nodes["lif"]
    roles = [{role: tensors[name] for role, name in node["tensors"].items()} for node in (requant, lif)]
    return requant["attrs"], roles[0], lif["attrs"], roles[1]


def gained(terms: list[Term], gain: float) -> tuple[list[np.ndarray], np.ndarray]:
    """|a| of each term and the sum of d, times the input gain."""
    return [abs(t.a) * gain for t in terms], sum(t.d for t in terms) * gain  # type: ignore[return-value]


def multiplier(
    a: list[float], d: float, a_max: list[int], unit: float, wide: bool
) -> tuple[list[int], int, int] | None:
    """(M of each sum, C, n): the largest n for which all products fit."""
    most, bound = (2**31 - 1, 2**62) if wide else (2**15 - 1, 2**31)
    for n in range(30, -1, -1):
        m = [rounded(ldexp(x, n) / unit) for x in a]
        c = rounded(ldexp(d, n) / unit)
        half = 2 ** (n - 1) if n > 0 else 0
        total = sum(x * y for x, y in zip(m, a_max, strict=True)) + abs(c) + half
        if max(m) <= most and abs(c) < 2**31 and total < bound:
            return m, c, n
    return None


def check_common_unit(
    file: Any, terms: list[Term], shortcut: float | None, unit: float, theta0: int, neuron: Any
) -> None:
    """Profile W."""
    attrs, requant, lif_attrs, lif = checked(file, terms)
    a, d = gained(terms, neuron["input_gain"])
    narrow = []
    for c in range(len(d)):
        at = ([x[c] for x in a], d[c], [int(t.a_max[c]) for t in terms], unit)
        narrow.append(multiplier(*at, wide=False))
        m, offset, n = multiplier(*at, wide=attrs["wide"]) or ([], 0, -1)
        stored = [requant[f"M.{j}"][c] for j in range(len(terms))]
        assert (stored, requant["C"][c], requant["n"][c]) == (m, offset, n), f"channel {c}"
    coarse = any(x is None or (x[2] < 30 and 0 < max(x[0]) < 1024) for x in narrow)
    assert attrs["wide"] == coarse
    if shortcut is not None:
        assert set(requant[f"K.{len(terms)}"]) == {rounded(shortcut * neuron["input_gain"] / unit)}
    assert lif_attrs["profile"] == "W"
    assert set(lif["theta"]) == {theta0 + neuron["strict"]}
    if neuron["reset"] == "subtract":
        assert set(lif["psi"]) == {theta0}
    check_provenance(lif_attrs, neuron)


def check_provenance(attrs: Any, neuron: Any) -> None:
    for key in ("decay", "threshold", "input_gain", "strict", "reset"):
        assert attrs[key] == neuron[key], key


NEURONS = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from([1.0, 0.5, 0.37, 2.0]),
        "input_gain": st.sampled_from([1.0, 1.0, 0.5, 0.3]),
        "reset": st.sampled_from(["zero", "subtract"]),
        "strict": st.booleans(),
    }
)


@given(st.data(), NEURONS, st.sampled_from(["i8", "i16", "i32"]), st.sampled_from([0, 64, 1000, 4096]))
def test_profile_w(data: Any, neuron: Any, state: str, theta0: int) -> None:
    d = Draft(data.draw)
    x, unit, x_max = d.input()
    edge, term = d.layer("conv", x, unit, x_max, data.draw(st.integers(1, 5)), positive=False)
    neuron["decay"] = 0.5
    file = d.finish(edge, 2, profile="W", state=state, theta0=theta0, **neuron)
    theta0 = theta0 or (64 if state == "i8" else 4096)
    attrs = file[0]["lif"]["attrs"]
    assert attrs["unit_bits"] == (log2(theta0) if theta0 != 1000 else -1)
    assert (attrs["state"], attrs["leak"], attrs["leak_param"]) == (state, "q15", 16384)
    check_common_unit(file, [term], None, neuron["threshold"] / theta0, theta0, neuron)


@given(st.data(), NEURONS, st.sampled_from(["i2", "i4"]), st.sampled_from([0, 1, 64, 4096]))
def test_codes_of_membranes(data: Any, neuron: Any, state: str, theta0: int) -> None:
    d = Draft(data.draw)
    x, unit, x_max = d.input()
    edge, term = d.layer("conv", x, unit, x_max, data.draw(st.integers(1, 5)), positive=False)
    neuron["decay"] = 0.5
    file = d.finish(edge, 2, profile=data.draw(st.sampled_from("WU")), state=state, theta0=theta0, **neuron)
    theta0 = theta0 or 4096
    assert (file[0]["lif"]["attrs"]["state"], file[0]["lif"]["attrs"]["unit_bits"]) == (state, log2(theta0))
    most = 1 if state == "i2" else 7
    load = [rounded(theta0 * code / most) for code in range(-most, most + 1)]
    _, _, _, lif = checked(file, [term])
    assert lif["load"].tolist() == load
    check_common_unit(file, [term], None, neuron["threshold"] / theta0, theta0, neuron)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state": "i4", "theta0": 1000}, "state i4 needs a theta0 that is a power of two"),
        ({"state": "i2", "theta0": 8192}, "state i2 needs a theta0 that is a power of two"),
        ({"state": "i4", "profile": "X"}, "profile X needs state i16 or i32"),
        ({"state": "i3"}, "state must be i2, i4, i8, i16 or i32, received 'i3'"),
        ({"input_gain": -1.0}, "input_gain must be finite and at least 0, received -1"),
    ],
)
def test_codes_that_cannot_be(options: dict[str, Any], message: str) -> None:
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", (3,))
    x = b.linear("fc", x, weight=np.ones((2, 3), np.int8), encoding="sym", bits=8, scale=[1.0])
    with pytest.raises(ValueError, match=message):
        b.output("y", b.lif("lif", x, **options))
        b.build(timesteps=2)


def test_words_that_are_none_are_refused_of_float_neurons_too() -> None:
    b = snncore.GraphBuilder()
    x = b.linear("fc", b.input("x", "b1", (3,)), weight=np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="lif 'lif': profile must be U, W, X or T, received 'Y'"):
        b.lif("lif", x, profile="Y")


@given(st.data(), NEURONS, st.booleans())
def test_residual_sums(data: Any, neuron: Any, two: bool) -> None:
    """One or two sums and the input's own spikes or counts, added before the neuron."""
    d = Draft(data.draw)
    x = d.builder.input("x", "b1", (3, 4, 4))
    unit, x_max = 1.0, 1
    if data.draw(st.booleans()):
        x, unit, x_max = d.builder.avgpool2d("pool", x, 2), 0.25, 4
    layers = [d.layer(f"conv{i}", x, unit, x_max, 3, positive=False) for i in range(2 if two else 1)]
    edge = d.builder.add("join", [e for e, _ in layers] + [x])
    neuron["decay"] = 0.5
    file = d.finish(edge, 2, **neuron)
    check_common_unit(file, [t for _, t in layers], unit, neuron["threshold"] / 4096, 4096, neuron)


@given(st.data(), NEURONS, st.sampled_from(["i16", "i32"]), st.sampled_from([-1, 0, 3, 6]))
def test_profile_u(data: Any, neuron: Any, state: str, unit_bits: int) -> None:
    d = Draft(data.draw)
    x, unit, x_max = d.input()
    edge, term = d.layer("conv", x, unit, x_max, 4, positive=data.draw(st.booleans()))
    neuron["decay"] = 0.5
    file = d.finish(edge, 2, profile="U", state=state, unit_bits=unit_bits, **neuron)
    (a,), offset = gained([term], neuron["input_gain"])
    one = 2 ** (3 if unit_bits < 0 else unit_bits)
    if any(a == 0):
        check_common_unit(file, [term], None, neuron["threshold"] / 4096, 4096, neuron)
        return
    theta_u = one * neuron["threshold"] / a
    theta = [floor(x) + 1 if neuron["strict"] else ceil(x) for x in theta_u]
    c = [rounded(x) for x in one * offset / a]
    if max(theta) > LIMIT[state] or max(abs(np.array(c)) + one * term.a_max) > LIMIT[state]:
        check_common_unit(file, [term], None, neuron["threshold"] / 4096, 4096, neuron)
        return
    attrs, requant, lif_attrs, lif = checked(file, [term])
    assert (lif_attrs["profile"], lif_attrs["unit_bits"], attrs["wide"]) == ("U", log2(one), False)
    assert set(requant["M.0"]) == {one}
    assert set(requant["n"]) == {0}
    assert requant["C"].tolist() == c
    assert lif["theta"].tolist() == theta
    if neuron["reset"] == "subtract":
        assert lif["psi"].tolist() == [rounded(x) for x in theta_u]
    check_provenance(lif_attrs, neuron)


@given(st.data(), NEURONS, st.integers(1, 6), st.integers(0, 2))
def test_profile_x(data: Any, neuron: Any, timesteps: int, more: int) -> None:
    d = Draft(data.draw)
    x, unit, x_max = d.input()
    edge, term = d.layer("conv", x, unit, x_max, 4, positive=data.draw(st.booleans()))
    neuron |= {"decay": 0.5, "reset": "zero"}
    (a,), offset = gained([term], neuron["input_gain"])
    if any(a == 0):
        return
    f = timesteps - 1 + more
    file = d.finish(edge, timesteps, profile="X", leak="half_floor", unit_bits=f if more else -1, **neuron)
    _, requant, lif_attrs, lif = checked(file, [term])
    most = term.a_max * (2 ** (f + 1) - 1)  # the largest |V|
    assert lif_attrs["state"] == ("i16" if max(term.a_max * 2 ** (f + 1)) <= 32767 else "i32")
    assert (lif_attrs["profile"], lif_attrs["unit_bits"], lif_attrs["leak"]) == ("X", f, "half_floor")
    assert set(requant["M.0"]) == {2**f}
    assert not requant["C"].any()
    assert not requant["n"].any()
    assert lif["theta"].shape == (f + 1, 4)
    for k in range(1, f + 2):
        for c in range(4):
            x = 2**f * (neuron["threshold"] - offset[c] * (2 - 2.0 ** (1 - k))) / a[c]
            theta, stored = floor(x) + 1 if neuron["strict"] else ceil(x), lif["theta"][k - 1, c]
            if theta > most[c]:  # never fires
                assert stored > most[c]
            elif theta <= -most[c]:  # always fires
                assert stored <= -most[c]
            else:
                assert stored == theta
    check_provenance(lif_attrs, neuron)


def test_profile_x_without_weights_never_fires() -> None:
    b = snncore.GraphBuilder()
    q = np.array([[0, 0], [1, 0]], np.int8)
    x = b.linear("fc", b.input("x", "b1", (2,)), q, encoding="sym", bits=4, scale=2.0)
    b.output("y", b.lif("lif", x, profile="X", leak="half_floor"))
    y = b.build(2).run(np.ones((1, 2), np.bool_))
    assert y.tolist() == [[[0, 1]], [[0, 1]]]


@given(st.floats(0, 1), st.integers(1, 15))
def test_leak_parameters(decay: float, k: int) -> None:
    def stored(leak: str, decay: float) -> tuple[str, int, str]:
        b = snncore.GraphBuilder()
        x = b.linear(
            "fc", b.input("x", "b1", (1,)), np.zeros((1, 1), np.int8), encoding="odd", bits=1, scale=0.1
        )
        b.output("y", b.lif("lif", x, decay=decay, leak=leak))  # type: ignore[arg-type]
        node = read(b.build(1).to_bytes()).document["graph"]["nodes"][-1]
        return node["attrs"]["leak"], node["attrs"]["leak_param"], node["op"]

    if decay < 1:
        assert stored("q15", decay) == ("q15", min(rounded(decay * 2**15), 32767), "lif")
        assert stored("tz12", decay) == ("tz12", rounded(decay * 2**12), "lif")
    assert stored("shift", 1 - 2.0**-k) == ("shift", k, "lif")
    assert stored("half_floor", 0.5) == ("half_floor", 0, "lif")
    assert stored("q15", 1.0) == ("none", 0, "if")


def test_the_readout_takes_scale_and_bias_of_its_linear() -> None:
    b = snncore.GraphBuilder()
    x = b.flatten("flat", b.avgpool2d("pool", b.input("x", "b1", (2, 2, 2)), 2))
    bias = np.array([0.5, -1.0, 2.0])
    q = np.array([[1, 0], [2, -2], [-3, 3]], np.int8)
    b.output(
        "y",
        b.readout(
            "readout", b.linear("head", x, q, encoding="sym", bits=4, scale=[0.5, 0.25, 2.0], bias=bias)
        ),
    )
    file = read(b.build(1).to_bytes())
    node = file.document["graph"]["nodes"][-1]
    assert file.tensors[node["tensors"]["scale"]].tolist() == [0.5 / 4, 0.25 / 4, 2.0 / 4]
    assert file.tensors[node["tensors"]["bias"]].tolist() == bias.tolist()


def test_a_readout_of_a_flattened_image_takes_its_constants_in_the_order_channel_row_column() -> None:
    b = snncore.GraphBuilder()
    x = b.flatten("flat", b.input("x", "b1", (3, 2, 1)))
    bias, scale = np.arange(6.0), np.arange(6.0) * 10
    b.output("y", b.readout("readout", x, "sum", scale=scale, bias=bias))
    y = b.build(1).run(np.ones((1, 3, 2, 1), np.bool_))
    assert y.tolist() == [(scale + bias).tolist()]
