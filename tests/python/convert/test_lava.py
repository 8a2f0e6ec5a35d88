"""lava-dl's files: every state of every neuron against the published rule, and files that must be refused."""

from __future__ import annotations

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")

from convert.lava_networks import conv, cuba, dense, pool, simulate, write

import snncore
from snncore.convert.lava.weights import coded, on_chip

STEPS = 200


def even(rng, *shape, most=127):
    return 2 * rng.integers(-most, most + 1, shape)


def check(path, blocks, x, values=False, **options):
    """Spikes, u and v of every block equal, step by step, whole and in stream mode."""
    model = snncore.from_lava_dl(write(path, *blocks), **options)
    expected = simulate(blocks, x, options.get("layer_delay", True))
    names = {i: f"{blocks[i]['type']}{i}" for i in expected}
    layout = "TCHW" if x.ndim == 4 else "TC"
    given = x.astype(np.uint8) if values else x
    result = model.run(given, layout=layout, record=[n + e for n in names.values() for e in ("", ".i", ".v")])
    for i, (spikes, u, v) in expected.items():
        np.testing.assert_array_equal(result.spikes[names[i]].numpy()[:, 0], spikes, names[i])
        if i or not values:  # an input block's bias comes in as a current
            np.testing.assert_array_equal(result.states[f"{names[i]}.i"][:, 0], u, names[i])
        np.testing.assert_array_equal(result.states[f"{names[i]}.v"][:, 0], v, names[i])
    assert any(spikes.any() for spikes, _, _ in expected.values())
    stream = model.stream()
    last = list(expected.values())[-1][0]
    for t in range(40):
        np.testing.assert_array_equal(stream.step(given[t][None]).reshape(last[t].shape) != 0, last[t])
    return model


@pytest.mark.parametrize("seed", range(8))
def test_dense(tmp_path, seed):
    """Random weights, decays, thresholds and biases, over many steps; odd weights and word types too."""
    rng = np.random.default_rng(seed)
    neurons = [
        cuba(
            iDecay=int(rng.integers(0, 4097)),
            vDecay=int(rng.integers(0, 4097)),
            vThMant=int(rng.integers(1, 900)),
        )
        for _ in range(3)
    ]
    neurons[1]["type"] = "LOIHI"
    blocks = [
        {"type": "input", "shape": [30]},
        dense(even(rng, 21, 30, most=[127, 60, 3][seed % 3]), neurons[0], bias=rng.integers(-60, 60, 21)),
        dense(rng.integers(-100, 101, (17, 21)), neurons[1], bias=[rng.integers(0, 90)]),
        dense(even(rng, 9, 17), neurons[2]),
    ]
    check(tmp_path / "n.net", blocks, rng.random((STEPS, 30)) < 0.4)


def test_two_thousand_steps_wrap_and_saturate(tmp_path):
    rng = np.random.default_rng(1)
    weight = even(rng, 20, 40)
    weight[:10], weight[10:] = 254, -256
    blocks = [dense(weight, cuba(iDecay=20, vDecay=0, vThMant=131071))]
    model = check(tmp_path / "n.net", blocks, rng.random((2000, 40)) < 0.9)
    u = model.run(rng.random((2000, 40)) < 0.9, layout="TC", record=["dense0.i"]).states["dense0.i"]
    assert (abs(np.diff(u, axis=0)) > 2**23).any()


def test_a_dense_block_without_neuron_integrates(tmp_path):
    rng = np.random.default_rng(2)
    blocks = [dense(even(rng, 12, 10), cuba()), dense(even(rng, 4, 12, most=5))]
    check(tmp_path / "n.net", blocks, rng.random((STEPS, 10)) < 0.3)


@pytest.mark.parametrize("kind", ["scalar", "outputs", "inputs", "square", "each", "long"])
def test_delays(tmp_path, kind):
    rng = np.random.default_rng(3)
    rows = 15 if kind == "square" else 8
    delay = {
        "scalar": 5.0,
        "outputs": rng.integers(0, 20, rows),
        "inputs": rng.integers(0, 20, 15),
        "square": rng.integers(0, 9, 15),
        "each": rng.integers(0, 12, (rows, 15)),
        "long": np.full(rows, 90),
    }[kind]
    blocks = [
        dense(even(rng, rows, 15), cuba(), delay=delay, bias=rng.integers(0, 9, rows)),
        dense(even(rng, 5, rows), cuba()),
    ]
    check(tmp_path / "n.net", blocks, rng.random((STEPS, 15)) < 0.2)


