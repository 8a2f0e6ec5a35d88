"""Networks of every shape that pruning has to follow; `x` of each is [T, N, ...] of spikes."""

from __future__ import annotations

import numpy as np
from compress.networks import dyadic

import snncore
from snncore.neuron import Neuron

RNG = np.random.default_rng


def codes(rng, *shape, bits=4, encoding="odd"):
    limit = 2 ** (bits - 1)
    low = -limit if encoding == "odd" else 1 - limit
    return {
        "weight": rng.integers(low, limit, shape).astype(np.int8),
        "encoding": encoding,
        "bits": bits,
        "scale": rng.uniform(0.05, 0.2, shape[0]),
    }


def head(b, x, features, rng, **coded):
    weight = coded or {"weight": dyadic(rng, 5, features)}
    b.output("y", b.readout("y", b.linear("head", x, **weight)))
    return b.build(4, labels=list("abcde"))


def integer_residual(state="i16", reset="zero", profile="W", seed=0, **lif):
    """Stem, a block with an identity shortcut, a block with a 1x1 shortcut, pools, a classifier."""
    rng = RNG(seed)
    b = snncore.GraphBuilder()
    options = {"decay": 0.75, "threshold": 0.6, "state": state, "reset": reset, "profile": profile, **lif}
    x = b.input("x", "b1", [2, 8, 8], layout="TNCHW")
    x = s = b.lif("n0", b.conv2d("stem", x, **codes(rng, 8, 2, 3, 3), padding=1), **options)
    x = b.lif("n1", b.conv2d("a1", x, **codes(rng, 6, 8, 3, 3), padding=1), **options)
    x = s = b.lif("n2", b.add("sum1", [b.conv2d("a2", x, **codes(rng, 8, 6, 3, 3), padding=1), s]), **options)
    x = b.lif("n3", b.conv2d("b1", x, **codes(rng, 10, 8, 3, 3, bits=2), padding=1), **options)
    x = b.conv2d("b2", x, **codes(rng, 12, 10, 3, 3, bits=2), padding=1)
    short = b.conv2d("short", s, **codes(rng, 12, 8, 1, 1, bits=8, encoding="sym"))
    x = b.lif("n4", b.add("sum2", [x, short]), **options)
    x = b.flatten("flat", b.avgpool2d("mean", b.maxpool2d("or", x, 2), 2))
    return head(b, x, 48, rng, **codes(rng, 5, 48, bits=8, encoding="sym"))


def two_codes():
    """Profile T: thresholds on the sum; its theta and gamma have several rows."""
    rng = RNG(3)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [2, 6, 6], layout="TNCHW")
    options = {"decay": 0.5, "threshold": 0.7, "profile": "T", "state": "i2"}
    x = b.lif("n0", b.conv2d("c0", x, **codes(rng, 7, 2, 3, 3, bits=1), padding=1), **options)
    x = b.lif("n1", b.conv2d("c1", x, **codes(rng, 9, 7, 3, 3, bits=1), padding=1), **options)
    return head(b, b.flatten("flat", x), 324, rng, **codes(rng, 5, 324, bits=8, encoding="sym"))


def loihi():
    rng = RNG(4)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [12], layout="TNC")
    for k, (n, m) in enumerate(((10, 12), (8, 10))):
        ones, zeros = np.ones(n, np.int32), np.zeros(n, np.int32)
        x = b.requant(f"r{k}", [b.linear(f"c{k}", x, **codes(rng, n, m, bits=8))], [ones], zeros, zeros)
        bias = rng.integers(-50, 50, n)
        theta = rng.integers(900, 4000, n)
        x = b.cuba_lif(f"n{k}", x, current_decay=2000, decay=300, theta=theta, bias=bias, input_shift=3)
    return head(b, x, 8, rng, **codes(rng, 5, 8, bits=8, encoding="sym"))


def float_residual():
    """Currents added in float32, a depthwise convolution, thresholds of channels and of neurons."""
    rng = RNG(5)
    b = snncore.GraphBuilder()
    x = b.input("x", "b1", [2, 6, 6], layout="TNCHW")
    x = b.conv2d("stem", x, dyadic(rng, 8, 2, 3, 3), bias=rng.normal(size=8), padding=1)
    channel = Neuron(rate=0.5, threshold=rng.uniform(0.5, 1.5, 8))
    x = s = b.neuron("n0", x, channel)
    x = b.conv2d("deep", x, dyadic(rng, 8, 1, 3, 3), padding=1, groups=8)
    x = b.neuron("n1", b.add("sum", [x, s]), Neuron(rate=0.5, threshold=0.5, reset="subtract"))
    x = b.conv2d("c2", x, dyadic(rng, 10, 8, 3, 3), padding=1, stride=2)
    single = Neuron(rate=0.5, threshold=rng.uniform(0.5, 1.5, (10, 3, 3)), initial=0.25, reset="value")
    x = b.neuron("n2", x, single)
    x = b.flatten("flat", b.conv2d("c3", x, dyadic(rng, 6, 10, 3, 3), padding=1))
    x = b.neuron("n3", x, Neuron(rate=0.5, threshold=rng.uniform(0.3, 0.9, 54)))
    return head(b, x, 54, rng)


def recurrent():
    """A loop through weights, and one without."""
    rng = RNG(6)
    b = snncore.GraphBuilder()
    x = b.linear("c0", b.input("x", "b1", [12], layout="TNC"), dyadic(rng, 10, 12))
    back = b.linear("loop", b.delay("before", "n0", 1, shape=[10]), dyadic(rng, 10, 10) / 4)
    x = b.lif("n0", b.add("sum", [x, back]), decay=0.5)
    x = b.linear("c1", x, dyadic(rng, 8, 10))
    x = b.psn("n1", x, weight=np.array([0.25, 0.5, 1.0]), bias=np.array([-0.75]))
    return head(b, x, 8, rng)


NETWORKS = {
    "integer": (integer_residual, (2, 8, 8)),
    "subtract": (lambda: integer_residual(reset="subtract", state="i8", leak="tz12"), (2, 8, 8)),
    "codes": (lambda: integer_residual(state="i4"), (2, 8, 8)),
    "wide": (lambda: integer_residual(state="i32"), (2, 8, 8)),
    "T": (two_codes, (2, 6, 6)),
    "loihi": (loihi, (12,)),
    "float": (float_residual, (2, 6, 6)),
    "recurrent": (recurrent, (12,)),
}
