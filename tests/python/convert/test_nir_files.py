"""Reading: what the nir package writes, what older exporters wrote, and what nobody should have to read."""

from __future__ import annotations

import contextlib
import sys

import numpy as np
import pytest

nir = pytest.importorskip("nir")
h5py = pytest.importorskip("h5py")

from convert.nir_networks import DT, STEPS, TAU, graph, if_, lif, simulate, values, weights

import snncore
from snncore.convert.nir.graph import from_tree
from snncore.convert.nir.tree import read

RNG = np.random.default_rng(7)


def small(**options):
    nodes = {"fc": nir.Affine(weights(RNG, 3, 4), weights(RNG, 3)), "lif": lif((3,))}
    return graph(nodes, "input fc lif output", **options)


def same(a, b, x=None):
    x = values(RNG, STEPS, 3, 4) if x is None else x
    y = a.run(x)
    assert y.any()
    np.testing.assert_array_equal(y, b.run(x))


def convert(source, **options):
    return snncore.from_nir(source, **{"dt": DT, "reset": "zero", **options})


def handwritten(path, nodes, edges, version="0.1"):
    """Write HDF5 as an exporter of its own: `nodes` maps names to fields, "type" among them."""

    def write(group, content):
        for name, value in content.items():
            if isinstance(value, dict):
                write(group.create_group(name), value)
            else:
                group.create_dataset(name, data=value)

    with h5py.File(path, "w") as f:
        f["version"] = version
        write(f.create_group("node"), {"type": "NIRGraph", "nodes": nodes, "edges": np.array(edges, "S")})
    return path


PLAIN = {
    "input": {"type": "Input", "shape": [4]},
    "fc": {"type": "Linear", "weight": weights(np.random.default_rng(1), 3, 4)},
    "lif": {"type": "LIF", "tau": TAU, "r": 2.0, "v_leak": 0.0, "v_threshold": [1.0]},
    "output": {"type": "Output", "shape": [3]},
}
LINE = [("input", "fc"), ("fc", "lif"), ("lif", "output")]


def plain():
    return graph({"fc": nir.Linear(PLAIN["fc"]["weight"]), "lif": lif((3,))}, "input fc lif output")


# ---- what is read ----


@pytest.mark.parametrize("compression", ["gzip", None])
def test_a_file_of_the_package(tmp_path, compression):
    g = small(metadata={"dataset": "none", "epochs": 3})
    nir.write(tmp_path / "net.nir", g, compression=compression)
    same(convert(tmp_path / "net.nir"), convert(g))
    same(convert(str(tmp_path / "net.nir")), convert(g))
    theirs, ours = from_tree(*read(nir.read(tmp_path / "net.nir"))), from_tree(*read(tmp_path / "net.nir"))
    assert theirs.edges == ours.edges and theirs.metadata == ours.metadata
    for name, node in theirs.nodes.items():
        assert node.kind == ours.nodes[name].kind
        for field, value in node.values.items():
            np.testing.assert_array_equal(value, ours.nodes[name].values[field])


def test_old_and_scalar_and_unordered(tmp_path):
    """No v_reset, numbers for arrays, edges in any order: the package refuses some of it."""
    path = handwritten(tmp_path / "old.nir", dict(reversed(PLAIN.items())), LINE[::-1])
    same(convert(path), convert(plain()))


def test_convolutions_of_numbers(tmp_path):
    """One number for both axes, and fields that say what is usual anyway left out."""
    w = weights(RNG, 2, 2, 3, 3)
    nodes = {
        "input": {"type": "Input", "shape": [2, 6, 6]},
        "conv": {"type": "Conv2d", "weight": w, "padding": "same"},
        "pool": {"type": "SumPool2d", "kernel_size": 2, "padding": 0, "stride": 2},
        "out": {"type": "Output", "shape": [2, 3, 3]},
    }
    edges = [("input", "conv"), ("conv", "pool"), ("pool", "out")]
    model = convert(handwritten(tmp_path / "conv.nir", nodes, edges), dt=None, reset=None)
    g = graph(
        {
            "conv": nir.Conv2d((6, 6), w, 1, 1, 1, 1, np.zeros(2)),
            "pool": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        },
        "input conv pool output",
        (2, 6, 6),
        (2, 3, 3),
    )
    x = values(RNG, 3, 2, 2, 6, 6)
    np.testing.assert_array_equal(model.run(x), simulate(g, x)["output"])


