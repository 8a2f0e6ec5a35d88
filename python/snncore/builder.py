"""Making a model from code: what importers call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncore import _core
from snncore.model import Model
from snncore.neuron import VALUES, Neuron

Pair: TypeAlias = int | Sequence[int]
Encoding: TypeAlias = Literal["f32", "odd", "sym"]
Reset: TypeAlias = Literal["zero", "subtract"]
Profile: TypeAlias = Literal["U", "W", "X", "T"]
State: TypeAlias = Literal["i2", "i4", "i8", "i16", "i32"]
SaccadeMode: TypeAlias = Literal["v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic"]
Leak: TypeAlias = Literal["none", "q15", "half_floor", "shift", "tz12"]


class GraphBuilder:
    """Adds layers in order and builds a `Model`.

    Every method that adds a layer takes its name and the name of the edge it reads, and returns the name of
    its own edge, which is the layer's name. Shapes are those of one step of one sample: [C, H, W] or [C].
    Every method raises ValueError with layer, expected and received for arguments that do not fit. One thread
    at a time.

    >>> b = GraphBuilder()
    >>> x = b.input("x", "b1", [100])
    >>> x = b.lif("hidden", b.linear("fc1", x, weight1), decay=0.5)
    >>> b.output("logits", b.readout("head", b.linear("fc2", x, weight2)))
    >>> model = b.build(timesteps=4)
    """

    def __init__(self) -> None:
        self._core = _core.GraphBuilder()

    def input(
        self,
        name: str,
        dtype: str,
        shape: Sequence[int],
        zero_point: Sequence[int] | None = None,
        scale: float | None = None,
        layout: str | None = None,
    ) -> str:
        """Add an input.

        Parameters
        ----------
        name, dtype, shape
            "u8" raw pixels, "b1" spikes, "f32" values, "count2" to "count16" counts of so many bits.
        zero_point, scale
            A pixel's value is ``(pixel - zero_point[c]) * scale``. "u8" needs both; with "f32" they let
            callers hand over pixels too.
        layout
            The default layout of arrays: a permutation of N C H W or T N C H W. Default: NCHW, or NC.
        """
        points = [] if zero_point is None else [int(z) for z in zero_point]
        return self._core.input(
            name,
            dtype,
            list(shape),
            zero_point=points,
            scale=0.0 if scale is None else scale,
            layout=layout or "",
        )

    def conv2d(
        self,
        name: str,
        x: str,
        weight: ArrayLike,
        *,
        encoding: Encoding = "f32",
        bits: int | None = None,
        scale: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
    ) -> str:
        """Add a two-dimensional convolution (cross-correlation, as in PyTorch).

        Parameters
        ----------
        weight
            [C, C_in / groups, kh, kw]: float32, or int8 codes q with `encoding`, `bits` and `scale`.
        encoding, bits
            "f32"; or what a code means: "odd" m = 2q + 1, "sym" m = q, with 1, 2, 4 or 8 bits (sym: from 2).
        scale
            float64 [C] or [1]: a real weight is scale * m. Codes only.
        bias
            float64 [C].
        stride, dilation
            One number, or (vertical, horizontal).
        padding
            One number, (vertical, horizontal), or (top, bottom, left, right). Padding is value zero.
        """
        return self._core.conv2d(
            name,
            x,
            **_weight(name, weight, encoding, bits, scale, bias),
            stride=pair(stride, name, "stride"),
            padding=sides(padding, name),
            dilation=pair(dilation, name, "dilation"),
            groups=groups,
        )

    def linear(
        self,
        name: str,
        x: str,
        weight: ArrayLike,
        *,
        encoding: Encoding = "f32",
        bits: int | None = None,
        scale: ArrayLike | None = None,
        bias: ArrayLike | None = None,
    ) -> str:
        """Add a fully connected layer; `weight` is [C, F], the rest is as in `conv2d`.

        After `flatten` of an image the columns are in the order C, H, W.
        """
        return self._core.linear(name, x, **_weight(name, weight, encoding, bits, scale, bias))

    def batch_norm(
        self,
        name: str,
        x: str,
        gamma: ArrayLike,
        beta: ArrayLike,
        mean: ArrayLike,
        var: ArrayLike,
        eps: float = 1e-5,
    ) -> str:
        """Add ``(x - mean) / sqrt(var + eps) * gamma + beta``, all [C]; `build` folds it."""
        return self._core.batch_norm(
            name, x, _doubles(gamma), _doubles(beta), _doubles(mean), _doubles(var), eps
        )

    def step_gain(self, name: str, x: str, gain: ArrayLike) -> str:
        """Multiply integer sums, with their scales and biases, by a factor for each step.

        Parameters
        ----------
        x
            A sum [C] or [C, H, W], perhaps behind `batch_norm` or `add`. A `lif` must come next.
        gain
            [T, G], at least 0, where G divides C and each factor holds for C / G channels, one behind the
            other (a head). A run of more than T steps is refused; with T = 1 it holds for all.
        """
        rows = _doubles(gain)
        channels = self.shape(x)[0]
        if rows.ndim != 2 or not rows.shape[1] or channels % rows.shape[1]:
            raise ValueError(
                f"step_gain '{name}': expected [T, G] with a G that divides {channels}, "
                f"received {list(rows.shape)}"
            )
        return self._core.step_gain(name, x, rows.repeat(channels // rows.shape[1], axis=1).ravel())

    def lif(
        self,
        name: str,
        x: str,
        *,
        decay: float = 0.5,
        input_gain: float = 1.0,
        threshold: float = 1.0,
        reset: Reset = "zero",
        strict: bool = False,
        profile: Profile = "W",
        state: State = "i16",
        leak: Leak = "q15",
        leak_at_store: bool = False,
        theta0: int = 0,
        unit_bits: int = -1,
        quantiser: Literal["linear", "tanh"] = "linear",
        alpha: float = 1.0,
    ) -> str:
        """Add a leaky integrate-and-fire neuron for each element of `x`, in real units.

        ``h = decay * v + input_gain * x``; a spike when ``h >= threshold`` (`strict`: ``>``); then v is 0
        (`reset` "zero") or ``h - threshold`` ("subtract"). `decay` 1 makes an integrate-and-fire neuron.
        Where all weights before it are coded, `build` turns it into integers: `profile`, `state`, `leak`,
        `leak_at_store`, `theta0` and `unit_bits` say how, and docs/format.md what they mean; otherwise they
        are not used.

        A state of "i2" or "i4" keeps each membrane as one of 3 or 15 codes, -threshold to threshold in equal
        steps, or, with `quantiser` "tanh", as Q-SNN does (arXiv 2406.13672; "i8" then is 255 codes): what is
        kept is ``alpha / n * round(n * clip(tanh(v) / alpha, -1, 1))``. `profile` "T" is the same for "i2"
        in thresholds on the integer sums alone: exact in real numbers, behind one layer with no shortcut.
        """
        return self._core.lif(
            name,
            x,
            decay=decay,
            input_gain=input_gain,
            threshold=threshold,
            reset=reset,
            strict=strict,
            profile=profile,
            state=state,
            leak=leak,
            leak_at_store=leak_at_store,
            theta0=theta0,
            unit_bits=unit_bits,
            quantiser=quantiser,
            alpha=alpha,
        )

    def lif_int(
        self,
        name: str,
        x: str,
        *,
        theta: ArrayLike,
        psi: ArrayLike | None = None,
        load: ArrayLike | None = None,
        edges: ArrayLike | None = None,
        gamma: ArrayLike | None = None,
        profile: Profile = "W",
        state: State = "i16",
        leak: Leak = "q15",
        leak_param: int = 0,
        reset: Reset = "zero",
        leak_at_store: bool = False,
        unit_bits: int = -1,
        decay: float = 0.5,
        threshold: float = 1.0,
        input_gain: float = 1.0,
        strict: bool = False,
    ) -> str:
        """Add an integer neuron exactly as a file holds it, behind a `requant`.

        Parameters
        ----------
        theta
            int32 [C]; profile X: [K, C]; profile T: [3, C].
        psi
            int32 [C], for reset "subtract".
        load
            int32, for state "i2" [3] and "i4" [15]: the membranes that the codes -1..1 and -7..7 stand for.
            With state "i8" [255] it makes the state a code, too.
        edges
            int32 [2], [14] or [254], ascending: the membranes from which on the codes above the lowest are
            kept. Default: codes in equal steps of ``2^unit_bits / n``.
        gamma
            int32 [6, C], for profile T.
        profile, state, leak, leak_param, reset, leak_at_store, unit_bits
            docs/format.md, `lif`.
        decay, threshold, input_gain, strict
            The float neuron it was made from; kept, not applied.
        """
        return self._core.lif_int(
            name,
            x,
            theta=_int32(theta, name, "theta"),
            psi=None if psi is None else _int32(psi, name, "psi"),
            load=None if load is None else _int32(load, name, "load"),
            edges=None if edges is None else _int32(edges, name, "edges"),
            gamma=None if gamma is None else _int32(gamma, name, "gamma"),
            profile=profile,
            state=state,
            leak=leak,
            leak_param=leak_param,
            reset=reset,
            leak_at_store=leak_at_store,
            unit_bits=unit_bits,
            decay=decay,
            threshold=threshold,
            input_gain=input_gain,
            strict=strict,
        )

    def cuba_lif(
        self,
        name: str,
        x: str,
        *,
        current_decay: int,
        decay: int,
        theta: ArrayLike,
        bias: ArrayLike,
        input_shift: int = 6,
    ) -> str:
        """Add a fixed-point neuron with a synaptic current, behind a `requant`: the rule of Loihi and Lava.

        ``i <- wrap(tz12(i, current_decay) + (I << input_shift))``; ``v <- clamp(tz12(v, decay) + i + bias)``;
        spike, and v <- 0, where ``v >= theta``. ``tz12(x, d)`` is x * d / 4096 toward zero; i and v have 24
        bits.

        Parameters
        ----------
        current_decay, decay
            0 to 4096. Lava 0.10: 4096 - du - 1 and 4096 - dv.
        theta
            int32 [C], 1 to 2^23. Lava: (vth << 6) + 1.
        bias
            int32 [C]. Lava: bias_mant << bias_exp.
        input_shift
            0 to 8; currents of `x` stay within 2^(23 - input_shift).
        """
        return self._core.cuba_lif(
            name,
            x,
            current_decay=current_decay,
            decay=decay,
            theta=_int32(theta, name, "theta"),
            bias=_int32(bias, name, "bias"),
            input_shift=input_shift,
        )

    def psn(self, name: str, x: str, *, weight: ArrayLike, bias: ArrayLike) -> str:
        """Add parallel spiking neurons: a weighted sum over the steps, no membrane and no reset.

        ``h[t] = sum_j weight[t, j] * x[j] + bias[t]``, a spike where ``h >= 0``; float32, from +0 in
        ascending order of the steps. Source: Fang et al., NeurIPS 2023 (arXiv 2304.12760).

        Parameters
        ----------
        weight
            float32 [T, T], for runs of T steps (a masked neuron is one whose weights are zero outside a
            band); or [k], the weights of the last k steps, the present one last, for any number of steps and
            for streams.
        bias
            float32 [T], or [1] with [k].
        """
        return self._core.psn(name, x, weight=_floats(weight), bias=_floats(bias))

    def neuron(self, name: str, x: str, neuron: Neuron) -> str:
        """Add float32 neurons of any rule: a `snncore.Neuron`, from `snncore.presets` or made by hand.

        `x` is float32: currents, or what a layer with float weights gives; or what `attention` and `count`
        give, as float32 (exact up to 2^24), whose scale is the neuron's `input_gain`. Each parameter is a
        number, or an array [C], [C, H, W] or [F]. Spikes; counts where the neuron fires several times a step;
        float32 h where it does not fire.
        """
        values = {role: neuron.values(role) for role in VALUES}
        if np.array_equal(values["drop"], values["threshold"]):
            del values["drop"]
        return self._core.neuron(name, x, **neuron.describe(), values=values)

    def requant(
        self,
        name: str,
        inputs: Sequence[str],
        factors: Sequence[ArrayLike],
        c: ArrayLike,
        n: ArrayLike,
        wide: bool = False,
    ) -> str:
        """Add the step from integer sums to the current of an integer neuron.

        ``I = ((sum_j A_j * M_j + c + h) >> n) + sum_j K_j * s_j``, h = 2^(n-1) where n > 0, else 0.

        Parameters
        ----------
        inputs
            Sums A_j, and spikes or counts s_j.
        factors
            For each input int32 [C]: M_j of sums, K_j of spikes and counts. M_j may have a row for each step,
            [T, C]; a run of more than T steps is refused.
        c, n
            int32 [C]; c may have rows as M_j does.
        wide
            Allow 64-bit products.
        """
        return self._core.requant(
            name,
            list(inputs),
            factors=[_rows(f, name, f"factors[{j}]", n) for j, f in enumerate(factors)],
            c=_rows(c, name, "c", n),
            n=_int32(n, name, "n"),
            wide=wide,
        )

    def residual(self, name: str, x: str, stream: str | None = None, *, unit: float | None = None) -> str:
        """Add `x` to an int32 stream of real values, or begin one: ``R = sat32(R + round(x / unit))``.

        Membrane shortcuts and the residual streams of transformers: what a layer and its batch norm give is
        written with one rounding, and neurons read the stream (`lif` enters it by itself). Of its mean over
        all pixels (`avgpool2d`, then `flatten`) a `linear` layer and a `readout` may follow.

        Parameters
        ----------
        x
            Integer sums, with or without a `batch_norm`, or an `add` of such; or spikes or counts.
        stream
            The stream so far; default: `x` begins one. Shapes are equal.
        unit
            The real value of one. Default: that of `stream`; of a new one, threshold / 4096 of the first
            `lif` that reads it (which saturates at 524,288 thresholds).
        """
        return self._core.residual(name, x, stream or "", unit=0.0 if unit is None else unit)

    def couple(self, name: str, x: str, before: str, now: str) -> str:
        """Begin a stream with the mean of two, and add `x`: ``x + (before + now) / 2``.

        One of its units is half of the finer of theirs, or less, so halving rounds nothing: only `x` is
        rounded. The node is a `residual` that adds the coarser stream several times.

        Parameters
        ----------
        x
            As for `residual`.
        before, now
            Streams, of one shape with `x`; the same one twice is `residual`. Where all three are float32, so
            is the result, computed in this order: ``x + (before + now) / 2``.
        """
        return self._core.couple(name, x, before, now)

    def residual_int(
        self,
        name: str,
        inputs: Sequence[str],
        factors: Sequence[ArrayLike | None],
        c: ArrayLike,
        n: ArrayLike,
        unit: float = 1.0,
    ) -> str:
        """Add a writer of a stream exactly as a file holds it.

        ``R = sat32(sum_j R_j + ((sum_j A_j * M_j + c + h) >> n) + sum_j K_j * s_j)``, h = 2^(n-1) where n >
        0, else 0.

        Parameters
        ----------
        inputs
            Streams R_j, sums A_j, and spikes or counts s_j.
        factors
            For each input int32 [C]: M_j of sums, K_j of spikes and counts; None for streams. M_j may have a
            row for each step, as in `requant`.
        c, n
            int32 [C]; c may have rows as M_j does.
        unit
            The real value of one; kept, not applied.
        """
        given = [
            np.empty(0, np.int32) if f is None else _rows(f, name, f"factors[{j}]", n)
            for j, f in enumerate(factors)
        ]
        arrays = {"c": _rows(c, name, "c", n), "n": _int32(n, name, "n")}
        return self._core.residual_int(name, list(inputs), factors=given, **arrays, unit=unit)

    def saccade(
        self,
        name: str,
        q: str,
        k: str | None = None,
        *,
        mode: SaccadeMode,
        threshold: ArrayLike,
        mix: ArrayLike | None = None,
    ) -> str:
        """Add the saccadic neuron of SNN-ViT: spikes that say which patches are looked at, for each head.

        No membrane and no reset; float64, j from 0 to t in this order, from +0, no contraction:

        - "v1_joint": fires where ``sum_j (mix[t, j] * k[j]) * q[j] >= threshold[t]``
        - "v2_joint_static": ``sum_j mix[t, j] * q[j] >= threshold[t]``
        - "v2_dec_static": ``q[t] >= threshold[t]``
        - "v2_dec_dynamic": ``q[t] * k[t] >= threshold[t]``

        A run of fewer than T steps takes the first of them; one of more is refused. Source: Wang et al.,
        ICLR 2025 (arXiv 2502.12677), equations 8 and 11.

        Parameters
        ----------
        q
            Integer sums [heads, H, W], taken as they are: spikes of Q in each patch.
        k
            Integer sums [heads, 1, 1]: spikes of K in all patches. For the modes that have a k.
        threshold
            float64 [T].
        mix
            float64 [T, T], lower triangular, for the joint modes.

        Returns
        -------
        str
            The edge: spikes [heads, H, W].
        """
        weights = None if mix is None else np.ascontiguousarray(mix, dtype=np.float64)
        if weights is not None and (weights.ndim != 2 or weights.shape[0] != weights.shape[1]):
            raise ValueError(f"saccade '{name}': expected mix [T, T], received shape {list(weights.shape)}")
        return self._core.saccade(name, q, k or "", mode=mode, threshold=_doubles(threshold), mix=weights)

    def maxpool2d(
        self, name: str, x: str, kernel: Pair, stride: Pair | None = None, padding: Pair = 0
    ) -> str:
        """Add an OR of spikes over windows, or the largest of float32 values.

        `stride` is `kernel` unless given. Padding never fires; of float32 values it is left out, and must be
        smaller than the kernel.
        """
        return self._core.maxpool2d(name, x, **_window(name, kernel, stride, padding))

    def avgpool2d(
        self, name: str, x: str, kernel: Pair, stride: Pair | None = None, padding: Pair = 0
    ) -> str:
        """Add a mean over windows, exact for spikes: a count with a unit. Padding counts as zeros."""
        return self._core.avgpool2d(name, x, **_window(name, kernel, stride, padding))

    def add(self, name: str, inputs: Sequence[str]) -> str:
        """Add the sum of two or more edges of one shape."""
        return self._core.add(name, list(inputs))

    def flatten(self, name: str, x: str) -> str:
        """Make a vector of an image, in C, H, W order."""
        return self._core.flatten(name, x)

    def delay(
        self,
        name: str,
        x: str,
        steps: int = 1,
        shape: Sequence[int] | None = None,
        dtype: Literal["b1", "f32"] = "b1",
    ) -> str:
        """Add a delay: the value of `x` (spikes, counts or float32) `steps` steps ago, zero before.

        Parameters
        ----------
        x
            An edge; or the name of one to be added later, which makes the network recurrent.
        steps
            1 to 4096.
        shape, dtype
            What `x` will be, [C, H, W] or [F], where it is added later.
        """
        return self._core.delay(name, x, steps=steps, shape=list(shape or ()), dtype=dtype)

    def attention(self, name: str, q: str, k: str, v: str, *, heads: int = 1) -> str:
        """Add attention without soft-max: ``(q k^T) v`` in each head, exact.

        Parameters
        ----------
        q, k, v
            Spikes [D, H, W] of one shape. The H * W pixels are the tokens; each head has D / heads channels,
            one behind the other.
        heads
            Divides D.

        Returns
        -------
        str
            The sum [D, H, W], of 0 to H * W * D / heads. Its scale is 1: what a network multiplies it by is
            the `input_gain` of the `lif` or `neuron`, or the `batch_norm`, that comes next.
        """
        return self._core.attention(name, q, k, v, heads=heads)

    def map_scores(self, name: str, x: str, y: str, *, variant: Literal["qk", "kv"], heads: int = 1) -> str:
        """Add the scores of an attention map, in each head: how often both of a pair fire, exact.

        Parameters
        ----------
        x, y
            Spikes [D, H, W] of one shape. The H * W pixels are the tokens; each head has d = D / heads
            channels.
        variant
            "qk": token a of `x` and token b of `y` (queries and keys), counted over the d channels; "kv":
            channel a of `x` and channel b of `y` (values and keys), counted over the tokens.
        heads
            Divides D.

        Returns
        -------
        str
            The sum [b, heads, a], of scale 1, for the map's neuron.
        """
        return self._core.map_scores(name, x, y, variant=variant, heads=heads)

    def map_product(
        self, name: str, maps: str, x: str, *, variant: Literal["qk", "kv"], heads: int = 1
    ) -> str:
        """Add what an attention map selects, in each head: a sum [D, H, W] of scale 1, exact.

        Parameters
        ----------
        maps
            Spikes [b, heads, a], which a neuron fired behind `map_scores` of the same variant.
        x
            Spikes [D, H, W]: the values of variant "qk", the queries of "kv".
        variant
            "qk": ``y[c, n] = sum_b maps[n, b] * x[c, b]`` over the tokens b; "kv":
            ``y[c, n] = sum_b maps[c, b] * x[b, n]`` over the channels b of the head.
        heads
            Divides D.
        """
        return self._core.map_product(name, maps, x, variant=variant, heads=heads)

    def count(
        self,
        name: str,
        x: str,
        y: str | None = None,
        *,
        over: Literal["channels", "tokens", "all"],
        heads: int = 1,
    ) -> str:
        """Add a count of spikes over channels or tokens (pixels): a sum of scale 1, as `attention` gives.

        Parameters
        ----------
        x, y
            Spikes [D, H, W]. With `y`, of the same shape, what is counted are the places where both fire.
        over
            "channels": those of each head, [heads, H, W]; "tokens": [D, 1, 1]; "all": [heads, 1, 1].
        heads
            Divides D; 1 over tokens.
        """
        return self._core.count(name, x, y or "", over=over, heads=heads)

    def mask(self, name: str, x: str, mask: str) -> str:
        """Add the spikes of `x` [D, H, W] that `mask` lets through.

        `mask` has spikes [G, H, W], where each holds for D / G channels one behind the other (a head), or
        [D, 1, 1], where each holds for all tokens.
        """
        return self._core.mask(name, x, mask)

    def readout(
        self,
        name: str,
        x: str,
        mode: Literal["mean", "sum", "last"] = "mean",
        scale: ArrayLike | None = None,
        bias: ArrayLike | None = None,
    ) -> str:
        """Add a readout over time of a vector: float32 [F].

        `scale` (float64 [F] or [1]) and `bias` (float64 [F]) turn integer sums into values; they follow from
        the linear layer before it unless given.
        """
        return self._core.readout(name, x, mode=mode, scale=_optional(scale), bias=_optional(bias))

    def output(self, name: str, edge: str) -> None:
        """Make an edge an output: a readout, spikes, counts or float32 values."""
        self._core.output(name, edge)

    def shape(self, edge: str) -> tuple[int, ...]:
        """Give the shape of an edge, [C, H, W] or [C]."""
        return tuple(self._core.shape(edge))

    def build(
        self,
        timesteps: int,
        labels: Sequence[str] | None = None,
        preprocess: Mapping[str, Any] | None = None,
        provenance: Mapping[str, str] | None = None,
    ) -> Model:
        """Fold, compute every integer constant once, check, and make the model.

        Parameters
        ----------
        timesteps
            Steps of a run unless told otherwise, 1 to 4096.
        labels
            Names of the classes.
        preprocess
            As `Model.metadata` gives it: ``{"size": [height, width], "crop": "center" | "stretch", "color":
            "rgb" | "gray"}``.
        provenance
            Where the model comes from.

        Raises
        ------
        ValueError
            A layer whose constants do not fit; no input or output.
        snncore.Error
            A graph that this version cannot run.
        """
        core = self._core.build(
            timesteps,
            labels=list(labels or ()),
            preprocess=_preprocess(preprocess),
            provenance=dict(provenance or {}),
        )
        return Model(core)


def pair(value: Pair, layer: str, what: str) -> tuple[int, int]:
    """Take one number or two."""
    if isinstance(value, (int, np.integer)):
        return int(value), int(value)
    if len(value) != 2:
        raise ValueError(f"'{layer}': expected one or two numbers for {what}, received {value!r}")
    return int(value[0]), int(value[1])


def sides(padding: Pair, layer: str) -> tuple[int, int, int, int]:
    """Take one number, (vertical, horizontal) or (top, bottom, left, right)."""
    if not isinstance(padding, (int, np.integer)) and len(padding) == 4:
        top, bottom, left, right = map(int, padding)
        return top, bottom, left, right
    vertical, horizontal = pair(padding, layer, "padding (or four)")
    return vertical, vertical, horizontal, horizontal


def _window(layer: str, kernel: Pair, stride: Pair | None, padding: Pair) -> dict[str, Any]:
    return {
        "kernel": pair(kernel, layer, "kernel"),
        "stride": pair(kernel if stride is None else stride, layer, "stride"),
        "padding": sides(padding, layer),
    }


def _weight(
    layer: str,
    weight: ArrayLike,
    encoding: str,
    bits: int | None,
    scale: ArrayLike | None,
    bias: ArrayLike | None,
) -> dict[str, Any]:
    array = np.asarray(weight)
    values: NDArray[Any]
    if encoding == "f32":
        if bits not in (None, 32) or scale is not None:
            raise ValueError(f"'{layer}': expected neither bits nor scale with float32 weights")
        if array.dtype.kind != "f":
            raise ValueError(f"'{layer}': expected float32 weights (encoding 'f32'), received {array.dtype}")
        values = np.ascontiguousarray(array, dtype=np.float32)
    else:
        if bits is None:
            raise ValueError(f"'{layer}': expected bits (1, 2, 4 or 8) with encoding '{encoding}'")
        if array.dtype != np.int8:
            raise ValueError(
                f"'{layer}': expected int8 codes with encoding '{encoding}', received {array.dtype}"
            )
        values = np.ascontiguousarray(array)
    return {
        "weight": values,
        "encoding": encoding,
        "bits": 32 if bits is None else bits,
        "scale": _optional(scale),
        "bias": _optional(bias),
    }


def _doubles(values: ArrayLike) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.atleast_1d(np.asarray(values, dtype=np.float64)))


def _floats(values: ArrayLike) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.atleast_1d(values), np.float32)


def _optional(values: ArrayLike | None) -> NDArray[np.float64] | None:
    return None if values is None else _doubles(values)


def _int32(values: ArrayLike, layer: str, what: str) -> NDArray[np.int32]:
    array = np.atleast_1d(np.asarray(values))
    bounds = np.iinfo(np.int32)
    if array.dtype.kind not in "iu" or (
        array.size and (array.min() < bounds.min or array.max() > bounds.max)
    ):
        raise ValueError(f"'{layer}': expected 32-bit integers for {what}, received {array.dtype}")
    return np.ascontiguousarray(array, dtype=np.int32)


def _rows(values: ArrayLike, layer: str, what: str, channels: ArrayLike) -> NDArray[np.int32]:
    """Take [C], or [T, C] row by row, of as many channels as there are in `channels`."""
    array, count = _int32(values, layer, what), np.size(channels)
    if array.ndim == 2 and array.shape[1] != count:
        raise ValueError(f"'{layer}': expected [T, {count}] for {what}, received {list(array.shape)}")
    return array.ravel()


def _preprocess(preprocess: Mapping[str, Any] | None) -> _core.PreprocessInfo | None:
    if preprocess is None:
        return None
    if set(preprocess) != {"size", "crop", "color"}:
        raise ValueError(f"preprocess: expected the keys size, crop and color, received {sorted(preprocess)}")
    height, width = preprocess["size"]
    return _core.PreprocessInfo(int(height), int(width), preprocess["crop"], preprocess["color"])
