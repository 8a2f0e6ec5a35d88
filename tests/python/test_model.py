"""Model: what it says of itself, run, record, save and load."""

import io
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from nets import STEPS, VectorNet, image_net, pixels, two_inputs_net

import snncore
from snncore import _core
from snncore.arguments import thread_count

PLAN = {"mode": _core.Mode.SEQUENCE, "timesteps": STEPS, "batch": 1, "threads": 1, "layout": ""}


def test_inputs_and_outputs_are_named_tuples() -> None:
    model = image_net()
    (image,), (logits,) = model.inputs, model.outputs
    assert (image.name, image.dtype, image.shape, image.layout) == ("image", "u8", (3, 8, 8), "NCHW")
    assert image.zero_point == (120, 128, 110)
    assert image.scale == 1 / 64
    assert (logits.name, logits.dtype, logits.shape) == ("logits", "f32", (5,))
    assert "T" not in logits.layout


def test_layers_are_named_tuples() -> None:
    layers = {layer.name: layer for layer in image_net().layers}
    assert layers["stem"].op == "conv2d"
    assert layers["stem"].weight_bits == 8
    assert layers["block"].weight_bits == 4
    assert layers["block"].kept_channels == 10
    assert layers["block"].shape == (10, 8, 8)
    assert layers["head"].shape == (5,)
    assert {layer.neuron for layer in layers.values()} >= {"lif"}
    assert max(layer.state_bits for layer in layers.values()) == 16


def test_metadata() -> None:
    assert image_net().metadata | {"provenance": None} == {
        "format": 2,
        "timesteps": STEPS,
        "labels": ["ant", "bee", "cat", "dog", "elk"],
        "preprocess": {"size": [8, 8], "crop": "center", "color": "rgb"},
        "provenance": None,
    }
    assert image_net().metadata["provenance"]["name"] == "image net"
    assert VectorNet().model().metadata["labels"] is None
    assert VectorNet().model().metadata["preprocess"] is None


def test_summary_is_an_aligned_table() -> None:
    model = image_net()
    lines = model.summary().splitlines()
    assert lines[0].split() == ["layer", "op", "shape", "weights", "state", "bytes"]
    assert all(any(line.startswith(name) for line in lines) for name in ("stem", "block", "head"))
    assert "8 bit" in model.summary()
    assert "3 x 8 x 8" not in lines[0]
    assert f"T = {STEPS}" in lines[-1]
    assert str(model.file_bytes) in lines[-1]
    assert "image u8 [3, 8, 8]" in repr(model)


def test_run_gives_what_the_format_says() -> None:
    net = VectorNet()
    x = net.spikes()
    y, spikes, membranes, sums = net.expected(x)
    result = net.model().run(x, layout="TNC", record=["lif", "lif.v", "out.sum"])
    np.testing.assert_array_equal(result.spikes["lif"].numpy(), spikes)
    np.testing.assert_array_equal(result.states["lif.v"], membranes)
    np.testing.assert_array_equal(result.states["out.sum"], sums)
    np.testing.assert_array_equal(result.outputs, y)
    assert result.outputs.dtype == np.float32


def test_run_starts_from_fresh_state() -> None:
    model, x = image_net(), pixels()
    np.testing.assert_array_equal(model.run(x), model.run(x))


def test_a_batch_gives_what_its_samples_give() -> None:
    model, x = image_net(), pixels(5)
    each = np.concatenate([model.run(sample[np.newaxis]) for sample in x])
    np.testing.assert_array_equal(model.run(x), each)


def test_threads_do_not_change_the_answer() -> None:
    model, x = image_net(), pixels(3)
    one = model.run(x, threads=1, record=["block.lif"])
    for threads in (2, 3, 7):
        many = model.run(x, threads=threads, record=["block.lif"])
        np.testing.assert_array_equal(many.outputs, one.outputs)
        assert many.spikes["block.lif"] == one.spikes["block.lif"]


def test_threads_default_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert thread_count("run", None) == 1
    monkeypatch.setenv("SNNCORE_NUM_THREADS", "2")
    assert thread_count("run", None) == 2
    assert thread_count("run", 1) == 1
    assert image_net().run(pixels()).shape == (2, 5)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC", "CHWN", "HWNC"])
def test_the_layout_is_named(layout: str) -> None:
    model, x = image_net(), pixels()
    moved = x.transpose(["NCHW".index(axis) for axis in layout])
    np.testing.assert_array_equal(model.run(moved, layout=layout), model.run(x))


def test_one_frame_is_repeated() -> None:
    model, x = image_net(), pixels()
    frames = np.repeat(x[np.newaxis], 3, axis=0)
    np.testing.assert_array_equal(model.run(frames, layout="TNCHW"), model.run(x, timesteps=3))
    last = np.moveaxis(frames, 0, -1)
    np.testing.assert_array_equal(model.run(last, layout="NCHWT"), model.run(x, timesteps=3))