def recurrent_parts():
    return {
        "fc": nir.Linear(weights(RNG, 3, 4)),
        "lif": lif((3,), r=4.0),
        "w_rec": nir.Linear(weights(RNG, 3, 3)),
    }


def test_nested_graphs(tmp_path):
    parts = recurrent_parts()
    flat = graph(parts, "input fc lif output, lif w_rec lif")
    inner = graph({k: parts[k] for k in ("lif", "w_rec")}, "input lif output, lif w_rec lif", (3,))
    middle = graph({"again": inner}, "input again output", (3,))
    g = graph({"fc": parts["fc"], "layer": middle}, "input fc layer output")
    nir.write(tmp_path / "nested.nir", g)
    model = convert(tmp_path / "nested.nir")
    same(model, convert(flat))
    assert [layer.name for layer in model.layers if layer.op == "lif"] == ["layer.again.lif"]


def test_dotted_names_and_inner_edges_of_all_kinds(tmp_path):
    """A subgraph whose names and edges repeat its own name, in part or in full, with inner ends or not."""
    parts = recurrent_parts()
    flat = convert(graph(parts, "input fc lif output, lif w_rec lif"))
    w, fc = parts["w_rec"].weight, parts["fc"].weight
    neuron = {**PLAIN["lif"], "r": 4.0}
    ends = {"rnn.input": {"type": "Input", "shape": [3]}, "rnn.output": {"type": "Output", "shape": [3]}}
    inner = {"rnn.lif": neuron, "rnn.w_rec": {"type": "Linear", "weight": w}}
    loop = [("rnn.lif", "rnn.w_rec"), ("rnn.w_rec", "rnn.lif")]
    around = [("rnn.input", "rnn.lif"), ("rnn.lif", "rnn.output")]

    def file(name, inner, inside, outside):
        rnn = {"type": "NIRGraph", "nodes": inner, "edges": np.array(inside, "S")}
        nodes = {k: PLAIN[k] for k in ("input", "output")} | {
            "fc": {"type": "Linear", "weight": fc},
            "rnn": rnn,
        }
        return handwritten(tmp_path / name, nodes, outside)

    whole = [("input", "fc"), ("fc", "rnn"), ("rnn", "output")]
    same(convert(file("a.nir", inner | ends, loop + around, whole)), flat)
    short = [tuple(end.removeprefix("rnn.") for end in edge) for edge in loop + around]
    same(convert(file("b.nir", inner | ends, short, whole)), flat)
    same(
        convert(file("c.nir", inner, loop, [("input", "fc"), ("fc", "rnn.lif"), ("rnn.lif", "output")])), flat
    )
    named = [("input", "fc"), ("fc", "rnn.rnn.input"), ("rnn.rnn.output", "output")]
    same(convert(file("d.nir", inner | ends, loop + around, named)), flat)
    dotted = graph(
        {"fc": parts["fc"], "r.lif": parts["lif"], "r.w": parts["w_rec"]},
        "input fc r.lif output, r.lif r.w r.lif",
    )
    same(convert(dotted), flat)


def test_a_graph_without_ends():
    g = small()
    nodes = {k: v for k, v in g.nodes.items() if k in ("fc", "lif")}
    same(convert(nir.NIRGraph(nodes, [("fc", "lif")], type_check=False)), convert(g))


def test_what_metadata_say_need_not_be_given():
    g = small()
    expected = convert(g)
    g.metadata = {"dt": np.float64(DT), "reset": "zero", "readout": "sum"}
    x = values(RNG, STEPS, 2, 4)
    np.testing.assert_array_equal(snncore.from_nir(g).run(x), expected.run(x).sum(0))


