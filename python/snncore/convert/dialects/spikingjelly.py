"""SpikingJelly 2.0: neurons and the layers that come in two step modes."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from spikingjelly.activation_based import base, functional, layer, neuron
from torch import Tensor, fx, nn

from snncore.neuron import Neuron
from snncore.presets import spikingjelly as preset

from . import Dialect, Loop, Psn, Stepping, linear, switched_on
from .spikingjelly_attention import COMPOSITES, OF_TOKENS


def _if(n: Any) -> Neuron:
    return preset.if_(n.v_threshold, n.v_reset)


def _lif(n: Any) -> Neuron:
    return preset.lif(n.tau, n.decay_input, n.v_threshold, n.v_reset)


def _parametric_lif(n: Any) -> Neuron:
    reciprocal = n.w.detach().sigmoid().float().numpy()
    return preset.parametric_lif(reciprocal, n.decay_input, n.v_threshold, n.v_reset)


def _psn(n: Any) -> Psn:
    return Psn(_array(n.weight), _array(n.bias).reshape(-1))


def _masked_psn(n: Any) -> Psn:
    return Psn(_array(n.masked_weight()), _array(n.bias).reshape(-1))


def _array(values: Any) -> Any:
    return values.detach().float().numpy()


def _inside(container: Any) -> dict[str, Any]:
    """Read a container's module: layers that end in a neuron."""
    part = container.sub_module
    *body, last = part if type(part) is nn.Sequential and len(part) else (part,)
    rule = DIALECT.neurons[type(last)](last) if DIALECT.is_neuron(last) else None
    if not isinstance(rule, Neuron):
        raise ValueError("sub_module must be a neuron with a membrane, or a Sequential that ends in one")
    inner = "sub_module" if last is part else f"sub_module.{len(body)}"
    return {"neuron": rule, "body": tuple(body), "inner": inner}


def _linear_container(container: Any) -> Loop:
    rc = container.rc
    before, back = rc.weight.split((rc.in_features - container.sub_module_out_features,
                                    container.sub_module_out_features), dim=1)  # fmt: skip
    return Loop(back=(linear(back),), ahead=(linear(before, rc.bias),), **_inside(container))


def _element_wise_container(container: Any) -> Loop:
    if not _adds(container.element_wise_function):
        raise ValueError("element_wise_function must be an addition")
    return Loop(**_inside(container))


def _adds(function: Any) -> bool:
    """Whether torch.fx sees one addition of both arguments and nothing else."""
    if function in (operator.add, torch.add):
        return True
    try:
        nodes = list(fx.Tracer().trace(function).nodes)
    except Exception:
        return False
    if [node.op for node in nodes] != ["placeholder", "placeholder", "call_function", "output"]:
        return False
    x, y, call, _ = nodes
    return call.target in (operator.add, torch.add) and call.args in ((x, y), (y, x)) and not call.kwargs


class Tokens(nn.Module):
    """A module of tokens as a network of images: the pixels of [T, N, C, H, W] are its tokens."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        """Run all steps."""
        tokens: Tensor = self.attention(x.flatten(3))
        return tokens.reshape(x.shape)


def _prepare(module: nn.Module) -> nn.Module:
    if isinstance(module, OF_TOKENS):
        return Tokens(module)
    alone = isinstance(module, tuple(COMPOSITES))
    return nn.Sequential(OrderedDict(attention=module)) if alone else module


def _example(module: nn.Module, x: Tensor) -> Tensor:
    return x.unsqueeze(3) if isinstance(module, OF_TOKENS) and x.dim() == 4 else x


def _of_spikes(rule: Callable[[Any], Neuron | Psn]) -> Callable[[Any], Neuron | Psn]:
    """Refuse a neuron that gives the values of its surrogate function."""

    def checked(n: Any) -> Neuron | Psn:
        if not getattr(n.surrogate_function, "spiking", True):
            raise ValueError("needs a surrogate_function with spiking=True")
        return rule(n)

    return checked


def _check_modes(module: nn.Module) -> None:
    """Refuse neurons of both step modes, but for what containers and composites are made of."""
    named = dict(module.named_modules())
    whole = (*DIALECT.containers, *DIALECT.composites)
    inner = tuple(f"{path}." for path, part in named.items() if type(part) in whole)
    modes = {
        part.step_mode: path
        for path, part in named.items()
        if isinstance(part, base.MemoryModule) and not (inner and path.startswith(inner))
    }
    if len(modes) > 1:
        listed = " and ".join(f"'{path}' has '{mode}'" for mode, path in modes.items())
        raise ValueError(
            f"from_spikingjelly: expected neurons of one step mode, but {listed}; functional.set_step_mode "
            "gives all the same"
        )


def _stepping(module: nn.Module) -> Stepping | None:
    _check_modes(module)
    modes = {part.step_mode for part in module.modules() if hasattr(part, "step_mode")}
    if not modes:
        return None
    return "all" if "m" in modes else "each"


def _membrane(n: Any, _output: Any) -> Tensor | None:
    if not isinstance(n, neuron.BaseNode):  # parallel neurons have none
        return None
    v = n.v_seq if n.step_mode == "m" else n.v
    return v if isinstance(v, Tensor) else None


def _watching(module: nn.Module) -> AbstractContextManager[None]:
    all_steps = [p for p in module.modules() if isinstance(p, neuron.BaseNode) and p.step_mode == "m"]
    return switched_on(all_steps, "store_v_seq", "v_seq")


DIALECT = Dialect(
    name="spikingjelly",
    neurons={
        neuron.IFNode: _of_spikes(_if),
        neuron.LIFNode: _of_spikes(_lif),
        neuron.ParametricLIFNode: _of_spikes(_parametric_lif),
        neuron.PSN: _of_spikes(_psn),
        neuron.MaskedPSN: _of_spikes(_masked_psn),
        neuron.SlidingPSN: _of_spikes(_psn),
    },
    layers={
        layer.Conv1d: "pointwise",
        layer.Conv2d: "conv2d",
        layer.Linear: "linear",
        layer.BatchNorm1d: "batch_norm",
        layer.BatchNorm2d: "batch_norm",
        layer.MaxPool2d: "maxpool2d",
        layer.AvgPool2d: "avgpool2d",
        layer.AdaptiveAvgPool2d: "avgpool2d",
        layer.Flatten: "flatten",
        layer.Dropout: "drop",
        layer.Dropout2d: "drop",
    },
    containers={
        layer.LinearRecurrentContainer: _linear_container,
        layer.ElementWiseRecurrentContainer: _element_wise_container,
    },
    composites=COMPOSITES,
    prepare=_prepare,
    example=_example,
    stateful=(base.MemoryModule,),
    reset=functional.reset_net,
    stepping=_stepping,
    membrane=_membrane,
    watching=_watching,
)