@pytest.mark.parametrize("layer_delay", [True, False])
def test_recurrence(tmp_path, layer_delay):
    rng = np.random.default_rng(4)
    blocks = [
        dense(even(rng, 12, 10), cuba(), weight_rec=even(rng, 12, 12, most=60), bias=rng.integers(0, 9, 12)),
        dense(np.abs(even(rng, 6, 12)), cuba(), weight_rec=-np.abs(even(rng, 6, 6, most=30))),
    ]
    check(tmp_path / "n.net", blocks, rng.random((STEPS, 10)) < 0.3, layer_delay=layer_delay)


@pytest.mark.parametrize("seed", range(4))
def test_images(tmp_path, seed):
    """The bias of the input's neurons as values; strides, dilation, groups, odd sides of a pool."""
    rng = np.random.default_rng(seed)
    quick = cuba(iDecay=4096, vDecay=1024, vThMant=25)
    blocks = [
        {"type": "input", "shape": [2, 13, 11], "neuron": quick, "weight": [36], "bias": [34]},
        conv(
            even(rng, 6, 1, 3, 2, most=20),
            (6, 7, 10),
            quick,
            (2, 1),
            (1, 0),
            groups=2,
            bias=rng.integers(-9, 40, 6),
        ),
        pool(40, (2, 3), (6, 4, 3), cuba(vThMant=20)),
        conv(even(rng, 8, 6, 2, 2, most=50)[..., None], (8, 2, 1), quick, dilation=(2, 2)),
        {"type": "flatten", "shape": [16, 1, 1]},
        dense(even(rng, 7, 16), quick, bias=rng.integers(0, 9, 7)),
    ]
    x = np.broadcast_to(rng.integers(0, 90, (1, 2, 13, 11)), (60, 2, 13, 11))
    check(tmp_path / "n.net", blocks, x, values=True, layer_delay=seed % 2 == 0)


def test_delays_of_channels(tmp_path):
    rng = np.random.default_rng(5)
    blocks = [
        {"type": "input", "shape": [2, 6, 6]},
        conv(even(rng, 5, 2, 3, 3), (5, 4, 4), cuba(), delay=rng.integers(0, 7, 5)),
    ]
    check(tmp_path / "n.net", blocks, rng.random((STEPS, 2, 6, 6)) < 0.2)


def test_values_of_a_vector_and_below_zero(tmp_path):
    rng = np.random.default_rng(6)
    blocks = [
        {"type": "input", "shape": [9], "neuron": cuba(iDecay=77, vThMant=60), "weight": 76.0},
        dense(even(rng, 4, 9), cuba()),
    ]
    x = rng.integers(0, 130, (50, 9))
    model = check(tmp_path / "n.net", blocks, x, values=True)
    assert model.metadata["provenance"]["input_weight"] == "76"
    shifted = snncore.from_lava_dl(tmp_path / "n.net", zero_point=100)
    expected = simulate(blocks, x - 100)[1][0]
    np.testing.assert_array_equal(shifted.run(x.astype(np.uint8), layout="TC")[:, 0] != 0, expected)
    spikes = snncore.from_lava_dl(tmp_path / "n.net", input_dtype="b1")
    s = rng.random((50, 9)) < 0.3
    np.testing.assert_array_equal(spikes.run(s, layout="TC")[:, 0] != 0, simulate(blocks[1:], s)[0][0])


@pytest.mark.parametrize("mode", [None, "mean", "sum"])
def test_average(tmp_path, mode):
    rng = np.random.default_rng(7)
    blocks = [dense(even(rng, 12, 10), cuba()), {"type": "average", "shape": [4, 1, 1]}]
    model = snncore.from_lava_dl(write(tmp_path / "n.net", *blocks), readout=mode)
    x = rng.random((STEPS, 10)) < 0.3
    fired = simulate(blocks, x)[0][0].reshape(STEPS, 4, 3).mean(2)
    expected = fired.sum(0) if mode == "sum" else fired.mean(0)
    np.testing.assert_allclose(model.run(x, layout="TC")[0], expected, rtol=1e-6)


# ---- weights ----


@pytest.mark.parametrize("low", [-256, -128, -64, -8, -256 + 2, -1])
def test_inhibitory_weights_end_at_255(tmp_path, low):
    """Where all are <= 0, a weight of -256 after the shift does not exist: the sum is a little larger."""
    rng = np.random.default_rng(8)
    weight = rng.integers(low, 1, (6, 20))
    weight[0, 0] = low
    blocks = [dense(weight, cuba(vThMant=3), bias=np.full(6, 40))]
    check(tmp_path / "n.net", blocks, rng.random((STEPS, 20)) < 0.1)


