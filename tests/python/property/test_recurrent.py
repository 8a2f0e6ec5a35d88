"""Delays and loops: the engine against the reference, in sequence and stream mode."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from property.engine import check
from property.strategies import CHANNELS, Case, Draft, image_shape

STEPS = st.one_of(st.integers(1, 3), st.sampled_from([4, 5, 70]))


def delayed(d: Draft, x: str) -> str:
    return d.call("delay", name=d.name("delay"), x=x, steps=d.draw(STEPS))


@st.composite
def delays(draw: Any) -> Case:
    """Spikes, counts or reals that come later, before and after a layer."""
    d = Draft(draw)
    x = d.input(d.one_of("b1", "b1", "f32"), image_shape(draw))
    if draw(st.booleans()):
        x = d.pool(x)
    x = delayed(d, x)
    if draw(st.booleans()):
        x = d.call("flatten", name="flatten1", x=x)
        x = delayed(d, x) if draw(st.booleans()) else x
    elif d.edge(x).kind != "real":
        x = delayed(d, d.neuron([d.conv(x)]))
    return d.finish(x)


@st.composite
def loops(draw: Any) -> Case:
    """One or two layers whose spikes come back into themselves, or into each other."""
    d = Draft(draw)
    image = draw(st.booleans())
    shape = image_shape(draw) if image else (draw(CHANNELS),)
    x = d.input("b1", shape)
    hidden = draw(CHANNELS)
    shape = (hidden, *shape[1:])
    layers = draw(st.integers(1, 2))
    source = f"lif_int{draw(st.integers(1, layers))}"  # perhaps from the layer behind
    back = d.call("delay", name="back", x=source, steps=draw(STEPS), shape=shape)
    loop = d.conv(back, hidden, same=True) if image else d.linear(back, hidden)
    for layer in range(layers):
        forward = d.conv(x, hidden, same=True) if image else d.linear(x, hidden)
        x = d.neuron([forward, loop] if layer == 0 else [forward])
    return d.finish(x)


@st.composite
def real_loops(draw: Any) -> Case:
    """The same in float32: the loop is added to the current."""
    d = Draft(draw, real=True)
    x = d.input(d.one_of("b1", "f32"), (draw(st.integers(1, 40)),))
    hidden = draw(st.integers(1, 70))
    back = d.call("delay", name="back", x="lif_f321", steps=draw(STEPS), shape=(hidden,))
    terms = [d.linear(x, hidden), d.linear(back, hidden)]
    x = d.real_neuron(d.call("add", name="add1", inputs=list(draw(st.permutations(terms)))))
    return d.finish(x)


@given(delays())
def test_delays(case: Case) -> None:
    check(case)


@given(loops())
def test_loops(case: Case) -> None:
    check(case)


@given(real_loops())
def test_float_loops(case: Case) -> None:
    check(case)