@pytest.mark.parametrize("start", [0, 1])
def test_a_flatten_that_counts_a_batch_axis(start):
    nodes = {"flat": nir.Flatten({"input": None}, start, -1), "fc": nir.Linear(weights(RNG, 3, 18))}
    x = values(RNG, 2, 2, 2, 3, 3)
    g = graph(nodes, "input flat fc output", (2, 3, 3))
    np.testing.assert_array_equal(snncore.from_nir(g).run(x), simulate(g, x)["output"])


def test_a_network_without_time_needs_neither_dt_nor_reset():
    snncore.from_nir(graph({"fc": nir.Linear(weights(RNG, 3, 4))}, "input fc output"))


# ---- what is refused ----


def says(error, *words, source=None, **options):
    with pytest.raises(error) as caught:
        snncore.from_nir(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_dt_and_reset_are_asked_for():
    says(ValueError, "LIF 'lif'", "needs dt", source=small())
    says(ValueError, "LIF 'lif'", "needs reset", source=small(), dt=DT)
    says(ValueError, "reset must be one of zero, value, subtract", source=small(), dt=DT, reset="hard")
    for dt in (0, -1, np.inf, np.nan):
        says(ValueError, "dt above 0", source=small(), dt=dt, reset="zero")
    says(ValueError, "number for dt", source=small(), dt="soon", reset="zero")
    says(ValueError, "LIF 'lif'", "longer than tau", source=small(), dt=1.0, reset="zero")
    g = graph({"fc": nir.Linear(weights(RNG, 3, 4)), "if": if_((3,), v_reset=0.5)}, "input fc if output")
    says(ValueError, "IF 'if'", "v_reset is 0.5", source=g, dt=DT, reset="zero")
    says(ValueError, "readout", source=small(), dt=DT, reset="zero", readout="max")
    says(ValueError, "input_dtype", source=small(), dt=DT, reset="zero", input_dtype="u8")
    says(ValueError, "method", source=small(), dt=DT, reset="zero", method="heun")
    g = small(metadata={"dt": "never", "reset": "zero"})
    says(ValueError, "number for dt", source=g)


def test_unknown_nodes_are_listed_at_once(tmp_path):
    nodes = {**PLAIN, "a": {"type": "SpikingAttention"}, "b": {"type": "MaxPool2d", "kernel_size": 2}}
    path = handwritten(tmp_path / "x.nir", nodes, [("input", "a"), ("a", "b"), ("b", "output")])
    says(snncore.Error, "x.nir", "'a' (SpikingAttention)", "'b' (MaxPool2d)", source=path)
    flat = {"f": nir.Flatten({"input": None}, 1, 2), "g": nir.Flatten({"input": None}, 0, 1)}
    g = graph(flat, "input f output, input g output", (2, 3, 3), None)
    g.nodes["second"] = nir.Output({"output": None})
    g.edges = [("input", "f"), ("input", "g"), ("f", "output"), ("g", "second")]
    says(snncore.Error, "'f' (flattening to [2, 9]", "'g' (flattening to [6, 3]", source=g)


def test_fields_that_nir_does_not_know(tmp_path):
    conv = {"type": "Conv2d", "weight": np.ones((1, 1, 1, 1), np.float32), "input_shape": [2, 2]}
    nodes = {**PLAIN, "c": {**conv, "padding_mode": "circular", "groups_of": 2}}
    says(
        snncore.Error,
        "Conv2d 'c': no counterpart for 'groups_of', 'padding_mode'",
        source=handwritten(tmp_path / "x.nir", nodes, LINE),
    )
    aside = {"metadata": {"note": "from a lab"}, "input_type": {"input": np.array([3])}}
    nodes = {**PLAIN, "lif": {**PLAIN["lif"], **aside}}
    path = handwritten(tmp_path / "y.nir", nodes, LINE)
    assert len(snncore.from_nir(path, dt=DT, reset="zero", timesteps=2).layers) == 2


@pytest.mark.parametrize("field", ["weight", "bias"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e39])
def test_values_that_are_not_finite(field, value):
    g = small()
    array = getattr(g.nodes["fc"], field).astype(np.float64)
    array.flat[1] = value
    setattr(g.nodes["fc"], field, array)
    says(snncore.FormatError, "Affine 'fc'", field, "not finite", source=g, dt=DT, reset="zero")


def test_fields_that_are_missing_or_no_numbers(tmp_path):
    def refuses(change, *words):
        nodes = {**PLAIN, "lif": {k: v for k, v in {**PLAIN["lif"], **change}.items() if v is not None}}
        says(snncore.FormatError, "LIF 'lif'", *words, source=handwritten(tmp_path / "x.nir", nodes, LINE))

    refuses({"tau": None, "r": None}, "tau and r missing")
    refuses({"tau": "long"}, "tau must be numbers")
    refuses({"tau": np.zeros((0, 3))}, "tau must be numbers")
    refuses({"tau": np.zeros(3, complex)}, "tau must be numbers")
    nodes = {**PLAIN, "lif": {"tau": 1.0}}
    says(snncore.FormatError, "'lif' has no type", source=handwritten(tmp_path / "x.nir", nodes, LINE))


def test_times_that_are_no_times():
    g = small()
    g.nodes["lif"].tau = np.array([TAU, 0, TAU])
    says(ValueError, "LIF 'lif'", "tau must be above 0", source=g, dt=DT, reset="zero")


def test_edges_to_nowhere(tmp_path):
    path = handwritten(tmp_path / "x.nir", PLAIN, [*LINE, ("lif", "ghost"), ("phantom", "fc")])
    says(snncore.FormatError, "'ghost', 'phantom'", source=path)
    path = handwritten(tmp_path / "x.nir", PLAIN, [*LINE, LINE[0]])
    says(snncore.FormatError, "'input' -> 'fc'", "twice", source=path)
    path = handwritten(tmp_path / "x.nir", PLAIN, [("input", "fc", "lif")])
    says(snncore.FormatError, "pairs of names", source=path)
    path = handwritten(tmp_path / "x.nir", PLAIN, [("input", "fc"), ("lif", "output")])
    says(ValueError, "LIF 'lif'", "no way leads there", source=path, dt=DT, reset="zero")
    path = handwritten(
        tmp_path / "x.nir",
        {"input": PLAIN["input"], "output": {"type": "Output", "shape": [4]}},
        [("input", "output")],
    )
    says(snncore.Error, "Output 'output'", "nothing lies between", source=path)
    says(snncore.FormatError, "without nodes", source=nir.NIRGraph({}, [], type_check=False))


def test_cycles_without_a_state():
    a, b = nir.Linear(np.eye(4, dtype=np.float32)), nir.Linear(np.eye(4, dtype=np.float32))
    g = graph({"a": a, "b": b, "z": nir.Threshold(np.ones(4))}, "input a b z output, z a", (4,), (4,))
    says(snncore.Error, "the cycle of 'a', 'a.sum', 'b', 'z'", "no neuron", source=g)


def test_shapes_that_do_not_fit():
    def refuses(nodes, edges, *words, inputs=(4,)):
        says(ValueError, *words, source=graph(nodes, edges, inputs, None), dt=DT, reset="zero")

    fc, conv = (
        nir.Linear(weights(RNG, 3, 5)),
        nir.Conv2d((5, 5), weights(RNG, 3, 2, 3, 3), 1, 0, 1, 1, np.zeros(3)),
    )
    refuses({"fc": fc}, "input fc output", "Linear 'fc'", "expected 5 values, receives [4]")
    refuses({"fc": fc}, "input fc output", "Linear 'fc'", "receives [1, 1]", inputs=(1, 1))
    refuses({"fc": nir.Linear(weights(RNG, 3, 6))}, "input fc output", "put a Flatten", inputs=(2, 3))
    refuses({"conv": conv}, "input conv output", "Conv2d 'conv'", "3 axes", inputs=(2, 5))
    refuses({"conv": conv}, "input conv output", "Conv2d 'conv'", "does not fit 3 channels", inputs=(3, 5, 5))
    refuses({"conv": conv}, "input conv output", "Conv2d 'conv'", "input_shape", inputs=(2, 5, 6))
    big = nir.Conv2d(None, weights(RNG, 3, 2, 9, 3), 1, 0, 1, 1, np.zeros(3))
    refuses({"conv": big}, "input conv output", "a window of 9 does not fit", inputs=(2, 5, 6))
    strided = nir.Conv2d(None, weights(RNG, 3, 2, 3, 3), 2, "same", 1, 1, np.zeros(3))
    refuses({"conv": strided}, "input conv output", "'same' with stride 1", inputs=(2, 5, 6))
    other = lif((4,))
    other.tau = TAU * np.arange(1.0, 6)
    refuses({"lif": other}, "input lif output", "LIF 'lif'", "tau is [5], for values of [4]")
    bias = nir.Affine(weights(RNG, 3, 4), np.arange(1.0, 3))
    refuses({"fc": bias}, "input fc output", "Affine 'fc'", "3 values of bias")
    cube = nir.Linear(weights(RNG, 2, 3, 4))
    refuses({"fc": cube}, "input fc output", "Linear 'fc'", "weight with 2 axes")
    pair = {"a": nir.Linear(weights(RNG, 3, 4)), "b": nir.Linear(weights(RNG, 2, 4)), "lif": lif((1,))}
    refuses(pair, "input a lif output, input b lif", "LIF 'lif'", "one shape", "'a'", "'b'")
    refuses({"w": nir.Delay(np.array([0.4 * DT]))}, "input w output", "Delay 'w'", "0.4 steps")
    refuses({"w": nir.Delay(np.array([-DT]))}, "input w output", "Delay 'w'")
    refuses({"w": nir.Delay(DT * np.arange(4))}, "input w output", "Delay 'w'", "one delay for all")
    refuses({"fc": fc}, "input fc output", "Input 'input'", "[F], [C, L] or [C, H, W]", inputs=(1, 2, 3, 4))


def test_a_subgraph_with_two_doors():
    both = nir.NIRGraph(
        {"p": nir.Input(np.array([4])), "q": nir.Input(np.array([4])), "o": nir.Output(np.array([4]))},
        [("p", "o"), ("q", "o")],
        type_check=False,
    )
    says(
        snncore.FormatError,
        "subgraph 'sub'",
        "exactly one input",
        source=graph({"sub": both}, "input sub output"),
    )


# ---- files that are none ----


def test_paths_and_other_files(tmp_path):
    says(FileNotFoundError, source=tmp_path / "nothing.nir")
    says(IsADirectoryError, source=tmp_path)
    (tmp_path / "text.nir").write_text("not HDF5")
    says(snncore.FormatError, "text.nir", "not an HDF5 file", source=tmp_path / "text.nir")
    with h5py.File(tmp_path / "other.nir", "w") as f:
        f["weights"] = np.ones(3)
    says(snncore.FormatError, "other.nir", "not of NIR", source=tmp_path / "other.nir")
    says(ValueError, "a path or a nir.NIRGraph, received int", source=3)


def test_cut_and_changed_files(tmp_path):
    """Whatever the bytes, one of our errors: no other exception, no crash."""
    nir.write(tmp_path / "net.nir", small())
    data = (tmp_path / "net.nir").read_bytes()
    rng = np.random.default_rng(3)
    for n in range(60):
        changed = bytearray(data[: len(data) * n // 60] if n % 2 else data)
        for _ in range(0 if n % 2 else 8):
            changed[rng.integers(len(changed))] = rng.integers(256)
        (tmp_path / "x.nir").write_bytes(changed)
        with contextlib.suppress(snncore.Error, ValueError):
            convert(tmp_path / "x.nir")


def test_claims_that_no_file_can_hold(tmp_path):
    path = handwritten(tmp_path / "x.nir", PLAIN, LINE)
    with h5py.File(path, "a") as f:
        del f["node/nodes/fc/weight"]
        f["node/nodes/fc"].create_dataset("weight", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(64, 64))
    says(snncore.FormatError, "node/nodes/fc/weight", "more than the file can hold", source=path)


def test_links_and_circles(tmp_path):
    path = handwritten(tmp_path / "x.nir", PLAIN, LINE)
    with h5py.File(path, "a") as f:
        f["node/nodes/other"] = h5py.ExternalLink("elsewhere.h5", "/node")
    says(snncore.FormatError, "node/nodes/other", "link", source=path)
    with h5py.File(path, "a") as f:
        del f["node/nodes/other"]
        f["node/nodes/again"] = f["node/nodes"]
    says(snncore.FormatError, "levels deep", source=path)
    path = handwritten(tmp_path / "y.nir", PLAIN, LINE)
    with h5py.File(path, "a") as f:
        del f["node/nodes/fc/weight"]
        f["node/nodes/fc"].create_dataset("weight", (3, 4), "f4", external=[("secret.bin", 0, 48)])
    says(snncore.FormatError, "another file", source=path)
    with h5py.File(tmp_path / "z.nir", "w") as f:
        f["node"] = h5py.ExternalLink("y.nir", "/node")
    says(snncore.FormatError, "not of NIR", source=tmp_path / "z.nir")


def test_without_h5py(tmp_path, monkeypatch):
    nir.write(tmp_path / "net.nir", small())
    monkeypatch.setitem(sys.modules, "h5py", None)
    says(ImportError, "h5py", source=tmp_path / "net.nir")


class AnyTree:
    """Looks like a graph of the package; gives whatever tree it was made of."""

    nodes = ()

    def __init__(self, tree):
        self.tree = tree

    def to_dict(self):
        return self.tree


def places(tree, found):
    for key, value in tree.items():
        found.append((tree, key))
        if isinstance(value, dict):
            places(value, found)
    return found


JUNK = [
    *(None, "x", b"y", -1, 0, 3, 2.5, np.nan, np.inf, 1e300, 2**40, True, [], {}, [1, 2], [[1, 2], [3]]),
    *(np.zeros(3), np.zeros((2, 2)), np.zeros(0), np.array(["a"]), np.array([1 + 2j]), np.array(5)),
    *({"type": "LIF"}, {"type": "NIRGraph"}, "NIRGraph", "Linear", "Delay", "Flatten", "Output", "Scale"),
    *([("input", "output")], [["fc", "fc"]]),
]


def test_anything_in_any_place():
    """One of our errors in one line, or a model."""
    inner = graph(
        {"lif": lif((3,)), "w": nir.Linear(weights(RNG, 3, 3))}, "input lif output, lif w lif", (3,)
    )
    first = graph(
        {"fc": nir.Linear(weights(RNG, 3, 4)), "rnn": inner}, "input fc rnn output", metadata={"dt": DT}
    )
    conv = nir.Conv2d((5, 4), weights(RNG, 4, 1, 3, 2), (2, 1), "valid", 1, 2, weights(RNG, 4))
    pool = nir.SumPool2d(np.array([2, 2]), np.array([1, 1]), np.array([0, 1]))
    flat = nir.Flatten({"input": np.array([4, 1, 4])}, 0, -1)
    second = graph(
        {"conv": conv, "if": if_((4, 2, 3)), "pool": pool, "flat": flat},
        "input conv if pool flat output",
        (2, 5, 4),
        (16,),
    )
    rng, made = np.random.default_rng(0), 0
    for n in range(400):
        tree = read((first, second)[n % 2])[0]
        for _ in range(1 + n % 3):
            found = places(tree, [])
            group, key = found[rng.integers(len(found))]
            group[key] = JUNK[rng.integers(len(JUNK))]
            if rng.random() < 0.1:
                del group[key]
        try:
            made += convert(AnyTree(tree), reset="value") is not None
        except (snncore.Error, ValueError) as why:
            assert "\n" not in str(why)
    assert 20 < made < 380
