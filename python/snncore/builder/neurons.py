"""Neurons: in real units, in integers as a file holds them, of any rule, over all steps at once."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from snncore.arguments import brief
from snncore.neuron import VALUES, Neuron

from .arguments import floats, int32, optional_doubles, optional_int32, row
from .edges import Edges

Reset: TypeAlias = Literal["zero", "subtract"]
Profile: TypeAlias = Literal["U", "W", "X", "T"]
State: TypeAlias = Literal["i2", "i4", "i8", "i16", "i32"]
SaccadeMode: TypeAlias = Literal["v1_joint", "v2_joint_static", "v2_dec_static", "v2_dec_dynamic"]
Leak: TypeAlias = Literal["none", "q15", "half_floor", "shift", "tz12"]


class Neurons(Edges):
    """A method for each kind of neuron."""

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
            theta=int32(theta, name, "theta"),
            psi=optional_int32(psi, name, "psi"),
            load=optional_int32(load, name, "load"),
            edges=optional_int32(edges, name, "edges"),
            gamma=optional_int32(gamma, name, "gamma"),
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
            theta=int32(theta, name, "theta"),
            bias=int32(bias, name, "bias"),
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
        last = row(bias, name, "bias").astype(np.float32)
        return self._core.psn(name, x, weight=floats(weight), bias=last)

    def neuron(self, name: str, x: str, neuron: Neuron) -> str:
        """Add float32 neurons of any rule: a `snncore.Neuron`, from `snncore.presets` or made by hand.

        `x` is float32: currents, or what a layer with float weights gives; or what `attention` and `count`
        give, as float32 (exact up to 2^24), whose scale is the neuron's `input_gain`. Each parameter is a
        number, or an array [C], [C, H, W] or [F]. Spikes; counts where the neuron fires several times a step;
        float32 h where it does not fire.
        """
        if not isinstance(neuron, Neuron):
            raise TypeError(f"neuron '{name}': expected a snncore.Neuron, received {brief(neuron)}")
        values = {role: neuron.values(role) for role in VALUES}
        if np.array_equal(values["drop"], values["threshold"]):
            del values["drop"]
        return self._core.neuron(name, x, **neuron.describe(), values=values)

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
        weights = optional_doubles(mix)
        if weights is not None and (weights.ndim != 2 or weights.shape[0] != weights.shape[1]):
            raise ValueError(f"saccade '{name}': expected mix [T, T], received shape {list(weights.shape)}")
        return self._core.saccade(
            name, q, k or "", mode=mode, threshold=row(threshold, name, "threshold"), mix=weights
        )
