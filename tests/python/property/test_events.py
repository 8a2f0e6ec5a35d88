"""Events in random chunks give the outputs of the same frames through `run`."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import snncore
from snncore.events import Events, frames
from snncore.reference.run import run


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "channels": draw(st.integers(1, 2)),
        "height": draw(st.integers(1, 16)),
        "width": draw(st.integers(1, 16)),
        "filters": draw(st.sampled_from([1, 4, 33])),
        "kernel": draw(st.sampled_from([1, 3, 5])),
        "stride": draw(st.integers(1, 2)),
        "dilation": draw(st.integers(1, 2)),
        "decay": draw(st.sampled_from([0.5, 1.0])),
        "dtype": draw(st.sampled_from(["b1", "count2", "count9"])),
        "seed": draw(st.integers(0, 999)),
    }


def build(n: dict[str, Any]) -> snncore.Model:
    rng = np.random.default_rng(n["seed"])
    b = snncore.GraphBuilder()
    b.input("events", n["dtype"], [n["channels"], n["height"], n["width"]], layout="TNCHW")
    shape = (n["filters"], n["channels"], n["kernel"], n["kernel"])
    codes = rng.integers(-8, 8, shape).astype(np.int8)
    scale = np.full(n["filters"], 0.08)
    geometry = {"padding": n["kernel"] // 2 * n["dilation"], "stride": n["stride"], "dilation": n["dilation"]}
    b.conv2d("conv", "events", codes, encoding="odd", bits=4, scale=scale, **geometry)
    b.lif("n", "conv", decay=n["decay"])
    b.output("spikes", "n")
    return b.build(3)


@st.composite
def streams(draw: st.DrawFn, n: dict[str, Any]) -> tuple[Events, int, list[int]]:
    """Events in order of their windows, in any order within; how long a window is; where pushes end."""
    window = draw(st.sampled_from([1, 10, 1000]))
    count = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    steps = np.sort(rng.integers(0, draw(st.integers(1, 12)), count)) + draw(st.integers(-5, 5))
    times = steps * window + rng.integers(0, window, count)
    events = Events(
        rng.integers(0, n["width"], count).astype(np.uint16),
        rng.integers(0, n["height"], count).astype(np.uint16),
        rng.integers(0, 2, count).astype(np.uint8),
        times,
    )
    return events, window, sorted(draw(st.lists(st.integers(0, count), max_size=6)))


def as_input(counts: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "b1":
        return counts > 0
    return counts.clip(0, 3 if dtype == "count2" else 255).astype(np.uint8)


@given(st.data())
def test_random_chunks_equal_frames(data: st.DataObject) -> None:
    n = data.draw(networks())
    events, window, ends = data.draw(streams(n))
    model = build(n)
    counts = frames(events, window, (n["channels"], n["height"], n["width"]))
    x = as_input(counts, n["dtype"])
    want = model.run(x, layout="TCHW", timesteps=len(x))
    session = model.stream(threads=data.draw(st.integers(1, 2)))
    outputs: list[Any] = []
    for first, last in zip([0, *ends], [*ends, len(events.x)], strict=True):
        pushed = session.push_events(*(c[first:last] for c in events), window_us=window, each=True)
        assert (pushed.late, pushed.skipped) == (0, 0)
        outputs += pushed.outputs or []
    outputs += session.flush_events(each=True).outputs or []
    np.testing.assert_array_equal(np.concatenate(outputs), want)
    expected = run(model.to_bytes(), x[:, None], timesteps=len(x)).outputs["spikes"]
    np.testing.assert_array_equal(want, expected.numpy())
