"""Session: the same spikes step by step."""

from pathlib import Path

import numpy as np
import pytest
from nets import STEPS, VectorNet, image_net, pixels, two_inputs_net

import snncore


def frames(samples: int = 2, steps: int = STEPS) -> np.ndarray:
    return np.stack([pixels(samples, seed=t) for t in range(steps)])


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_give_what_a_run_gives(threads: int) -> None:
    model, x = image_net(), frames()
    names = ["stem.lif", "stem.lif.v", "block.lif", "block.lif.v", "mean.sum", "block.sum"]
    whole = model.run(x, layout="TNCHW", record=names)
    session = model.stream(batch=2, threads=threads, record=names)
    steps = [session.step(frame) for frame in x]
    np.testing.assert_array_equal(steps[-1].outputs, whole.outputs)
    for name in ("stem.lif", "block.lif"):
        bits = np.concatenate([step.spikes[name].numpy() for step in steps])
        np.testing.assert_array_equal(bits, whole.spikes[name].numpy())
    for name in ("stem.lif.v", "block.lif.v", "block.sum"):
        np.testing.assert_array_equal(np.concatenate([s.states[name] for s in steps]), whole.states[name])
    np.testing.assert_array_equal(steps[-1].states["mean.sum"], whole.states["mean.sum"])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the resident set is read from /proc")
def test_sessions_share_the_weights_of_their_model() -> None:
    rng = np.random.default_rng(0)
    builder = snncore.GraphBuilder()
    x = builder.input("x", "b1", (1024,))
    for name in ("first", "second"):
        codes = rng.integers(-127, 128, (1024, 1024)).astype(np.int8)
        x = builder.linear(name, x, weight=codes, encoding="sym", bits=8, scale=[0.01])
        x = builder.lif(f"{name}.lif", x)
    builder.output("y", builder.readout("mean", x, mode="mean"))
    model, frame = builder.build(timesteps=1), np.zeros((1, 1024), np.bool_)
    model.stream().step(frame)
    before = resident_kib()
    sessions = [model.stream() for _ in range(200)]
    for session in sessions:
        session.step(frame)
    weights = len(model.to_bytes()) / 1024
    assert resident_kib() - before < 8 * weights  # 200 copies would be 200


def resident_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def test_run_takes_all_steps() -> None:
    model, x = image_net(), frames()
    whole = model.run(x, layout="TNCHW", record=["block.lif", "block.lif.v", "mean.sum"])
    session = model.stream(batch=2, record=["block.lif", "block.lif.v", "mean.sum"])
    got = session.run(x)
    np.testing.assert_array_equal(got.outputs, whole.outputs)
    assert got.spikes["block.lif"] == whole.spikes["block.lif"]
    np.testing.assert_array_equal(got.states["block.lif.v"], whole.states["block.lif.v"])
    np.testing.assert_array_equal(got.states["mean.sum"], whole.states["mean.sum"])
    assert session.steps == STEPS


def test_state_continues_until_reset() -> None:
    model, x = image_net(), frames()
    session = model.stream(batch=2)
    whole = session.run(x)
    session.reset()
    assert session.steps == 0
    session.run(x[:1])
    assert session.steps == 1
    np.testing.assert_array_equal(session.run(x[1:]), whole)


def test_every_readout_on_the_way_is_that_of_a_shorter_run() -> None:
    model, x = image_net(), frames()
    session = model.stream(batch=2)
    for t, frame in enumerate(x):
        np.testing.assert_array_equal(session.step(frame), model.run(x[: t + 1], layout="TNCHW"))


def test_a_batch_row_has_its_own_state() -> None:
    model, x = image_net(), frames(3)
    whole = model.stream(batch=3).run(x)
    each = [model.stream().run(x[:, i : i + 1]) for i in range(3)]
    np.testing.assert_array_equal(whole, np.concatenate(each))


def test_sessions_do_not_disturb_each_other() -> None:
    model, x, other = image_net(), frames(), frames()[::-1]
    first, second = model.stream(batch=2), model.stream(batch=2)
    for a, b in zip(x, other, strict=True):
        y, z = first.step(a), second.step(b)
    np.testing.assert_array_equal(y, model.run(x, layout="TNCHW"))
    np.testing.assert_array_equal(z, model.run(other, layout="TNCHW"))


def test_state_can_be_saved_and_loaded() -> None:
    model, x = image_net(), frames()
    session = model.stream(batch=2)
    session.run(x[:2])
    blob = session.save_state()
    assert isinstance(blob, bytes)
    expected = session.run(x[2:])
    later = model.stream(batch=2)
    later.load_state(blob)
    assert later.steps == 2
    np.testing.assert_array_equal(later.run(x[2:]), expected)


def test_a_state_of_something_else_is_refused() -> None:
    session = image_net().stream(batch=2)
    for blob in (
        b"",
        b"nonsense",
        image_net().stream(batch=1).save_state(),
        bytes(len(session.save_state())),
    ):
        with pytest.raises(snncore.FormatError):
            session.load_state(blob)
    session.run(frames())  # still usable


@pytest.mark.parametrize("layout", ["TNCHW", "NTCHW", "NCHWT", "HWTNC"])
def test_run_takes_any_layout(layout: str) -> None:
    model, x = image_net(), frames()
    moved = x.transpose(["TNCHW".index(axis) for axis in layout])
    expected = model.run(x, layout="TNCHW")
    np.testing.assert_array_equal(model.stream(batch=2).run(moved, layout=layout), expected)
    np.testing.assert_array_equal(model.stream(batch=2, layout="NHWC").run(moved, layout=layout), expected)
    np.testing.assert_array_equal(model.stream(batch=2, layout=layout).run(moved), expected)


