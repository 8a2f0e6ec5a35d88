"""Readers of recordings, and events pushed through a Session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import snncore
from snncore import events
from snncore.events import Events

WIDTH, HEIGHT = 7, 5


def network(dtype: str = "b1", channels: int = 2) -> snncore.Model:
    rng = np.random.default_rng(0)
    b = snncore.GraphBuilder()
    b.input("events", dtype, [channels, HEIGHT, WIDTH], layout="TNCHW")
    codes = rng.integers(-8, 8, (4, channels, 3, 3)).astype(np.int8)
    b.conv2d("conv", "events", codes, encoding="odd", bits=4, scale=np.full(4, 0.06), padding=1)
    b.lif("n", "conv", decay=0.5)
    b.flatten("flat", "n")
    codes = rng.integers(-8, 8, (3, 4 * WIDTH * HEIGHT)).astype(np.int8)
    b.linear("fc", "flat", codes, encoding="odd", bits=4, scale=np.full(3, 0.01))
    b.output("logits", b.readout("logits", "fc", "mean"))
    b.output("spikes", "n")
    return b.build(4)


def stream(count: int = 100, seed: int = 0) -> Events:
    rng = np.random.default_rng(seed)
    return events.columns(
        rng.integers(0, WIDTH, count),
        rng.integers(0, HEIGHT, count),
        rng.integers(0, 2, count),
        np.sort(rng.integers(2_000, 40_000, count)),
    )


def record(x: int, y: int, p: int, t: int) -> bytes:
    return bytes([x, y]) + (p << 23 | t).to_bytes(3, "big")


def test_nmnist_files(tmp_path: Path) -> None:
    data = record(18, 16, 1, 893) + record(33, 0, 0, 0x7FFFFF)
    for name in ("0.bin", "0.bs2", "0.BIN"):
        (tmp_path / name).write_bytes(data)
        got = events.load(tmp_path / name)
        assert [c.tolist() for c in got] == [[18, 33], [16, 0], [1, 0], [893, 0x7FFFFF]]
        assert [c.dtype for c in got] == [np.uint16, np.uint16, np.uint8, np.int64]


def test_the_recorders_clock_goes_over_at_row_240() -> None:
    got = events.from_nmnist(record(1, 1, 0, 5) + record(0, 240, 0, 0) + record(2, 2, 1, 7))
    assert got.x.tolist() == [1, 2]
    assert got.t.tolist() == [5, 8192 + 7]


@pytest.mark.parametrize("data", [b"", b"1234", b"1234567"])
def test_bytes_that_are_no_events_are_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.bin"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"cut\.bin.*5 divides"):
        events.load(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a file"):
        events.load(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError):
        events.load(tmp_path / "none.bin")
    for name in ("junk.npy", "junk.npz"):
        (tmp_path / name).write_bytes(b"not numpy at all")
        with pytest.raises(ValueError, match="junk"):
            events.load(tmp_path / name)


@pytest.mark.parametrize(
    "fields",
    [
        [("t", "<i8"), ("x", "<u2"), ("y", "<u2"), ("p", "?")],
        [("x", "<i2"), ("y", "<i2"), ("timestamp", "<u4"), ("polarity", "i1")],
        [("Pol", "u1"), ("TS", "<i4"), ("Y", "u1"), ("X", "u1")],
    ],
)
def test_structured_arrays_in_any_order_and_naming(fields: list[tuple[str, str]], tmp_path: Path) -> None:
    array = np.zeros(3, fields)
    roles = {name: name.lower()[0] for name, _ in fields}
    for name, role in roles.items():
        array[name] = {"x": [1, 2, 3], "y": [4, 3, 2], "p": [1, 0, 1], "t": [10, 20, 30]}[role]
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", **{name: array[name] for name, _ in fields})
    for got in (events.from_array(array), events.load(tmp_path / "a.npy"), events.load(tmp_path / "a.npz")):
        assert [c.tolist() for c in got] == [[1, 2, 3], [4, 3, 2], [1, 0, 1], [10, 20, 30]]


def test_structured_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="no field for p"):
        events.from_array(np.zeros(2, [("x", "i4"), ("y", "i4"), ("t", "i8")]))
    with pytest.raises(ValueError, match="2 fields for t"):
        events.from_array({"x": [0], "y": [0], "p": [0], "t": [0], "timestamp": [0]})
    with pytest.raises(ValueError, match="plain values"):
        events.from_array(np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("x", [-1], "x from 0 to 65535, received -1"),
        ("y", [70000], "y from 0 to 65535, received 70000"),
        ("x", [1.5], "whole numbers as x, received float64"),
        ("x", [[1]], "one axis"),
        ("t", [0.001], "microseconds"),
        ("t", np.array([2**63], np.uint64), "t from"),
        ("p", [2], "p as bool"),
        ("p", [-1, 0], "p as bool"),
        ("p", [0.5], "p as bool"),
        ("p", [1, 1], "of one length"),
    ],
)
def test_columns_that_are_no_events_are_refused(name: str, values: object, message: str) -> None:
    good: dict[str, object] = {c: np.zeros(np.size(values), np.int64) for c in "xypt"}
    if message == "of one length":
        good = {c: [0] for c in "xypt"}
    with pytest.raises(ValueError, match=message):
        events.columns(**{**good, name: values})  # type: ignore[arg-type]


def test_polarity_is_bool_or_either_pair_of_numbers() -> None:
    for p in ([True, False], [1, 0], [1, -1], np.array([1, -1], np.int8)):
        assert events.columns([0, 0], [0, 0], p, [0, 0]).p.tolist() == [1, 0]


def test_a_push_gives_the_steps_of_the_frames() -> None:
    model, recording = network(), stream()
    frames = events.frames(recording, 1000, (2, HEIGHT, WIDTH)) > 0
    want = model.stream().run(frames[:, None])
    session = model.stream()
    pushed = session.push_events(*recording, window_us=1000, each=True)
    ended = session.flush_events(each=True)
    assert pushed.steps + ended.steps == session.steps == len(frames)
    assert (pushed.late, pushed.skipped, ended.steps) == (0, 0, 1)
    spikes = np.concatenate([o["spikes"] for o in pushed.outputs + ended.outputs])
    np.testing.assert_array_equal(spikes, want["spikes"])
    np.testing.assert_array_equal(ended.output["logits"], want["logits"])
    whole = model.run(frames, layout="TCHW")
    np.testing.assert_array_equal(ended.output["logits"], whole["logits"])


def test_a_push_with_recordings() -> None:
    model, recording = network(), stream()
    session = model.stream(record=["n", "n.v"])
    pushed = session.push_events(*recording, each=True)
    assert len(pushed.outputs) == pushed.steps
    assert pushed.outputs[-1].spikes["n"] == pushed.output.spikes["n"]
    plain = model.stream(record=["n"])
    assert plain.push_events(*recording).output.spikes["n"] == pushed.output.spikes["n"]


def test_a_push_within_a_window_runs_nothing() -> None:
    session = network().stream()
    pushed = session.push_events([1], [1], [1], [500])
    assert pushed == (0, 0, 0, None, None)
    assert session.flush_events().steps == 1
    assert session.flush_events().output is None


def test_late_events_and_gaps_are_counted() -> None:
    session = network().stream()
    session.push_events([1], [1], [1], [5000])
    pushed = session.push_events([1, 1, 1], [1, 1, 1], [1, 0, 1], [9000, 8999, 9_000_000], max_gap=1000)
    assert (pushed.late, pushed.steps, pushed.skipped) == (1, 1005, 8991 - 1 - 1000)


def test_a_clock_that_goes_round() -> None:
    recording = stream()
    long = recording._replace(t=recording.t + (1 << 32) - 20_000)
    model = network()
    want = model.stream().push_events(*long).output
    got = model.stream().push_events(*long._replace(t=long.t % (1 << 32)), clock_bits=32).output
    np.testing.assert_array_equal(got["logits"], want["logits"])


def test_windows_by_count_and_time_that_passes() -> None:
    session = network().stream()
    assert session.push_events(*stream(), count=30).steps == 3
    assert session.flush_events().steps == 1
    session = network().stream()
    session.push_events([1], [1], [1], [500])
    assert session.advance_events(3000).steps == 3
    assert session.push_events([1], [1], [1], [2999]).late == 1


def test_refusals_name_the_event_and_take_nothing() -> None:
    model, recording = network(), stream()
    session = model.stream()
    with pytest.raises(ValueError, match=r"event 1 at x 7, y 0 is outside input 'events' of 7 x 5"):
        session.push_events([0, 7], [0, 0], [0, 0], [0, 9000])
    with pytest.raises(ValueError, match="window_us must be 1"):
        session.push_events(*recording, window_us=0)
    with pytest.raises(ValueError, match="clock_bits"):
        session.push_events(*recording, clock_bits=99)
    for option in ("count", "clock_bits"):
        with pytest.raises(ValueError, match=f"expected {option} of 1 or more, received 0"):
            session.push_events(*recording, **{option: 0})
    assert session.steps == 0 and session.flush_events().steps == 0


def test_an_open_window_is_never_mixed_with_frames() -> None:
    session = network().stream()
    state = session.save_state()
    session.push_events([1], [1], [1], [500])
    for call in (
        lambda: session.step(np.zeros((1, 2, HEIGHT, WIDTH), bool)),
        session.save_state,
        lambda: session.push_events([1], [1], [1], [500], window_us=7),
    ):
        with pytest.raises(snncore.Error, match="flush_events"):
            call()
    session.load_state(state)
    assert session.flush_events().steps == 0


def test_sessions_that_take_no_events_say_so() -> None:
    with pytest.raises(snncore.Error, match="one sample"):
        network().stream(batch=2).push_events(*stream())
    with pytest.raises(snncore.Error, match="3 channels"):
        network(channels=3).stream().push_events(*stream())
    session = network().stream()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.push_events(*stream())


def test_an_error_in_a_callback_is_the_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    session = network().stream()
    monkeypatch.setattr(session, "_last", lambda core: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        session.push_events(*stream(), each=True)


def test_counts_are_clipped_by_the_edge() -> None:
    model, recording = network("count2"), stream(2000)
    counts = events.frames(recording, 5000, (2, HEIGHT, WIDTH))
    assert counts.max() > 3
    want = model.stream().run(counts.clip(0, 3).astype(np.uint8)[:, None])
    session = model.stream()
    session.push_events(*recording, window_us=5000)
    np.testing.assert_array_equal(session.flush_events().output["logits"], want["logits"])
    with pytest.raises(ValueError, match=r"expected counts 0\.\.3 of 1/1, received 4"):
        model.stream().step(np.full((1, 2, HEIGHT, WIDTH), 4, np.uint8))
    loaded = snncore.load(model.to_bytes())
    assert loaded.inputs[0].dtype == "u2"


def test_frames_stop_counting_where_sessions_do() -> None:
    many = events.columns(*[np.zeros(70_000, np.int64)] * 4)
    assert events.frames(many, 1000, (1, 1, 1)).tolist() == [[[[65535]]]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, (2, 3, 3)), "expected window_us of 1 or more, received 0"),
        ((-1000, (2, 3, 3)), "expected window_us of 1 or more, received -1000"),
        ((1000, (3, 3, 3)), r"expected shape \(1 or 2, height, width\), received \(3, 3, 3\)"),
        ((1000, (3, 3)), r"expected shape \(1 or 2, height, width\), received \(3, 3\)"),
        ((1000, (2, 3, 3), -1), "expected steps of 0 or more, received -1"),
    ],
)
def test_frames_refuse_what_no_recording_has(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"events: {message}"):
        events.frames(events.columns([0, 1, 2], [0, 0, 1], [0, 1, 1], [5, 10, 2000]), *arguments)
