"""NIR graphs on numbers where float32 is exact, and their equations in plain numpy, float64."""

from __future__ import annotations

from itertools import pairwise

import nir
import numpy as np

DT = 2.0**-10
TAU = 2 * DT  # decay 1/2
STEPS = 10


def weights(rng, *shape, bits=3):
    """Multiples of 2^-bits, between -1 and 1."""
    return (rng.integers(-(2**bits), 2**bits + 1, shape) / 2**bits).astype(np.float32)


def values(rng, *shape):
    """Inputs of quarters."""
    return (rng.integers(-2, 7, shape) / 4).astype(np.float32)


def spikes(rng, *shape, rate=0.3):
    return (rng.random(shape) < rate).astype(np.float32)


def full(shape, value):
    return np.full(shape, value, dtype=np.float32)


def lif(shape, *, tau=TAU, r=2.0, v_leak=0.0, v_threshold=1.0, v_reset=0.0):
    return nir.LIF(*(full(shape, v) for v in (tau, r, v_leak, v_threshold, v_reset)))


def if_(shape, *, r=1 / DT, v_threshold=1.0, v_reset=0.0):
    return nir.IF(*(full(shape, v) for v in (r, v_threshold, v_reset)))


def cuba_lif(shape, *, tau_syn=TAU, tau_mem=TAU, r=2.0, v_leak=0.0, v_threshold=1.0, v_reset=0.0, w_in=2.0):
    return nir.CubaLIF(
        *(full(shape, v) for v in (tau_syn, tau_mem, r, v_leak, v_threshold, v_reset)), full(shape, w_in)
    )


def graph(nodes, edges, inputs=(4,), outputs=(3,), **options):
    """Close `nodes` with "input" and "output"; `edges` is a text: "input fc lif output, lif w lif"."""
    nodes = {
        "input": nir.Input(np.array(inputs)),
        **nodes,
        "output": nir.Output({"output": None if outputs is None else np.array(outputs)}),
    }
    chains = [chain.split() for chain in edges.split(",")]
    pairs = [pair for chain in chains for pair in pairwise(chain)]
    return nir.NIRGraph(nodes, pairs, type_check=False, **options)


def simulate(graph, x, *, reset="value", late=(), dt=DT):
    """Give all outputs of every node, name -> [T, N, ...], for x [T, N, ...].

    An edge in `late` carries the value of the step before. Written from NIR's equations, Euler's method.
    """
    state, before, history = {}, {}, {name: [] for name in graph.nodes}
    for now in x.astype(np.float64):
        done = {}

        def value(name, now=now, done=done, before=before):
            if name not in done:
                done[name] = None  # a second visit would be a cycle
                terms = []
                for a, b in graph.edges:
                    if b == name:
                        terms.append(before.get(a, 0.0) if (a, b) in late else value(a))
                node = graph.nodes[name]
                given = now if isinstance(node, nir.Input) else sum(terms)
                done[name] = apply(node, given, state.setdefault(name, {}), reset, dt)
            assert done[name] is not None
            return done[name]

        for name in graph.nodes:
            history[name].append(value(name))
        before = done
    return {name: np.stack(list(np.broadcast_arrays(*each))) for name, each in history.items()}


def apply(node, x, state, reset, dt):
    kind = type(node).__name__
    return globals()[f"_{kind.lower()}"](node, x, state, reset, dt)


def _input(node, x, *_):
    return x


_output = _input


def _linear(node, x, *_):
    return (
        np.broadcast_to(x, (*np.shape(x)[:-1], node.weight.shape[1])) @ node.weight.T.astype(np.float64)
        if np.ndim(x)
        else np.zeros(len(node.weight))
    )


def _affine(node, x, *_):
    return _linear(node, x) + node.bias


def _scale(node, x, *_):
    return x * node.scale


def _threshold(node, x, *_):
    return (x > node.threshold) * 1.0


