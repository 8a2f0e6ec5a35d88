"""sinabs 3.1.3. Give `alpha_mem` as the layer has it (``layer.alpha_mem_calculated``), or `tau_mem`."""

from __future__ import annotations

from typing import Any, Final, Literal

from numpy.typing import ArrayLike

from ..neuron import MOST_SPIKES, Neuron
from ._values import decay_of, one_minus

VERSION: Final = "3.1.3"

SpikeFn = Literal["MultiSpike", "MaxSpike", "SingleSpike"]
ResetFn = Literal["MembraneSubtract", "MembraneReset"]


def _alpha(name: str, alpha: ArrayLike | None, tau: ArrayLike | None) -> ArrayLike | None:
    if alpha is not None and tau is not None:
        raise ValueError(f"expected alpha_{name} or tau_{name}, received both")
    return alpha if tau is None else decay_of(tau)


def _synapse(alpha_syn: ArrayLike | None) -> dict[str, Any]:
    return {} if alpha_syn is None else {"synapse": "add_decay", "synapse_rate": alpha_syn}


def _floor(min_v_mem: ArrayLike | None) -> dict[str, Any]:
    return {} if min_v_mem is None else {"floor": "shift", "floor_value": min_v_mem}


def _fire(spike_fn: SpikeFn, most: int | None, reset_fn: ResetFn, drop: ArrayLike | None) -> dict[str, Any]:
    if spike_fn not in ("MultiSpike", "MaxSpike", "SingleSpike"):
        raise ValueError(f"unknown spike_fn {spike_fn!r}")
    if reset_fn not in ("MembraneSubtract", "MembraneReset"):
        raise ValueError(f"unknown reset_fn {reset_fn!r}")
    fire: dict[str, Any] = {"fire": "at_least"}
    if spike_fn != "SingleSpike":
        cap = MOST_SPIKES if most is None or spike_fn == "MultiSpike" else most
        fire = {"fire": "count", "most": min(cap, MOST_SPIKES)}
    reset = {"reset": "zero"} if reset_fn == "MembraneReset" else {"reset": "subtract", "drop": drop}
    return fire | reset


def lif(
    alpha_mem: ArrayLike | None = None,
    alpha_syn: ArrayLike | None = None,
    spike_threshold: ArrayLike = 1.0,
    spike_fn: SpikeFn = "MultiSpike",
    max_num_spikes_per_bin: int | None = None,
    reset_fn: ResetFn = "MembraneSubtract",
    subtract_value: ArrayLike | None = None,
    min_v_mem: ArrayLike | None = None,
    norm_input: bool = True,
    tau_mem: ArrayLike | None = None,
    tau_syn: ArrayLike | None = None,
) -> Neuron:
    """``LIF``: ``i = alpha_syn * (i + x); v = alpha_mem * v + (1 - alpha_mem) * i``, many spikes a step.

    ``MembraneReset`` with a reset value other than 0 adds that value to every membrane in every step, and has
    no neuron here.
    """
    alpha = _alpha("mem", alpha_mem, tau_mem)
    if alpha is None:
        raise ValueError("sinabs.lif: expected alpha_mem or tau_mem")
    return Neuron(
        charge="decay",
        rate=alpha,
        input_gain=one_minus(alpha) if norm_input else 1.0,
        threshold=spike_threshold,
        **_synapse(_alpha("syn", alpha_syn, tau_syn)),
        **_fire(spike_fn, max_num_spikes_per_bin, reset_fn, subtract_value),
        **_floor(min_v_mem),
    )


def iaf(
    alpha_syn: ArrayLike | None = None,
    spike_threshold: ArrayLike = 1.0,
    spike_fn: SpikeFn = "MultiSpike",
    max_num_spikes_per_bin: int | None = None,
    reset_fn: ResetFn = "MembraneSubtract",
    subtract_value: ArrayLike | None = None,
    min_v_mem: ArrayLike | None = None,
    tau_syn: ArrayLike | None = None,
) -> Neuron:
    """``IAF``: ``v + x``. NIR import sets `min_v_mem` to ``-spike_threshold``, which the file never says."""
    return lif(
        alpha_mem=1.0,
        alpha_syn=_alpha("syn", alpha_syn, tau_syn),
        spike_threshold=spike_threshold,
        spike_fn=spike_fn,
        max_num_spikes_per_bin=max_num_spikes_per_bin,
        reset_fn=reset_fn,
        subtract_value=subtract_value,
        min_v_mem=min_v_mem,
        norm_input=False,
    )


def exp_leak(
    alpha_mem: ArrayLike | None = None,
    min_v_mem: ArrayLike | None = None,
    norm_input: bool = False,
    tau_mem: ArrayLike | None = None,
) -> Neuron:
    """``ExpLeak``: a readout of membranes."""
    alpha = _alpha("mem", alpha_mem, tau_mem)
    if alpha is None:
        raise ValueError("sinabs.exp_leak: expected alpha_mem or tau_mem")
    gain = one_minus(alpha) if norm_input else 1.0
    return Neuron(charge="decay", rate=alpha, input_gain=gain, fire="none", reset="none", **_floor(min_v_mem))