@pytest.mark.parametrize(
    "low,high", [(-256, 254), (-128, 127), (0, 255), (-255, -1), (-3, 250), (0, 0), (0, 1)]
)
def test_weights_add_up(low, high):
    rng = np.random.default_rng(9)
    weight = rng.integers(low, high + 1, (30, 40)).astype(np.int32)
    weight[0, :2] = low, high
    chip = on_chip(weight)
    codes = coded(chip.weights[0])
    assert all(
        part.dtype == np.int8 and abs(part.astype(int)).max() < 1 << (codes.bits - 1) for part in codes.parts
    )
    total = sum(part.astype(int) for part in codes.parts) * chip.factor
    assert chip.shift == 0
    np.testing.assert_array_equal(total, weight)


# ---- what is refused ----


def good():
    rng = np.random.default_rng(0)
    return [
        {"type": "input", "shape": [2, 6, 6]},
        conv(even(rng, 3, 2, 3, 3), (3, 4, 4)),
        {"type": "flatten", "shape": [48, 1, 1]},
        dense(even(rng, 4, 48), cuba(), delay=[1, 2, 3, 4]),
    ]


def refused(path, blocks, kind, match, **options):
    with pytest.raises(kind, match=match) as caught:
        snncore.from_lava_dl(write(path, *blocks, dtype=np.float64), **options)
    assert "\n" not in str(caught.value)


def test_everything_without_counterpart_is_listed_at_once(tmp_path):
    blocks = good()
    blocks[1]["neuron"] = cuba(type="SDNN")
    blocks[3]["neuron"] = cuba(gradedSpike=True, refDelay=3, vDecay=[1, 2, 3, 4])
    blocks += [
        {"type": "concat"},
        {"type": "dense", "shape": [2], "weight/real": [1.0], "weight/imag": [1.0]},
    ]
    with pytest.raises(snncore.Error) as caught:
        snncore.from_lava_dl(write(tmp_path / "n.net", *blocks))
    for part in ("block 1 (conv): neuron 'SDNN'", "block 3 (dense): graded spikes", "refractory", "vDecay",
                 "block 4 (concat)", "block 5 (dense): complex"):  # fmt: skip
        assert part in str(caught.value)


BAD = snncore.FormatError
WEIGHT = (3, 2, 3, 3)


@pytest.mark.parametrize(
    ("block", "key", "value", "kind", "match"),
    [
        (1, "weight", np.nan, BAD, r"block 1 \(conv\): 'weight' is empty or not finite"),
        (1, "weight", np.full(WEIGHT, 0.5), BAD, r"block 1.*holds fractions.*quantize_8bit"),
        (1, "weight", np.full(WEIGHT, 300), BAD, r"block 1.*within -256 to 255, received 300"),
        (1, "weight", np.zeros((3, 2, 3)), BAD, r"block 1.*expected 'weight' of shape \[3, C_in"),
        (1, "weight", np.zeros((3, 4, 3, 3)), ValueError, r"block 1.*an image of 4 channels"),
        (1, "shape", [3, 5, 5], ValueError, r"block 1.*\[3, 5, 5\], but .* gives \[3, 4, 4\]"),
        (1, "shape", [2**30, 2**30, 2**30], BAD, r"block 1.*'shape' within 1 to 16777216"),
        (1, "groups", 0, BAD, r"block 1.*'groups' within 1"),
        (1, "stride", [0, 1], BAD, r"block 1.*'stride' within 1"),
        (1, "stride", "two", BAD, r"block 1.*expected numbers for 'stride', received text"),
        (1, "bias", [1, 2], BAD, r"block 1.*expected 1 or 3 values for 'bias', received 2"),
        (1, "neuron", cuba(vThMant=-1), BAD, r"block 1.*'vThMant' within 0"),
        (1, "neuron", cuba(iDecay=5000), BAD, r"block 1.*'iDecay' within 0 to 4096"),
        (3, "delay", [1, 2, 3], BAD, r"block 3.*delay of shape \[3\] does not go with"),
        (3, "delay", [-1, 2, 3, 4], BAD, r"block 3.*'delay' within 0"),
        (3, "weight", np.zeros((4, 47)), ValueError, r"block 3.*expected input of shape \[47\]"),
        (3, "weight", np.array([[255], [-1], [1], [1]] * np.ones(48)), ValueError, r"block 3.*both signs"),
        (3, "weight", np.zeros((5, 48)), BAD, r"block 3.*expected 4 rows"),
        (2, "type", "dense", BAD, r"block 2 \(dense\): 'weight' is missing"),
    ],
)
def test_values_that_a_block_cannot_have(tmp_path, block, key, value, kind, match):
    blocks = good()
    snncore.from_lava_dl(write(tmp_path / "good.net", *blocks))
    blocks[block] = {**blocks[block], key: value}
    refused(tmp_path / "n.net", blocks, kind, match)


@pytest.mark.parametrize("key", ["type", "shape", "weight", "neuron"])
def test_missing_entries(tmp_path, key):
    blocks = good()
    del blocks[1][key]
    refused(tmp_path / "n.net", blocks, snncore.FormatError, f"block 1.*'{key}' is missing")


