"""Calls of the functions of domain `snncore`: back to what they were made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncore.neuron import VALUES, Neuron

from .functions import function, stem_of
from .held import Held, Size, State, fixed
from .loading import Node
from .operators import Operators

#: Element types of inputs: FLOAT, BOOL, UINT8, UINT16.
_ELEMENTS = {"f32": 1, "b1": 9, "u8": 2}


#: What a function does; the rest of a proto are remarks.
_ESSENCE = ("input", "output", "attribute", "node", "opset_import")


class Calls(Operators):
    """A method for each function."""

    def check_function(self, node: Node) -> None:
        """Refuse a function that is not, node by node, the one that its call's attributes stand for.

        Raises
        ------
        snncore.FormatError
            It is missing, other than ours, or called with another number of inputs.
        """
        given = self.network.functions.get(node.op)
        if given is None:
            raise self.bad(node, "the file does not hold this function")
        terms = len(node.attrs.get("kinds", "")) + int(node.attrs.get("parts", 0))
        if terms > len(node.inputs):
            raise self.bad(node, f"expected {terms} inputs and more, received {len(node.inputs)}")
        try:
            ours = function(stem_of(node.op), node.attrs)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self.bad(node, "its attributes are not those of such a function") from None
        if any(getattr(ours, part) != getattr(given, part) for part in _ESSENCE):
            raise self.bad(node, "the function in the file is not the one that snncore writes")
        if len(node.inputs) != len(given.input) or len(node.outputs) > len(given.output):
            raise self.bad(node, f"expected {len(given.input)} inputs, received {len(node.inputs)}")

    def roles(self, node: Node) -> list[str]:
        """Name the inputs of a call."""
        return list(self.network.functions[node.op].input)

    # ---- inputs and time

    def call_input(self, node: Node) -> None:
        """Add an input as its attributes say."""
        name, layout, dtype = node.inputs[0], node.attrs["layout"], node.attrs["dtype"]
        if name not in self.network.inputs:
            raise self.bad(node, f"'{name}' is not an input of the graph")
        element, axes = self.network.inputs[name]
        known = dict(zip(layout, axes or (), strict=False))
        shape = fixed([known.get(axis) for axis in ("CHW" if "H" in layout else "C")])
        if shape is None or len(axes or ()) != len(layout):
            raise self.bad(node, f"input '{name}' has the axes {axes}, expected fixed ones for C, H, W")
        bits = int(dtype[5:]) if dtype.startswith("count") and dtype[5:].isdigit() else 0
        if element != _ELEMENTS.get(dtype, 2 if bits <= 8 else 4):
            raise self.bad(node, f"input '{name}' is not of the type for {dtype}")
        points = node.attrs.get("zero_point")
        if dtype == "u8" and not np.array_equal(self.constant(node, 1).ravel(), np.asarray(points)):
            raise self.bad(node, "two zero points")
        scale = self.number(node, "scale") if "scale" in node.attrs else None
        edge = self.builder.input(name, dtype, shape, points, scale, layout)
        kind: Any = {"f32": "real", "b1": "spike", "u8": "pixel"}.get(dtype, "count")
        self.put(node, Held(edge, kind, shape, counted=kind == "count", still="T" not in layout))
        for k, of in enumerate(("samples", "steps")[: len(node.outputs) - 1], 1):
            self.put(node, Size(of), k)

    def number(self, node: Node, name: str) -> float:
        """Give an attribute that holds a real number as text."""
        try:
            value = float(node.attrs[name])
        except (KeyError, ValueError):
            raise self.bad(node, f"attribute '{name}' is not a number") from None
        if not np.isfinite(value):
            raise self.bad(node, f"attribute '{name}' is not finite")
        return value

    def call_repeat(self, node: Node) -> None:
        """Pass on: one frame for all steps is how the input is read."""
        self.is_steps(node, 1)
        x = self.held(node)
        if not x.still:
            raise self.bad(node, f"repeats '{x.edge}', which has a frame for each step")
        self.put(node, replace(x, still=False))

    def call_time_first(self, node: Node) -> None:
        """Pass on, with time as an axis."""
        self.is_steps(node, 1)
        self.put(node, replace(self.moving(node), timed=True))

    def call_batch(self, node: Node) -> None:
        """Pass on, without time as an axis."""
        self.put(node, replace(self.held(node, timed=True), timed=False))

    def call_delay(self, node: Node) -> None:
        """Delay."""
        self.is_steps(node, 1)
        x, steps = self.moving(node), node.attrs["delay"]
        if len(steps) != 1:
            raise self.bad(node, f"delay {steps}")
        self.put(node, replace(x, edge=self.builder.delay(node.name, x.edge, steps[0])))

    def call_real(self, node: Node) -> None:
        """Pass on: the builder knows what a count is worth."""
        x = self.held(node)
        if x.divisor != node.attrs["divisor"]:
            raise self.bad(node, f"divides by {node.attrs['divisor']}, the counts are of 1/{x.divisor}")
        self.put(node, x.worth)

    # ---- layers

    def call_conv2d(self, node: Node) -> None:
        """Convolve with weights that are shared out."""
        weights = [self.constant(node, k) for k in range(1, len(node.inputs))]
        if len({w.shape for w in weights}) != 1:
            raise self.bad(node, "weights of different shapes")
        total = sum(weights[1:], weights[0].astype(np.float64))
        whole = f"{node.name}/weight"
        self.values[whole] = total
        attrs = {k: v for k, v in node.attrs.items() if k != "parts"}
        self.op_conv(replace(node, inputs=(node.inputs[0], whole), attrs=attrs))

    def call_requant(self, node: Node) -> None:
        """Requantise."""
        terms = len(node.attrs["kinds"])
        held = [self.whole(node, k) for k in range(terms)]
        self.alike(node, held)
        for x, kind in zip(held, node.attrs["kinds"], strict=True):
            if (
                kind not in "ads"
                or (x.kind == "sum") != (kind in "ad")
                or x.kind not in ("sum", "spike", "count")
            ):
                raise self.bad(node, f"reads '{x.edge}' ({x.kind}) as {kind!r}")
        factors = [self.integers(node, terms + k) for k in range(terms)]
        c, divisor = self.integers(node, 2 * terms), self.integers(node, 2 * terms + 1)
        n = np.array([int(d).bit_length() - 1 for d in divisor])
        if not (divisor > 0).all() or not np.array_equal(np.left_shift(1, n), divisor):
            raise self.bad(node, "divides by what is not a power of two")
        wide = bool(node.attrs.get("wide", 0))
        edge = self.builder.requant(node.name, [x.edge for x in held], factors, c, n, wide)
        self.put(node, Held(edge, "current", held[0].shape, still=held[0].still))

    def channels(self, node: Node, index: int) -> NDArray[Any]:
        """Give parameters, shaped to meet [N, C, H, W], as [C]."""
        values: NDArray[Any] = self.constant(node, index).ravel()
        return values

    def integers(self, node: Node, index: int) -> NDArray[Any]:
        """Give whole numbers for each channel."""
        values = self.channels(node, index)
        if values.dtype.kind != "i":
            raise self.bad(node, f"input {index} is of type {values.dtype}, expected integers")
        return values

    def _pool(self, node: Node, x: Held, kind: str) -> None:
        _, _, top, left, _, _, bottom, right = (*node.attrs["border"], *[0] * 8)[:8]
        window = {"kernel_shape": node.attrs["kernel_shape"], "strides": node.attrs["strides"]}
        if len(node.attrs["border"]) != 8 or any(node.attrs["border"][k] for k in (0, 1, 4, 5)):
            raise self.bad(node, f"border {node.attrs['border']}")
        plain = replace(node, attrs={**window, "pads": [top, left, bottom, right]})
        if kind == "max":
            self.op_maxpool(plain)
        else:
            self.mean(plain, x, self._window(plain))

    def call_maxpool2d(self, node: Node) -> None:
        """Pool by the largest, with wide padding."""
        self._pool(node, self.held(node), "max")

    def call_avgpool2d(self, node: Node) -> None:
        """Pool by the mean, with wide padding."""
        self._pool(node, self.valued(node), "mean")

    def call_countpool2d(self, node: Node) -> None:
        """Count spikes in windows."""
        x = self.held(node)
        if x.kind not in ("spike", "count") or (x.kind == "count" and not x.counted and x.divisor > 1):
            raise self.bad(node, f"counts '{x.edge}' ({x.kind})")
        self._pool(node, x, "count")
        pooled = self.values[node.outputs[0]]
        assert isinstance(pooled, Held)
        kernel = node.attrs["kernel_shape"]
        if node.attrs["size"] != kernel[0] * kernel[1]:
            raise self.bad(node, f"a window of {kernel} has not {node.attrs['size']} places")
        self.put(node, replace(pooled, counted=True))

    # ---- neurons

    def call_lif(self, node: Node) -> None:
        """Add neurons over all steps."""
        self.is_steps(node, 1)
        x = self.moving(node)
        given = {role: self.constant(node, k) for k, role in enumerate(self.roles(node)) if k > 1}
        self.put(node, self.neurons(node, stem_of(node.op), x, given))

    call_if = call_cuba_lif = call_neuron = call_lif

    def neurons(self, node: Node, op: str, x: Held, given: dict[str, NDArray[Any]]) -> Held:
        """Add neurons of any kind; `given` are the parameters as they lie in the file."""
        attrs = dict(node.attrs)
        if op == "neuron":
            return self._parametrised(node, x, attrs, given)
        if op == "cuba_lif":
            flat: dict[str, Any] = {role: values.ravel() for role, values in given.items()}
            return Held(self.builder.cuba_lif(node.name, x.edge, **attrs, **flat), "spike", x.shape)
        float_rule: dict[str, Any] = {k: self.number(node, k) for k in ("decay", "threshold", "input_gain")}
        float_rule["strict"] = bool(attrs["strict"])
        if attrs["arith"] == "int":
            theta = given.pop("theta")
            flat = {role: values.ravel() for role, values in given.items()}
            flat["theta"] = _rows(theta) if attrs["profile"] in ("X", "T") else theta.ravel()
            flat |= {role: _rows(values) for role, values in given.items() if role == "gamma"}
            words = {k: attrs[k] for k in ("profile", "state", "leak", "leak_param", "reset", "unit_bits")}
            late = bool(attrs["leak_at_store"])
            edge = self.builder.lif_int(node.name, x.edge, **flat, **words, **float_rule, leak_at_store=late)
            return Held(edge, "spike", x.shape)
        for role, value in given.items():
            if value.size != 1:
                raise self.bad(node, f"{role} of {value.size} values; one is possible")
            if np.float32(float_rule[role]) != value.ravel()[0]:
                float_rule[role] = float(value.ravel()[0])  # what is computed, not what is noted
        return Held(self.builder.lif(node.name, x.edge, reset=attrs["reset"], **float_rule), "spike", x.shape)

    def _parametrised(
        self, node: Node, x: Held, attrs: dict[str, Any], given: dict[str, NDArray[Any]]
    ) -> Held:
        values: dict[str, Any] = {role: _parameter(v, x.shape) for role, v in given.items() if role in VALUES}
        neuron = Neuron(**attrs, **values)
        edge = self.builder.neuron(node.name, x.edge, neuron)
        kind: Any = "count" if neuron.counts else "real" if neuron.fire == "none" else "spike"
        return Held(edge, kind, x.shape, counted=kind == "count")

    def call_psn(self, node: Node) -> None:
        """Add parallel spiking neurons; weights of all steps lie transposed, [T of x, T, 1, ...]."""
        self.is_steps(node, 1)
        x, weight, bias = self.moving(node), self.constant(node, 2), self.constant(node, 3)
        weight = _rows(weight).T if node.attrs["reach"] == "all" else weight.ravel()
        edge = self.builder.psn(node.name, x.edge, weight=weight, bias=bias.ravel())
        self.put(node, Held(edge, "spike", x.shape))

    # ---- readouts

    def call_readout(self, node: Node) -> None:
        """Read out over time."""
        self.is_steps(node, 1)
        x, kind = self.moving(node), node.attrs["kind"]
        whole = x.kind in ("sum", "spike", "count")
        if whole != (kind != "f32") or (x.kind == "sum") != (kind in ("a", "d")):
            raise self.bad(node, f"reads '{x.edge}' ({x.kind}) as {kind!r}")
        self.whole(node)
        given = {} if not whole else {"scale": self.channels(node, 2), "bias": self.channels(node, 3)}
        edge = self.builder.readout(node.name, x.edge, node.attrs["mode"], **given)
        self.put(node, Held(edge, "real", x.shape))

    # ---- what loops need

    def call_state(self, node: Node) -> None:
        """Note a state of neurons."""
        self._is_samples(node)
        self.put(node, State(self.constant(node, 1), tuple(node.attrs["shape"])))

    def call_delay_memory(self, node: Node) -> None:
        """Note the memory of a delay."""
        self._is_samples(node)
        if len(node.attrs["delay"]) != 1:
            raise self.bad(node, f"delay {node.attrs['delay']}")
        (steps,) = node.attrs["delay"]
        self.put(node, State(None, tuple(node.attrs["shape"]), delay=steps))

    def _is_samples(self, node: Node) -> None:
        if self.value(node, 0) != Size("samples"):
            raise self.bad(node, "input 0 is not the number of samples")


def _rows(values: NDArray[Any]) -> NDArray[Any]:
    """Give a parameter with rows as [K, C]."""
    return values.reshape(len(values), -1) if values.ndim else values


def _parameter(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Give a parameter as `Neuron` takes it: a number, [C], or the shape of the neurons."""
    flat: NDArray[Any] = values.ravel()
    if values.size == 1:
        return flat.reshape(())
    return flat if values.shape[1:] == (1, 1) and values.shape != shape else values
