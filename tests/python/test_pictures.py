"""Rasters, traces and rates: the numbers in them, as text, and as files with and without matplotlib."""

from __future__ import annotations

import errno
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

import snncore
from snncore.files import write_atomically
from snncore.pictures import Raster, RasterPair, Rates, Traces, rows


def spiking_model():
    """A vector of 3 through the identity into neurons that fire at 1 and lose 1, v' = v/2 + x."""
    b = snncore.GraphBuilder()
    x = b.input("x", "f32", [3], layout="TNC")
    x = b.linear("fc", x, np.eye(3, dtype=np.float32))
    b.output("y", b.neuron("lif", x, snncore.Neuron(rate=0.5, threshold=1.0, reset="subtract")))
    return b.build(timesteps=4)


X = np.array([[1, 0.5, 0], [0, 0.5, 0], [1, 0.5, 0], [0, 0.5, 0]], np.float32)[:, None]
#: By hand: v of neuron 0 is 0 after every spike; of neuron 1 0.5, 0.75, 0.875, 0.9375.
SPIKES = np.array([[1, 0, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]], bool)
MEMBRANES = np.array([[0, 0.5, 0], [0, 0.75, 0], [0, 0.875, 0], [0, 0.9375, 0]], np.float32)


@pytest.fixture
def result():
    return spiking_model().run(X, record=["lif", "lif.v"])


def test_the_numbers(result):
    np.testing.assert_array_equal(result.raster().arrays["lif"], SPIKES)
    trace = result.trace(neuron=[1, 0])
    np.testing.assert_array_equal(trace.arrays["values"], MEMBRANES[:, [1, 0]])
    np.testing.assert_array_equal(trace.arrays["spikes"], SPIKES[:, [1, 0]])
    assert trace.arrays["neurons"].tolist() == ["1", "0"]
    assert result.rates().values == {"lif": 2 / 12} and result.rates(sample=0).values == {"lif": 2 / 12}


def test_text(result):
    lines = result.raster().text(80, ascii_only=True).splitlines()
    assert lines == [
        "lif: 3 neurons, 4 steps, 0.167 spikes per neuron and step",
        "0 ||.|.|",
        "1 |....|",
        "2 |....|",
    ]
    assert result.raster().text(80, ascii_only=False).splitlines()[1] == "0 |┃·┃·|"
    lines = result.trace(neuron=[0, 1]).text(80, ascii_only=False).splitlines()
    assert "membrane after reset, unit of the threshold; 0 to 0.9375" in lines[0]
    assert lines[1:] == ["0 |▁▁▁▁|", "1 |▅▇██|"]
    bars = Rates({"": {"a": 0.5, "b": 0.25, "c": 0.0}}).text(40, ascii_only=True).splitlines()
    assert bars[1].count("#") == 2 * bars[2].count("#") > 10 and bars[3] == "c    0.0000"
    assert max(map(len, bars)) <= 40


def test_many_steps_and_neurons_fit():
    grid = np.zeros((1000, 500), bool)
    grid[::2, 0] = True
    text = Raster({"lif": grid}).text(60, ascii_only=False)
    assert max(map(len, text.splitlines()[1:])) <= 60 and len(text.splitlines()) == 33
    assert "steps a column" in text and "▄" in text.splitlines()[1]
    trace = Traces("lif.v", {"0": np.arange(1000.0)}).text(60, ascii_only=False).splitlines()
    assert max(map(len, trace[1:])) <= 60 and trace[1].startswith("0 |▁") and trace[1].endswith("█|")
    assert "?" in Traces("lif.v", {"0": np.array([0.0, np.nan, 1.0])}).text(60)


def test_differences_are_shown_before_anything_else():
    ours = np.zeros((4, 1000), bool)
    theirs = ours.copy()
    ours[1, 777], theirs[2, 3] = True, True
    ours[3, 5] = theirs[3, 5] = True
    pair = RasterPair({"quiet": (ours & theirs, ours & theirs), "lif": (ours, theirs)}, names=("a", "b"))
    lines = pair.text(80, ascii_only=False).splitlines()
    assert "  3 |··▼·|" in lines and "777 |·▲··|" in lines
    assert lines[0] == "sample 0: ┃ both  ▲ a only  ▼ b only  · neither"
    assert lines[1] == "quiet: 1000 neurons, 4 steps, 0 of 4,000 differ" and lines[2].startswith("lif: ")
    np.testing.assert_array_equal(pair.arrays["lif.theirs"], theirs)
    assert {3, 777} <= set(rows.with_marked((ours != theirs).any(0), 8).tolist())


@pytest.mark.parametrize("neurons", [1, 2, 31, 32, 33, 1000])
@pytest.mark.parametrize("most", [1, 5, 32])
def test_rows_are_spread(neurons, most):
    shown = rows.spread(neurons, most)
    assert len(shown) == min(neurons, most) and shown[0] == 0
    assert (np.diff(shown) > 0).all() and shown[-1] == (neurons - 1 if most > 1 or neurons == 1 else 0)
    runs = rows.bins(neurons, most)
    assert len(runs) <= most and runs[0][0] == 0 and runs[-1][1] == neurons
    assert all(a[1] == b[0] for a, b in pairwise(runs))


def pictures(result):
    many = np.random.default_rng(0).random((5, 400)) < 0.3
    other = many.copy()
    other[2, 7] ^= True
    return {
        "raster": result.raster(),
        "trace": result.trace(),
        "plain": Traces("lif.i", {"2": np.arange(5)}),
        "rates": result.rates(),
        "pair": RasterPair({"lif": (many, other), "none": (many & False, many & False)}, first=("lif", 2)),
        "bars": Rates({"ours": {"a": 0.1, "b": 0.0}, "theirs": {"a": 0.2, "b": 0.0}}),
        "layers": Raster({f"layer{i}": many[:, : i + 1] for i in range(30)}),
    }