def test_a_sample_without_n_is_a_batch_of_one() -> None:
    model, x = image_net(), pixels()
    np.testing.assert_array_equal(model.run(x[1], layout="CHW"), model.run(x)[1:])
    frames = np.repeat(x[:1], 3, axis=0)
    np.testing.assert_array_equal(model.run(frames, layout="TCHW"), model.run(x, timesteps=3)[:1])


def test_the_default_layout_is_the_files() -> None:
    x = pixels()
    channels_last = image_net(layout="NHWC")
    assert channels_last.inputs[0].layout == "NHWC"
    np.testing.assert_array_equal(channels_last.run(x.transpose(0, 2, 3, 1)), image_net().run(x))


@pytest.mark.parametrize("make", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=3)[..., ::2]])
def test_strides_do_not_matter(make: object) -> None:
    model, x = image_net(), pixels()
    np.testing.assert_array_equal(model.run(make(x)), model.run(x))  # type: ignore[operator]


def test_read_only_arrays_are_accepted() -> None:
    x = pixels()
    x.setflags(write=False)
    assert image_net().run(x).shape == (2, 5)


def test_normalised_floats_are_the_pixels_they_came_from() -> None:
    x = pixels()
    zero_point = np.array([120, 128, 110]).reshape(3, 1, 1)
    values = ((x - zero_point) / 64).astype(np.float32)
    np.testing.assert_array_equal(image_net().run(values), image_net().run(x))


def test_spikes_may_be_bool_or_packed() -> None:
    net = VectorNet()
    model, x = net.model(), net.spikes()
    expected = model.run(x, layout="TNC")
    np.testing.assert_array_equal(model.run(snncore.pack(x), layout="TNC"), expected)
    np.testing.assert_array_equal(model.run(snncore.pack(x, axis=0), layout="TNC"), expected)
    np.testing.assert_array_equal(model.run(snncore.pack(x.swapaxes(0, 1)), layout="NTC"), expected)
    np.testing.assert_array_equal(model.run(snncore.pack(x[:, 1]), layout="TC"), expected[1:2])
    np.testing.assert_array_equal(model.run(snncore.pack(x[0])), model.run(x[0]))


def test_timesteps_are_those_of_the_file_unless_told_otherwise() -> None:
    model, x = image_net(timesteps=2), pixels()
    np.testing.assert_array_equal(model.run(x), model.run(x, timesteps=2))
    assert model.run(x, timesteps=5, record="stem.lif").spikes["stem.lif"].shape[0] == 5


def test_recordings_are_in_the_order_of_the_user() -> None:
    result = image_net().run(pixels(), record=["stem.lif", "stem.lif.v", "block.sum", "mean.sum"])
    assert result.spikes["stem.lif"].shape == (STEPS, 2, 8, 8, 8)
    assert result.spikes["stem.lif"].axis == 2
    assert result.states["stem.lif.v"].shape == (STEPS, 2, 8, 8, 8)
    assert result.states["block.sum"].shape == (STEPS, 2, 10, 8, 8)
    assert result.states["mean.sum"].shape == (2, 5)
    assert 0 < result.spikes["stem.lif"].popcount() < result.spikes["stem.lif"].size


def test_recording_changes_nothing() -> None:
    model, x = image_net(), pixels()
    result = model.run(x, record=["stem.lif", "stem.lif.v", "block.lif", "block.lif.v"])
    np.testing.assert_array_equal(result.outputs, model.run(x))


def test_record_may_be_empty() -> None:
    result = image_net().run(pixels(), record=[])
    assert isinstance(result, snncore.Result)
    assert result.spikes == {}


def test_raster_as_text() -> None:
    result = image_net().run(pixels(), record=["stem.lif", "block.lif"])
    lines = str(result.raster("stem.lif")).splitlines()
    assert lines[0].startswith("stem.lif: 512 neurons, 4 steps")
    assert len(lines) == 33
    assert str(result.raster()).splitlines()[33].startswith("block.lif: ")
    with pytest.raises(ValueError, match="head"):
        result.raster("head")


def test_raster_draws_on_axes() -> None:
    class Axes:
        def scatter(self, x: np.ndarray, y: np.ndarray, **options: object) -> None:
            self.points = set(zip(x.tolist(), y.tolist(), strict=True))

        def set(self, **options: object) -> None:
            self.options = options

    net = VectorNet()
    x = net.spikes()
    axes = Axes()
    result = net.model().run(x, layout="TNC", record="lif")
    assert result.raster(ax=axes, sample=1) is axes
    assert axes.points == set(map(tuple, np.argwhere(net.expected(x)[1][:, 1]).tolist()))