def test_the_other_ways_to_be_wrong(tmp_path):
    (tmp_path / "text.net").write_text("net")
    with pytest.raises(snncore.FormatError, match="not an HDF5 file, which lava-dl files are"):
        snncore.from_lava_dl(tmp_path / "text.net")
    with h5py.File(tmp_path / "other.net", "w") as file:
        file["node"] = 1
    with pytest.raises(snncore.FormatError, match="not of lava-dl: it has no group 'layer'"):
        snncore.from_lava_dl(tmp_path / "other.net")
    with h5py.File(tmp_path / "gap.net", "w") as file:
        file.create_group("layer/1")
    with pytest.raises(snncore.FormatError, match="expected blocks '0', '1'"):
        snncore.from_lava_dl(tmp_path / "gap.net")
    with h5py.File(write(tmp_path / "huge.net", *good()), "a") as file:
        del file["layer/3/weight"]
        file["layer/3"].create_dataset("weight", (1 << 20, 1 << 20), "f4", chunks=(64, 64))
    with pytest.raises(snncore.FormatError, match=r"weight' claims .* more than the file can hold"):
        snncore.from_lava_dl(tmp_path / "huge.net")
    with h5py.File(write(tmp_path / "link.net", *good()), "a") as file:
        file["layer/4"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(snncore.FormatError, match="layer/4' is a link"):
        snncore.from_lava_dl(tmp_path / "link.net")
    data = write(tmp_path / "broken.net", *good()).read_bytes().replace(b"bias", b"b\xbcas")
    data = data.replace(b"kernelSize", b"k\xbcrnelSize")
    (tmp_path / "broken.net").write_bytes(data)
    with pytest.raises(snncore.FormatError, match="the HDF5 file is damaged"):
        snncore.from_lava_dl(tmp_path / "broken.net")
    with pytest.raises(FileNotFoundError):
        snncore.from_lava_dl(tmp_path / "no.net")
    with pytest.raises(ValueError, match="expected a path, received int"):
        snncore.from_lava_dl(3)


def test_options_that_do_not_fit(tmp_path):
    path = write(tmp_path / "n.net", *good())
    wrong = {
        "input_dtype 'u8' needs": {"input_dtype": "u8"},
        "readout must be one of": {"readout": "max"},
        "zero_point must be": {"zero_point": 256},
    }
    for match, options in wrong.items():
        with pytest.raises(ValueError, match=match):
            snncore.from_lava_dl(path, **options)
    refused(tmp_path / "c.net", good()[1:], ValueError, "begins with block 0.*input_shape")
    for shape in ([2, 6], [0, 6, 6], ["a"]):
        refused(tmp_path / "c.net", good()[1:], ValueError, "input_shape must be", input_shape=shape)
    assert snncore.from_lava_dl(tmp_path / "c.net", input_shape=[2, 6, 6]).inputs[0].shape == (2, 6, 6)
    refused(tmp_path / "i.net", [*good(), good()[0]], snncore.Error, "input first and average last")


def test_sizes_that_a_stranger_claims(tmp_path):
    blocks = [{"type": "input", "shape": [1 << 24, 1, 1], "neuron": cuba()}]
    refused(tmp_path / "n.net", blocks, ValueError, "block 0.*at most 4096 channels")
    blocks = [{"type": "input", "shape": [1 << 24, 8, 8]}, pool(2, (8, 8), (1 << 24, 1, 1))]
    refused(tmp_path / "n.net", blocks, ValueError, "block 1.*makes 1073741824 weights")


def test_a_rounded_weight_with_delays_is_refused(tmp_path):
    blocks = [dense(np.array([[-64, -7], [0, -2]]), cuba(), delay=[0, 1])]
    refused(tmp_path / "n.net", blocks, ValueError, "block 0.*cannot hold exactly")


def test_the_command(tmp_path, capsys):
    pytest.importorskip("click")
    pytest.importorskip("rich")
    from snncore.tools.cli import main

    path = write(tmp_path / "n.net", *good())
    assert main(["convert", str(path), "--timesteps", "5", "-o", str(tmp_path / "n.snn")]) == 0
    assert "written" in capsys.readouterr().out
    x = np.random.default_rng(0).random((30, 1, 2, 6, 6)) < 0.5
    loaded = snncore.load(tmp_path / "n.snn")
    assert loaded.timesteps == 5
    np.testing.assert_array_equal(loaded.run(x), snncore.from_lava_dl(path).run(x))
    assert main(["convert", str(path), "--dt", "1e-4"]) == 2
    assert "only --input, --readout, --timesteps are used, received --dt" in capsys.readouterr().err