def test_files_with_matplotlib(result, tmp_path):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    for name, picture in pictures(result).items():
        picture.save(tmp_path / f"{name}.png")
        with image.open(tmp_path / f"{name}.png") as opened:
            pixels = np.asarray(opened.convert("RGB"))
        assert 1000 <= pixels.shape[1] <= 1300 and pixels.shape[0] >= 150, name
        inked = (pixels < 128).any(axis=-1)
        assert 0.002 < inked.mean() < 0.6, f"{name} is blank or full: {inked.mean()}"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("name", ["trace", "pair", "bars"])
def test_every_ending(result, tmp_path, name):
    pytest.importorskip("matplotlib")
    picture = pictures(result)[name]
    for ending in ("svg", "pdf", "npz", "txt"):
        picture.save(tmp_path / f"a.{ending}")
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert "<svg" in picture._repr_svg_() and (tmp_path / "a.svg").read_text().count("<path") > 5
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "a.txt").read_text() == picture.text(100, ascii_only=False) + "\n"
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert set(stored.files) == set(picture.arrays)


def test_the_difference_has_its_colours(result, tmp_path):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")

    def colours(ours, theirs):
        RasterPair({"lif": (ours, theirs)}).save(tmp_path / "p.png")
        with image.open(tmp_path / "p.png") as opened:
            upper = np.asarray(opened.convert("RGB"))[60:-60]  # without the legend
        return {tuple(int(v) for v in colour) for colour in np.unique(upper.reshape(-1, 3), axis=0)}

    blue, vermillion = (0, 0x72, 0xB2), (0xD5, 0x5E, 0)
    spikes = np.array([[1, 0, 1], [0, 1, 0]], bool)
    more, fewer = spikes.copy(), spikes.copy()
    more[1, 0], fewer[0, 0] = True, False
    assert not {blue, vermillion} & colours(spikes, spikes)
    assert {blue, vermillion} & colours(more, spikes) == {blue}
    assert {blue, vermillion} & colours(fewer, spikes) == {vermillion}


def test_equal_pictures_are_equal_files(result, tmp_path):
    pytest.importorskip("matplotlib")
    for ending in ("png", "pdf"):
        result.raster().save(tmp_path / f"a.{ending}")
        result.raster().save(tmp_path / f"b.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


WITHOUT = """
import sys
sys.modules["matplotlib"] = None
import numpy as np
from pathlib import Path
from snncore.pictures import Raster
picture = Raster({"lif": np.eye(4, dtype=bool)})
print(picture)
assert picture._repr_png_() is None and picture._repr_svg_() is None
for ending in ("npz", "txt"):
    picture.save(f"{sys.argv[1]}/r.{ending}")
    assert Path(f"{sys.argv[1]}/r.{ending}").stat().st_size > 50
try:
    picture.save(f"{sys.argv[1]}/r.png")
except ImportError as why:
    assert "pip install 'snncore[plot]'" in str(why)
    sys.exit(7)
"""


def test_files_without_matplotlib(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith("lif: 4 neurons, 4 steps") and not (tmp_path / "r.png").exists()


def test_what_is_wrong_is_one_sentence(result, tmp_path):
    def wrong(match, call, *arguments, **options):
        with pytest.raises(ValueError, match=match) as caught:
            call(*arguments, **options)
        assert "\n" not in str(caught.value)

    wrong(r"ends in \.png, \.svg", result.raster().save, tmp_path / "r.gif")
    wrong("raster: expected a sample below 1, received 4", result.raster, sample=4)
    wrong("received 'fc'; recorded: 'lif'", result.raster, "fc")
    wrong(r"received 'lif'; recorded: 'lif\.v'", result.trace, "lif")
    wrong("rates: expected a sample below 1", result.rates, sample=-2)
    for neuron in (3, -1, (0, 0), 1.5, "a", [[0]], None.__class__):
        wrong(r"expected a neuron of \[3\]", result.trace, neuron=neuron)
    wrong("1 to 24 neurons, received 0", result.trace, neuron=[])
    wrong("1 to 24 neurons, received 99", result.trace, neuron=[0] * 99)
    nothing = spiking_model().run(X, record=[])
    wrong("recorded: none", nothing.raster)
    wrong("received none; recorded: none", nothing.trace)
    wrong("rates: no spikes were recorded", nothing.rates)
    with pytest.raises(FileNotFoundError, match="No such folder"):
        result.raster().save(tmp_path / "no" / "r.txt")


def test_places_of_an_image():
    b = snncore.GraphBuilder()
    x = b.input("x", "f32", [2, 3, 4], layout="TNCHW")
    b.output("y", b.neuron("lif", x, snncore.Neuron(threshold=100.0)))
    x = np.arange(24, dtype=np.float32).reshape(1, 1, 2, 3, 4)
    result = b.build(timesteps=1).run(x, record=["lif.v"])
    trace = result.trace(neuron=[(1, 2, 3), 5])
    assert {k: v.tolist() for k, v in trace.values.items()} == {"1,2,3": [23.0], "0,1,1": [5.0]}
    assert list(result.trace().values) == ["0,0,0", "0,0,1", "0,0,2", "0,0,3", "0,1,0", "0,1,1"]


def test_a_file_that_fails_leaves_nothing(tmp_path, monkeypatch):
    from pathlib import Path

    target = tmp_path / "a.txt"
    write_atomically(target, b"old")

    def full(here: Path, _there: Path) -> Path:
        raise OSError(errno.ENOSPC, "full", str(here))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="full") as problem:
        write_atomically(target, b"new")
    assert problem.value.errno == errno.ENOSPC and problem.value.filename == str(target)
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]