def test_the_layout_of_frames_is_named_once() -> None:
    model, x = image_net(), frames()
    session = model.stream(batch=2, layout="NHWC")
    for frame in x:
        y = session.step(frame.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(y, model.run(x, layout="TNCHW"))


def test_one_sample_needs_no_n() -> None:
    model, x = image_net(), frames(1)
    session = model.stream(layout="CHW")
    for frame in x:
        y = session.step(frame[0])
    np.testing.assert_array_equal(y, model.run(x, layout="TNCHW"))
    np.testing.assert_array_equal(model.stream(layout="CHW").run(x[:, 0]), y)


def test_packed_frames() -> None:
    net = VectorNet()
    model, x = net.model(), net.spikes()
    expected = net.expected(x)[0]
    session = model.stream(batch=3)
    for frame in x:
        y = session.step(snncore.pack(frame))
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(model.stream(batch=3).run(snncore.pack(x)), expected)
    moved = snncore.pack(x.transpose(2, 1, 0), axis=0)
    np.testing.assert_array_equal(model.stream(batch=3).run(moved, layout="CNT"), expected)


def test_several_inputs_and_outputs() -> None:
    model = two_inputs_net()
    rng = np.random.default_rng(0)
    image, more = rng.random((STEPS, 3, 2, 4, 4)) < 0.5, rng.random((STEPS, 3, 7)) < 0.5
    session = model.stream(batch=3)
    got = session.run((image, more))
    session.reset()
    steps = [session.step({"image": i, "more": m}) for i, m in zip(image, more, strict=True)]
    np.testing.assert_array_equal(got["spikes"], np.concatenate([step["spikes"] for step in steps]))
    np.testing.assert_array_equal(got["rate"], steps[-1]["rate"])
    np.testing.assert_array_equal(got["rate"], got["spikes"].mean(axis=0, dtype=np.float32))


def test_a_session_is_a_context_manager() -> None:
    with image_net().stream(batch=2) as session:
        session.run(frames())
    with pytest.raises(ValueError, match="closed"):
        session.step(frames()[0])
    session.close()


def test_wrong_frames_are_refused_and_change_nothing() -> None:
    model, x = image_net(), frames()
    session = model.stream(batch=2)
    session.run(x[:2])
    with pytest.raises(ValueError, match=r"expected 2 samples.*received 1"):
        session.step(x[0, :1])
    with pytest.raises(ValueError, match="'image'"):
        session.step(x)
    with pytest.raises(ValueError, match="'image'"):
        session.run(x[0])
    with pytest.raises(ValueError, match="layout with T"):
        session.run(x, layout="NCHW")
    np.testing.assert_array_equal(session.run(x[2:]), model.run(x, layout="TNCHW"))


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="batch"):
        image_net().stream(batch=0)
    with pytest.raises(ValueError, match="threads"):
        image_net().stream(threads=0)
    with pytest.raises(ValueError, match="'NCHX'"):
        image_net().stream(layout="NCHX")


def delayed(kind: str) -> tuple[snncore.Session, np.ndarray]:
    """A stream that remembers a step of three spikes, or counts up to 2, in the bytes behind the header."""
    b = snncore.GraphBuilder()
    x = b.input("x", kind, [3])
    late = b.delay("d", x)
    b.output("y", b.add("sum", [late, x]) if kind == "b1" else late)
    return b.build(1).stream(), np.zeros((1, 3), bool if kind == "b1" else np.uint8)


@pytest.mark.parametrize("kind", ["b1", "count2"])
def test_a_state_that_no_session_saves_is_refused(kind: str) -> None:
    session, frame = delayed(kind)
    session.step(frame)
    state = bytearray(session.save_state())
    state[24] = 1
    session.load_state(bytes(state))
    state[24:] = b"\xff" * (len(state) - 24)
    with pytest.raises(snncore.FormatError, match="state: holds values that no session saves"):
        session.load_state(bytes(state))
    assert session.step(frame)[0, 0, 0] == 1  # as it was


def test_ages_beyond_the_steps_are_refused() -> None:
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [4])
    x = b.linear("fc", x, np.zeros((3, 4), np.int8), encoding="odd", bits=4, scale=[0.01])
    b.output("y", b.lif("lif", x, profile="X", leak="half_floor"))
    session = b.build(3).stream()
    session.step(np.ones((1, 4), bool))
    state = session.save_state()
    session.load_state(state)
    with pytest.raises(snncore.FormatError, match="state: holds values that no session saves"):
        session.load_state(state[:24] + b"\x02" * (len(state) - 24))


def test_a_state_of_another_network_is_refused() -> None:
    def stream(neuron: bool) -> snncore.Session:
        b = snncore.GraphBuilder()
        x = b.input("x", "f32", [2])
        b.output("y", b.lif("n", x) if neuron else b.delay("n", x))
        return b.build(1).stream()

    first, second = stream(neuron=True), stream(neuron=False)
    state = first.save_state()
    assert len(state) == len(second.save_state())
    with pytest.raises(snncore.FormatError, match="state: saved by a session of another model"):
        second.load_state(state)


def test_a_layer_behind_a_readout_has_one_value() -> None:
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    x = b.lif("lif", b.linear("fc", b.input("x", "b1", [8], layout="TNC"), dyadic(rng, 6, 8)))
    b.output("y", b.linear("head", b.readout("mean", x), dyadic(rng, 3, 6)))
    model = b.build(4)
    assert model.outputs[0].layout == "NC"
    spikes = rng.random((4, 5, 8)) < 0.5
    expected = model.run(spikes)
    assert expected.shape == (5, 3)
    np.testing.assert_array_equal(model.stream(batch=5).run(spikes), expected)


def dyadic(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.integers(-8, 9, shape) / 8).astype(np.float32)