def test_several_inputs_and_outputs() -> None:
    model = two_inputs_net()
    rng = np.random.default_rng(0)
    image, more = rng.random((3, 2, 4, 4)) < 0.5, rng.random((3, 7)) < 0.5
    by_name = model.run({"more": more, "image": image})
    assert set(by_name) == {"spikes", "rate"}
    assert by_name["spikes"].shape == (STEPS, 3, 6)
    np.testing.assert_array_equal(by_name["spikes"].sum(axis=0) / STEPS, by_name["rate"])
    np.testing.assert_array_equal(model.run((image, more))["spikes"], by_name["spikes"])


def test_outputs_of_spikes_may_stay_packed() -> None:
    model = two_inputs_net()
    rng = np.random.default_rng(0)
    x = {"image": rng.random((3, 2, 4, 4)) < 0.5, "more": rng.random((3, 7)) < 0.5}
    plain, packed = model.run(x), model.run(x, packed=True)
    assert isinstance(packed["spikes"], snncore.BitTensor)
    np.testing.assert_array_equal(packed["spikes"].numpy(), plain["spikes"])
    np.testing.assert_array_equal(packed["rate"], plain["rate"])
    again = model.run({name: ~value for name, value in x.items()}, packed=True)
    assert again["spikes"] != packed["spikes"]


def test_an_output_that_is_not_spikes_cannot_be_packed() -> None:
    core = _core.Session(_core.Program(image_net()._core, **PLAN, record=[]))
    core.run([pixels(1)])
    with pytest.raises(ValueError, match=r"'logits' .* is not spikes"):
        core.packed_output(0)
    with pytest.raises(ValueError, match="output 1"):
        core.packed_output(1)


def test_a_program_without_outputs_computes_what_is_recorded() -> None:
    model = image_net()
    core = _core.Session(_core.Program(model._core, **PLAN, record=["block.sum"], outputs=False))
    core.run([pixels(1)])
    expected = model.run(pixels(1), record="block.sum").states["block.sum"]
    np.testing.assert_array_equal(dict(core.recordings())["block.sum"], expected)
    with pytest.raises(ValueError, match="output 0"):
        core.output(0)


def test_a_model_can_be_saved_and_loaded(tmp_path: Path) -> None:
    model, x = image_net(), pixels()
    path = tmp_path / "net.snn"
    model.save(path)
    data = path.read_bytes()
    assert data == model.to_bytes()
    assert len(data) == model.file_bytes
    assert [p.name for p in tmp_path.iterdir()] == ["net.snn"]
    with path.open("rb") as file:
        sources = [path, str(path), data, bytearray(data), memoryview(data), file, io.BytesIO(data)]
        for source in sources:
            loaded = snncore.load(source)
            np.testing.assert_array_equal(loaded.run(x), model.run(x))
            assert loaded.metadata == model.metadata
            assert loaded.layers == model.layers
            assert loaded.to_bytes() == data


def test_a_model_can_be_pickled() -> None:
    model = image_net()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).run(pixels()), model.run(pixels()))


def test_a_mapped_model_outlives_its_name(tmp_path: Path) -> None:
    model, x = image_net(), pixels()
    expected = model.run(x)
    path = tmp_path / "net.snn"
    model.save(path)
    loaded = snncore.load(path)
    path.unlink()
    np.testing.assert_array_equal(loaded.run(x), expected)


def test_saving_over_the_loaded_file_is_safe(tmp_path: Path) -> None:
    path = tmp_path / "net.snn"
    image_net().save(path)
    loaded = snncore.load(path)
    expected = loaded.run(pixels())
    loaded.save(path)
    np.testing.assert_array_equal(loaded.run(pixels()), expected)


def test_ten_megabytes_are_mapped_not_copied(tmp_path: Path) -> None:
    b = snncore.GraphBuilder()
    weight = np.ones((2500, 4000), np.int8)
    b.output(
        "y",
        b.readout("r", b.linear("fc", b.input("x", "b1", [4000]), weight, encoding="sym", bits=8, scale=1.0)),
    )
    path = tmp_path / "large.snn"
    b.build(1).save(path)
    model = snncore.load(path)
    assert str(path) in Path("/proc/self/maps").read_text()
    del model
    assert str(path) not in Path("/proc/self/maps").read_text()


def test_many_threads_may_run_one_model() -> None:
    model = image_net()
    inputs = [pixels(1 + i % 3, seed=i) for i in range(24)]
    expected = [model.run(x) for x in inputs]
    with ThreadPoolExecutor(6) as pool:
        for got, want in zip(pool.map(model.run, inputs), expected, strict=True):
            np.testing.assert_array_equal(got, want)


def test_the_last_few_plans_are_kept() -> None:
    model = image_net()
    for batch in range(1, 8):
        model.run(pixels(batch))
    assert [key.batch for key in model._plans._plans] == [4, 5, 6, 7]


def test_outputs_belong_to_the_caller() -> None:
    model = image_net()
    first = model.run(pixels(seed=0))
    kept = first.copy()
    model.run(pixels(seed=1))
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(model.run(pixels(seed=0)), kept)
