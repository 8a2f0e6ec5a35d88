"""Random small networks with inputs, as Hypothesis strategies.

A network is a list of builder calls, so that the same one can go to `snncore.GraphBuilder` and to
`snnfile.Builder`. Structure, geometry and options are drawn one by one, so that failures shrink; the numbers
in arrays come from a drawn seed and a drawn habit (random, all zero, all largest ...).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import snnfile
from hypothesis import strategies as st

CHANNELS = st.one_of(st.integers(1, 9), st.sampled_from([16, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 130]))
LIMIT16, LIMIT31 = 32767, 2**31 - 1
STATE_LIMIT = {"i2": LIMIT16, "i4": LIMIT16, "i8": LIMIT16, "i16": LIMIT16, "i32": LIMIT31}
MOST_CODE = {"i2": 1, "i4": 7, "i8": 127}


@dataclass
class Case:
    """Builder calls, an input and how to run it."""

    calls: list[tuple[str, dict[str, Any]]]
    x: np.ndarray
    layout: str
    timesteps: int
    neurons: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)  # convs, linears
    totals: list[str] = field(default_factory=list)  # readouts of integers

    def build(self, builder: Any) -> Any:
        for method, arguments in self.calls:
            getattr(builder, method)(**arguments)
        return builder.build(timesteps=self.timesteps)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))

    def __repr__(self) -> str:
        short = [f"    {m}({', '.join(f'{k}={_short(v)}' for k, v in a.items())})" for m, a in self.calls]
        head = f"Case(x={_short(self.x)}, layout={self.layout!r}, timesteps={self.timesteps},"
        return "\n".join([head, *short, ")"])


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"<{value.dtype} {list(value.shape)}, {value.min()}..{value.max()}>"
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return repr(value)


class Draft:
    """A network in the making: remembers calls, and makes them to a builder of its own to learn the edges."""

    def __init__(self, draw: Callable[[Any], Any], real: bool = False) -> None:
        self.draw = draw
        self.real = real  # float weights throughout
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.shadow = snnfile.Builder()
        self.case = Case([], np.zeros(0), "", draw(st.integers(1, 5)))

    def call(self, method: str, **arguments: Any) -> str:
        self.case.calls.append((method, arguments))
        getattr(self.shadow, method)(**arguments)
        return str(arguments.get("name", ""))

    def one_of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def name(self, op: str) -> str:
        return f"{op}{sum(m == op for m, _ in self.case.calls) + 1}"

    # ---- inputs

    def input(self, dtype: str, shape: tuple[int, ...]) -> str:
        """An input edge of this shape (C, H, W or F), and the array for it."""
        batch = self.draw(st.integers(1, 3))
        with_time = self.draw(st.booleans())
        axes = "TNCHW" if len(shape) == 3 else "TNC"
        full = (self.case.timesteps, batch, *shape)
        values = self._values(dtype, full if with_time else full[1:])
        axes = axes if with_time else axes[1:]
        order = self.draw(st.permutations(range(len(axes))))
        self.case.layout = "".join(axes[i] for i in order)
        self.case.x = np.ascontiguousarray(values.transpose(order))
        more: dict[str, Any] = {}
        if dtype == "u8" or (dtype == "f32" and self.draw(st.booleans())):
            more = {"zero_point": self._zero_point(shape[0]), "scale": self.one_of(1 / 64, 0.017, 1.0)}
            self._other_pixels(dtype, more, order, with_time)
        return self.call("input", name="x", dtype=dtype, shape=shape, **more)

    def _values(self, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        habit = self.one_of("random", "random", "sparse", "zero", "full")
        top = {"u8": 255, "b1": 1, "f32": 4.0}[dtype]
        if habit in ("zero", "full"):
            values = np.full(shape, 0 if habit == "zero" else top)
        elif dtype == "f32":
            values = self.rng.normal(size=shape) * (
                self.rng.random(shape) < (1 if habit == "random" else 0.1)
            )
        else:
            values = self.rng.integers(0, top + 1, shape) * (
                self.rng.random(shape) < (1 if habit == "random" else 0.1)
            )
        return values.astype({"u8": np.uint8, "b1": np.bool_, "f32": np.float32}[dtype])

    def _zero_point(self, channels: int) -> list[int]:
        return (
            [int(z) for z in self.rng.integers(0, 256, channels)]
            if self.draw(st.booleans())
            else [128] * channels
        )

    def _other_pixels(self, dtype: str, more: dict[str, Any], order: list[int], with_time: bool) -> None:
        """Sometimes hand pixels over as real values, or real values as pixels."""
        if not self.draw(st.booleans()):
            return
        x = self.case.x
        if dtype == "f32":
            self.case.x = self.rng.integers(0, 256, x.shape).astype(np.uint8)
        else:
            at = order.index(2 if with_time else 1)
            z = np.array(more["zero_point"]).reshape([-1 if i == at else 1 for i in range(x.ndim)])
            noise = self.rng.uniform(-0.4, 0.4, x.shape)
            self.case.x = ((x.astype(np.float64) - z + noise) * more["scale"]).astype(np.float32)

    # ---- layers

    def edge(self, name: str) -> snnfile.Edge:
        return self.shadow.edges[name]

    def codes(self, shape: tuple[int, ...]) -> dict[str, Any]:
        bits = self.one_of(1, 2, 4, 8)
        encoding = "odd" if bits == 1 else self.one_of("odd", "sym")
        top = 2 ** (bits - 1)
        lo, hi = -top + (encoding == "sym"), top - 1
        habit = self.one_of("random", "random", "lowest", "highest", "pruned")
        if habit in ("lowest", "highest"):
            q = np.full(shape, lo if habit == "lowest" else hi)
        else:
            q = self.rng.integers(lo, hi + 1, shape)
        if habit == "pruned" and encoding == "sym":
            q = q * (self.rng.random(shape) < 0.2)
        scale = self.rng.uniform(0.001, 0.1, self.one_of(1, shape[0]))
        return {"weight": q.astype(np.int8), "encoding": encoding, "bits": bits, "scale": scale}

    def real_weight(self, shape: tuple[int, ...]) -> dict[str, Any]:
        weight = (self.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        bias = self.rng.normal(size=shape[0]).astype(np.float32) if self.draw(st.booleans()) else None
        return {"weight": weight, "encoding": "f32", "bits": 32, "bias": bias}

    def weight(self, x: str, shape: tuple[int, ...]) -> dict[str, Any]:
        return self.real_weight(shape) if self.real or self.edge(x).kind == "real" else self.codes(shape)

    def window(self, x: str, dilated: bool) -> tuple[tuple[int, int], dict[str, Any]]:
        """A kernel that fits, and the attributes that go with it."""
        side = st.integers(1, 3)
        kernel = (self.draw(st.integers(1, 5)), self.draw(st.integers(1, 5)))
        attrs: dict[str, Any] = {"stride": (self.draw(side), self.draw(side))}
        dilation = (self.draw(st.integers(1, 2)), self.draw(st.integers(1, 2))) if dilated else (1, 1)
        padding = [self.draw(st.integers(0, 3)) for _ in range(4)]
        for i in (0, 1):
            lacking = (
                dilation[i] * (kernel[i] - 1)
                + 1
                - self.edge(x).shape[i]
                - padding[2 * i]
                - padding[2 * i + 1]
            )
            padding[2 * i] += max(0, lacking)
        attrs["padding"] = tuple(padding)
        return kernel, attrs | ({"dilation": dilation} if dilated else {})

    def conv(self, x: str, channels: int | None = None, same: bool = False) -> str:
        """A convolution with drawn geometry; `same`: one that keeps height and width."""
        groups = self.one_of(*[g for g in (1, 2, 3, 4, 5, 8) if self.edge(x).channels % g == 0])
        if channels is None:
            channels = self.draw(CHANNELS)
            channels = -(-channels // groups) * groups if not same else channels
        if channels % groups:
            groups = 1
        if same:
            half = self.one_of(0, 1)
            kernel, attrs = (
                (2 * half + 1,) * 2,
                {"stride": (1, 1), "padding": (half,) * 4, "dilation": (1, 1)},
            )
        else:
            kernel, attrs = self.window(x, dilated=True)
        weight = self.weight(x, (channels, self.edge(x).channels // groups, *kernel))
        name = self.call("conv2d", name=self.name("conv2d"), x=x, **weight, **attrs, groups=groups)
        if self.edge(name).kind == "sum":
            self.case.sums.append(name)
        return name

    def linear(self, x: str, channels: int | None = None) -> str:
        shape = (channels or self.draw(CHANNELS), self.edge(x).channels)
        name = self.call("linear", name=self.name("linear"), x=x, **self.weight(x, shape))
        if self.edge(name).kind == "sum":
            self.case.sums.append(name)
        return name

    def pool(self, x: str, op: str | None = None) -> str:
        counts = self.edge(x).kind not in ("spike", "real")
        op = op or ("avgpool2d" if counts else self.one_of("maxpool2d", "avgpool2d"))
        kernel, attrs = self.window(x, dilated=False)
        if op == "maxpool2d" and self.edge(x).kind == "real":  # of padding alone there is no largest value
            top, bottom, left, right = attrs["padding"]
            kernel = (max(kernel[0], top + 1, bottom + 1), max(kernel[1], left + 1, right + 1))
        if op == "avgpool2d" and self.edge(x).range and self.edge(x).range[1] * kernel[0] * kernel[1] > 500:
            return x
        return self.call(op, name=self.name(op), x=x, kernel=kernel, **attrs)

    # ---- neurons

    def neuron(self, inputs: list[str]) -> str:
        """Requantise sums (and shortcut spikes) and fire."""
        sums = [self.edge(x) for x in inputs if self.edge(x).kind == "sum"]
        a_max = np.maximum(sum(e.a_max for e in sums), 1)  # all sums get the same factor
        profile, state, unit, (m, c, n, wide) = self._constants(a_max, alone=len(inputs) == 1)
        channels = len(c)
        factors = [
            m if self.edge(x).kind == "sum" else self.rng.integers(-3000, 3000, channels) for x in inputs
        ]
        requant = self.call(
            "requant", name=self.name("requant"), inputs=inputs, c=c.astype(np.int32), n=n.astype(np.int32),
            factors=[f.astype(np.int32) for f in factors], wide=wide,
        )  # fmt: skip
        return self._fire(requant, profile, state, unit, a_max * m / 2.0**n)

    def _constants(self, a_max: np.ndarray, alone: bool) -> tuple[str, str, int, Any]:
        """Profile, state, unit_bits and (M, C, n, wide) that go together."""
        profile = self.one_of("W", "U", "X") if alone else self.one_of("W", "U")
        state = self.one_of("i16", "i32") if profile == "X" else self.one_of("i8", "i16", "i32")
        if profile != "W":
            least = self.case.timesteps - 1 if profile == "X" else 0
            unit = self.draw(st.integers(least, least + 3))
            constants = self._shift_only(profile, state, a_max, unit)
            if constants is not None:
                return profile, state, unit, constants
        if self.draw(st.integers(0, 7)) == 0:
            return "T", "i2", -1, self._requant(a_max)
        state = self.one_of(state, "i2", "i4")
        unit = self.draw(st.integers(0, 12)) if state in ("i2", "i4") else -1
        wide = self.one_of(False, False, False, True)
        return "W", state, unit, self._wide(a_max) if wide else self._requant(a_max)

    def _shift_only(self, profile: str, state: str, a_max: np.ndarray, unit: int) -> Any:
        """Profiles U and X: M = 2^F, n = 0; None if the state is too narrow."""
        m = np.full(len(a_max), 1 << unit)
        room = STATE_LIMIT[state] - a_max * m * (2 if profile == "X" else 1)
        if room.min() < 0:
            return None
        c = np.zeros_like(m) if profile == "X" else self.rng.integers(-1, 2, len(m)) * np.minimum(room, 900)
        return m, c, np.zeros_like(m), False

    def _requant(self, a_max: np.ndarray) -> Any:
        """Any M, C and n within the bound of products of 32 bits."""
        habit = self.one_of("gentle", "gentle", "saturating", "tiny", "n = 0", "n = 30")
        target = {"gentle": 5000.0, "saturating": 90000.0, "tiny": 3.0, "n = 0": 5000.0, "n = 30": 1.0}[habit]
        spread = self.rng.uniform(0.5, 2, len(a_max))
        n = np.zeros(len(a_max), np.int64) if habit == "n = 0" else self.rng.integers(1, 31, len(a_max))
        n = np.full_like(n, 30) if habit == "n = 30" else n
        half = np.where(n > 0, 1 << np.maximum(n - 1, 0), 0)
        c = np.clip(np.round(self.rng.normal(size=len(n)) * target / 4 * 2.0**n), -(2**28), 2**28).astype(
            np.int64
        )
        room = LIMIT31 - half - abs(c)
        m = np.clip(np.round(spread * target / a_max * 2.0**n), 0, room // a_max).astype(np.int64)
        return m, c, n, False

    def _wide(self, a_max: np.ndarray) -> Any:
        """Products of 64 bits, with currents that still fit 32."""
        n = self.rng.integers(10, 31, len(a_max))
        m = np.minimum(self.rng.uniform(0.2, 1, len(n)) * 20000.0 / a_max * 2.0**n, LIMIT31).astype(np.int64)
        c = np.clip(self.rng.normal(size=len(n)) * 3000 * 2.0**n, -LIMIT31, LIMIT31).astype(np.int64)
        return m, c, n, True

    def _fire(self, current: str, profile: str, state: str, unit: int, reach: np.ndarray) -> str:
        limit = STATE_LIMIT[state]
        channels = len(reach)
        rows = unit + 1 if profile == "X" else 3 if profile == "T" else 1
        habit = self.one_of("near", "near", "near", "lowest", "highest")
        theta = np.round(self.rng.uniform(-0.1, 0.6, (rows, channels)) * reach)
        theta = np.clip(theta, -limit, limit).astype(np.int64)
        if habit != "near":
            theta[:, self.rng.random(channels) < 0.5] = -limit if habit == "lowest" else limit
        more: dict[str, Any] = {}
        if profile == "X":
            more = {"leak": "half_floor", "leak_param": 0, "reset": "zero"}
        elif profile == "T":
            gamma = np.round(self.rng.uniform(-0.5, 0.5, (6, channels)) * reach)
            more = {"leak": "none", "leak_param": 0, "reset": "zero", "gamma": gamma.astype(np.int32)}
        else:
            theta = theta[0]
            more = self._leak() | {
                "reset": self.one_of("zero", "subtract"),
                "leak_at_store": self.draw(st.booleans()),
            }
        if more["reset"] == "subtract":
            more["psi"] = np.clip(abs(theta) + self.rng.integers(0, 3, channels), 0, limit).astype(np.int32)
        if state in MOST_CODE and profile == "W":
            more |= self._codes(MOST_CODE[state], unit)
        name = self.name("lif_int")
        self.call(
            "lif_int", name=name, x=current, theta=theta.astype(np.int32), profile=profile, state=state,
            unit_bits=unit, **more,
        )  # fmt: skip
        self.case.neurons.append(name)
        return name

    def _codes(self, most: int, unit: int) -> dict[str, np.ndarray]:
        """What codes stand for, and where they begin: equal steps, or anything. State i8 may do without."""
        edges = np.sort(self.rng.integers(-(2**15), 2**15, 2 * most)).astype(np.int32)
        if most == 127:
            return {"load": self._load(most, 12), "edges": edges} if self.draw(st.booleans()) else {}
        load = {"load": self._load(most, unit)}
        return load | {"edges": edges // 2} if self.draw(st.booleans()) else load

    def _load(self, most: int, unit: int) -> np.ndarray:
        """Equal steps up to the threshold, or anything."""
        codes = np.arange(-most, most + 1)
        if self.draw(st.booleans()):
            return np.floor(2**unit * codes / most + 0.5).astype(np.int32)
        return self.rng.integers(-(2**15), 2**15, len(codes)).astype(np.int32) * (codes != 0)

    def _leak(self) -> dict[str, Any]:
        leak = self.one_of("none", "q15", "half_floor", "shift", "tz12")
        param = {
            "q15": st.one_of(st.sampled_from([0, 16384, 32767]), st.integers(0, 32767)),
            "shift": st.integers(1, 15),
            "tz12": st.one_of(st.sampled_from([0, 2048, 4096]), st.integers(0, 4096)),
        }
        decay = 1.0 if leak == "none" and self.draw(st.booleans()) else 0.5
        return {"leak": leak, "leak_param": self.draw(param.get(leak, st.just(0))), "decay": decay}

    def real_neuron(self, x: str) -> str:
        name = self.name("lif_f32")
        self.call(
            "lif_f32", name=name, x=x, decay=self.one_of(0.5, 1.0, 0.9, 0.0),
            threshold=self.one_of(1.0, 0.3, 0.5), input_gain=self.one_of(1.0, 0.5, 0.7),
            reset=self.one_of("zero", "subtract"), strict=self.draw(st.booleans()),
        )  # fmt: skip
        self.case.neurons.append(name)
        return name

    # ---- ends

    def readout(self, x: str) -> str:
        more: dict[str, Any] = {}
        e = self.edge(x)
        if e.kind in ("spike", "count"):
            more["scale"] = self.rng.uniform(0.1, 2, self.one_of(1, e.channels))
            more["bias"] = self.rng.normal(size=e.channels)
        name = self.call(
            "readout", name=self.name("readout"), x=x, mode=self.one_of("mean", "sum", "last"), **more
        )
        if e.kind != "real":
            self.case.totals.append(name)
        return name

    def head(self, x: str) -> str:
        """From any spikes, counts or real values to an output."""
        end = self.one_of("linear", "linear", "readout", "itself")
        if end == "itself" and any(x == n.get("name") for _, n in self.case.calls[1:]):
            self.call("output", name="y", edge=x)
            return x
        if len(self.edge(x).shape) == 3:
            x = self.call("flatten", name=self.name("flatten"), x=x)
        if end != "readout":
            x = self.linear(x, self.draw(st.integers(1, 12)))
        self.call("output", name="y", edge=self.readout(x))
        return x

    def finish(self, edge: str) -> Case:
        self.head(edge)
        return self.case


def image_shape(draw: Any) -> tuple[int, int, int]:
    return draw(CHANNELS), draw(st.integers(1, 9)), draw(st.integers(1, 9))


@st.composite
def convolutions(draw: Any, dtype: str | None = None) -> Case:
    """Input, convolution, neuron."""
    d = Draft(draw)
    x = d.input(dtype or d.one_of("b1", "u8"), image_shape(draw))
    if d.edge(x).kind == "spike" and d.draw(st.booleans()):
        x = d.pool(x, "avgpool2d")
    return d.finish(d.neuron([d.conv(x)]))


class PrunedDraft(Draft):
    """Few weights and many spikes: what the engine computes from the weights that are not zero."""

    def codes(self, shape: tuple[int, ...]) -> dict[str, Any]:
        bits = self.one_of(2, 4, 8)
        top = 2 ** (bits - 1) - 1
        share = self.one_of(0.0, 0.02, 0.1, 0.2)
        q = self.rng.integers(-top, top + 1, shape) * (self.rng.random(shape) < share)
        if self.draw(st.booleans()):
            q[self.rng.integers(shape[0])] = 0
        scale = self.rng.uniform(0.001, 0.1, self.one_of(1, shape[0]))
        return {"weight": q.astype(np.int8), "encoding": "sym", "bits": bits, "scale": scale}

    def _values(self, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        assert dtype == "b1"
        return self.rng.random(shape) < self.one_of(0.1, 0.5, 0.9, 1.0)


@st.composite
def pruned(draw: Any) -> Case:
    """Spikes, a pruned convolution or linear, neuron."""
    d = PrunedDraft(draw)
    if d.draw(st.booleans()):
        x = d.input("b1", (draw(CHANNELS), draw(st.integers(1, 18)), draw(st.integers(1, 18))))
        return d.finish(d.neuron([d.conv(x)]))
    return d.finish(d.neuron([d.linear(d.input("b1", (draw(st.integers(1, 300)),)))]))


@st.composite
def linears(draw: Any) -> Case:
    """Input, perhaps flattened, linear, neuron."""
    d = Draft(draw)
    if d.draw(st.booleans()):
        x = d.input(d.one_of("b1", "u8"), image_shape(draw))
        if d.edge(x).kind == "spike" and d.draw(st.booleans()):
            x = d.pool(x)
        x = d.call("flatten", name="flatten1", x=x)
    else:
        x = d.input(d.one_of("b1", "u8"), (draw(st.one_of(CHANNELS, st.integers(1, 700))),))
    return d.finish(d.neuron([d.linear(x)]))


@st.composite
def neurons(draw: Any) -> Case:
    """One channel-rich linear layer and a neuron, T up to 5: all leaks, resets, states and profiles."""
    d = Draft(draw)
    x = d.input("b1", (draw(st.integers(1, 40)),))
    return d.finish(d.neuron([d.linear(x)]))


@st.composite
def pools(draw: Any) -> Case:
    """Pools on spikes, counts and reals."""
    d = Draft(draw)
    x = d.input(d.one_of("b1", "b1", "f32"), image_shape(draw))
    for _ in range(draw(st.integers(1, 2))):
        x = d.pool(x)
    return d.finish(x)


@st.composite
def adds(draw: Any) -> Case:
    """Sums of spikes, counts of one unit, and reals."""
    d = Draft(draw)
    x = d.input("b1", image_shape(draw))
    c = d.edge(x).channels
    a = d.neuron([d.conv(x, c, same=True)])
    terms = [x, a] + ([d.neuron([d.conv(a, c, same=True)])] if draw(st.booleans()) else [])
    y = d.call("add", name="add1", inputs=list(draw(st.permutations(terms))))
    if draw(st.booleans()):
        y = d.call("add", name="add2", inputs=[y, a])
    if draw(st.booleans()):
        y = d.neuron([d.conv(y)])
    return d.finish(y)


@st.composite
def residuals(draw: Any) -> Case:
    """Neurons fed by a sum and a shortcut, or by two sums."""
    d = Draft(draw)
    x = d.input("b1", image_shape(draw))
    c = d.edge(x).channels
    inputs = [d.conv(x, c, same=True)]
    kind = d.one_of("spikes", "counts", "two sums", "both")
    if kind in ("two sums", "both"):
        inputs.append(d.conv(x, c, same=True))
    if kind in ("spikes", "both"):
        inputs.append(x)
    if kind == "counts":
        inputs.append(d.call("add", name="add1", inputs=[x, x]))
    return d.finish(d.neuron(list(draw(st.permutations(inputs)))))


@st.composite
def networks(draw: Any) -> Case:
    """Integer networks of one to four blocks."""
    d = Draft(draw)
    x = d.input(d.one_of("b1", "u8"), image_shape(draw))
    x = d.neuron([d.conv(x)])
    for _ in range(draw(st.integers(0, 3))):
        block = d.one_of("conv", "pool", "residual", "shortcut")
        c = d.edge(x).channels
        if block == "conv":
            x = d.neuron([d.conv(x)])
        elif block == "pool":
            x = d.pool(x)
        elif block == "residual" and d.edge(x).range[1] < 100:
            x = d.neuron([d.conv(x, c, same=True), x])
        elif block == "shortcut" and d.edge(x).kind == "spike":
            x = d.call("add", name=d.name("add"), inputs=[d.neuron([d.conv(x, c, same=True)]), x])
    return d.finish(x)


@st.composite
def real_networks(draw: Any) -> Case:
    """Float networks: convolutions, pools, adds, linears and neurons in float32."""
    d = Draft(draw, real=True)
    small = st.one_of(st.integers(1, 9), st.sampled_from([16, 33, 65]))
    x = d.input("f32", (draw(small), draw(st.integers(1, 6)), draw(st.integers(1, 6))))
    for _ in range(draw(st.integers(1, 3))):
        block = d.one_of("conv", "conv", "pool", "shortcut", "neuron")
        kind = d.edge(x).kind
        if block == "pool":
            x = d.pool(x)
        elif block == "neuron" and kind == "real":
            x = d.real_neuron(x)
        elif block == "shortcut":
            y = d.conv(x, d.edge(x).channels, same=True)
            x = d.call("add", name=d.name("add"), inputs=list(draw(st.permutations([x, y]))))
            x = d.real_neuron(x) if draw(st.booleans()) else x
        else:
            x = d.real_neuron(d.conv(x, draw(small)))
    if draw(st.booleans()):
        x = d.call("flatten", name="flatten1", x=x)
        if d.edge(x).kind == "real" and draw(st.booleans()):
            x = d.real_neuron(x)
    return d.finish(x)
