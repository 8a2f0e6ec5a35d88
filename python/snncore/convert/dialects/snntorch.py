"""snnTorch 1.0: neurons with hidden states, or a forward that loops over the steps."""

from __future__ import annotations

from typing import Any

import snntorch
from snntorch import utils
from snntorch._neurons.neurons import SpikingNeuron
from torch import nn

from snncore.neuron import Neuron
from snncore.presets import snntorch as preset

from . import Dialect, Stepping


def _options(n: Any) -> dict[str, Any]:
    if n.inhibition or n.state_quant or getattr(n, "graded_spikes_factor", 1.0) != 1.0:
        raise ValueError("needs inhibition=False, state_quant=False and graded_spikes_factor=1")
    return {
        "threshold": n.threshold.detach().numpy(),
        "reset_mechanism": n.reset_mechanism,
        "reset_delay": n.reset_delay,
    }


def _leaky(n: Any) -> Neuron:
    return preset.leaky(n.beta.detach().numpy(), **_options(n))


def _synaptic(n: Any) -> Neuron:
    return preset.synaptic(n.alpha.detach().numpy(), n.beta.detach().numpy(), **_options(n))


def _stepping(module: nn.Module) -> Stepping | None:
    return "each" if isinstance(module, nn.Sequential) else None


DIALECT = Dialect(
    name="snntorch",
    neurons={snntorch.Leaky: _leaky, snntorch.Synaptic: _synaptic},
    stateful=(SpikingNeuron,),
    reset=utils.reset,
    stepping=_stepping,
    membrane=lambda n, output: n.mem,
)