def _flatten(node, x, *_):
    return x.reshape(len(x), -1)


def _delay(node, x, state, reset, dt):
    line = state.setdefault("line", [np.zeros_like(x)] * round(float(node.delay.flat[0]) / dt))
    line.append(x)
    return line.pop(0)


def _conv2d(node, x, *_):
    weight = node.weight.astype(np.float64)
    kernel, dilation = np.array(weight.shape[2:]), np.broadcast_to(node.dilation, 2)
    spans = dilation * (kernel - 1)
    if isinstance(node.padding, str):
        each = [(s // 2, s - s // 2) if node.padding == "same" else (0, 0) for s in spans]
    else:
        each = [(p, p) for p in np.broadcast_to(node.padding, 2)]
    x = np.pad(x, [(0, 0), (0, 0), *each])
    windows = np.lib.stride_tricks.sliding_window_view(x, tuple(spans + 1), axis=(2, 3))
    rows, columns = np.broadcast_to(node.stride, 2)
    windows = windows[:, :, ::rows, ::columns, :: dilation[0], :: dilation[1]]
    groups = int(node.groups)
    taken = weight.reshape(groups, -1, *weight.shape[1:])
    windows = windows.reshape(len(x), groups, -1, *windows.shape[2:])
    y = np.einsum("ngchwyx,gocyx->ngohw", windows, taken)
    return y.reshape(len(x), -1, *y.shape[3:]) + np.reshape(node.bias, (-1, 1, 1))


def _conv1d(node, x, *_):
    def row(value):
        return value if isinstance(value, str) else (0, int(np.ravel(value)[0]))

    flat = nir.Conv2d(
        None,
        node.weight[:, :, None],
        (1, int(node.stride)),
        row(node.padding),
        (1, int(node.dilation)),
        node.groups,
        node.bias,
    )
    return _conv2d(flat, x[:, :, None])[:, :, 0]


def _sumpool2d(node, x, *_):
    channels = x.shape[1]
    ones = np.ones((channels, 1, *np.broadcast_to(node.kernel_size, 2)))
    flat = nir.Conv2d(
        None,
        ones,
        tuple(np.broadcast_to(node.stride, 2)),
        tuple(np.broadcast_to(node.padding, 2)),
        1,
        channels,
        np.zeros(channels),
    )
    return _conv2d(flat, x)


def _avgpool2d(node, x, *_):
    return _sumpool2d(node, x) / np.prod(np.broadcast_to(node.kernel_size, 2))


def _fire(node, v, state, reset):
    s = (v > node.v_threshold) * 1.0
    after = {"zero": 0.0, "value": node.v_reset, "subtract": v - node.v_threshold}[reset]
    state["v"] = np.where(s > 0, after, v)
    return s


def _if(node, x, state, reset, dt):
    return _fire(node, state.get("v", 0.0) + dt * node.r * x, state, reset)


def _leak(node, tau, x, state, dt):
    v = state.get("v", 0.0)
    return v + dt / tau * ((node.v_leak - v) + node.r * x)


def _current(node, x, state, dt):
    i = state.get("i", 0.0)
    state["i"] = i + dt / node.tau_syn * (-i + node.w_in * x)
    return state["i"]


def _lif(node, x, state, reset, dt):
    return _fire(node, _leak(node, node.tau, x, state, dt), state, reset)


def _cubalif(node, x, state, reset, dt):
    return _fire(node, _leak(node, node.tau_mem, _current(node, x, state, dt), state, dt), state, reset)


def _li(node, x, state, reset, dt):
    state["v"] = _leak(node, node.tau, x, state, dt)
    return state["v"]


def _cubali(node, x, state, reset, dt):
    state["v"] = _leak(node, node.tau_mem, _current(node, x, state, dt), state, dt)
    return state["v"]


def _i(node, x, state, reset, dt):
    state["v"] = state.get("v", 0.0) + dt * node.r * x
    return state["v"]
