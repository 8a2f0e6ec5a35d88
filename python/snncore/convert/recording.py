"""Recording a forward with torch.fx while the example runs along, so that it may ask for shapes.

A forward that looks at the axes of its input (``T, N, C, H, W = x.shape``, ``if x.ndim == 5``) or loops over
one is recorded as it runs on the example. What depends on values of tensors cannot be. Needs torch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import torch
from torch import Tensor, fx, nn

from snncore import _core

from .changes import version, watched


class DoesNotRunError(Exception):
    """The module does not take the example; says why."""


def record(module: nn.Module, example: Tensor, leaves: tuple[type[nn.Module], ...], caller: str) -> fx.Graph:
    """Record `module`, without looking into `leaves`.

    `node.meta` says what a call gave: its "shape"; how many "parts", where they were a tuple; of a tensor
    that the forward made whether it is "zero".

    Raises
    ------
    snncore.Error
        torch.fx cannot follow the forward, or its graph would not show all that happens: hooks that change
        values, and values that are read after they were changed in place under another name.
    DoesNotRunError
        The module does not run on the example.
    """
    before = set(vars(module))
    if module._forward_hooks or module._forward_pre_hooks:
        raise _core.Error(f"{caller}: {type(module).__name__} has hooks of its own: take them off first")
    recorder = _Recorder(example, leaves, caller)
    try:
        with torch.no_grad(), watched(module, recorder.hook_changed):
            graph = recorder.trace(module)
        for node in graph.nodes:
            if node.op == "get_attr" and node.target not in before and hasattr(module, node.target):
                node.meta["zero"] = not getattr(module, node.target).any()
        return graph
    except (_core.Error, DoesNotRunError):
        raise
    except Exception as why:  # whatever a user's forward raises
        raise _core.Error(f"{caller}: torch.fx cannot trace {type(module).__name__}: {line(why)}") from why
    finally:  # torch.fx puts tensors that the forward made there
        for name in set(vars(module)) - before:
            delattr(module, name)


def line(why: BaseException) -> str:
    """Give the first line of an exception's text."""
    return (str(why).strip() or type(why).__name__).splitlines()[0]


class _Known(fx.Proxy):
    """A value that is recorded, what it is for the example, and how often that had been changed in place."""

    value: Any
    version: int | None

    @property
    def shape(self) -> torch.Size:
        return self._tensor().shape

    @property
    def ndim(self) -> int:
        return self._tensor().ndim

    @property
    def dtype(self) -> torch.dtype:
        return self._tensor().dtype

    @property
    def device(self) -> torch.device:
        return self._tensor().device

    def __iadd__(self, other: Any) -> Any:
        """Add in place, as the tensor would, which torch.fx does not."""
        return self.tracer.create_proxy("call_function", operator.iadd, (self, other), {})

    def dim(self) -> int:
        return self._tensor().dim()

    def size(self, dim: int | None = None) -> Any:
        return self._tensor().size() if dim is None else self._tensor().size(dim)

    def numel(self) -> int:
        return self._tensor().numel()

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        recorded: Any = self
        return (recorded[i] for i in range(len(self.value)))

    def _tensor(self) -> Tensor:
        if not isinstance(self.value, Tensor):
            raise AttributeError(f"'{self.node.name}' is a {type(self.value).__name__}, not a tensor")
        return self.value


class _Recorder(fx.Tracer):
    """Evaluates every call that it records; what runs inside of a leaf is not recorded."""

    def __init__(self, example: Tensor, leaves: tuple[type[nn.Module], ...], caller: str) -> None:
        super().__init__()
        self.example, self.leaves, self.caller = example, leaves, caller
        self.has_input = self.running = False

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self.leaves) or super().is_leaf_module(m, module_qualified_name)

    def proxy(self, node: fx.Node) -> _Known:
        return _Known(node, self)

    def create_proxy(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *more: Any,
        **options: Any,
    ) -> Any:
        made: Any = super().create_proxy(kind, target, args, kwargs, *more, **options)
        self.running = True
        try:
            made.value = self._value(kind, target, _known(args), _known(kwargs))
        except _core.Error:
            raise
        except Exception as why:
            raise DoesNotRunError(line(why)) from why
        finally:
            self.running = False
        made.version = version(made.value)
        value = made.value
        first = value
        if isinstance(value, (tuple, list)) and value:
            first, made.node.meta["parts"] = value[0], len(value)
        if isinstance(first, Tensor):  # a neuron may return its state beside its spikes
            made.node.meta["shape"] = tuple(first.shape)
        return made

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return forward(*args, **kwargs) if self.running else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val if self.running else super().getattr(attr, attr_val, parameter_proxy_cache)

    def hook_changed(self, path: str) -> None:
        """Refuse hooks of leaves that change values; those of other modules are recorded as all else."""
        if self.running:
            raise _core.Error(
                f"{self.caller}: a hook of '{path}' changes what it takes or gives: take it off"
            )

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, _Known) and version(a.value) != a.version:
            raise _core.Error(
                f"{self.caller}: '{a.node.name}' is read after it was changed in place under another name: "
                "write a = a + b, which makes a new value, and not a += b"
            )
        return super().create_arg(a)

    def _value(self, kind: str, target: Any, args: Any, kwargs: Any) -> Any:
        if kind == "placeholder":
            return self._input()
        if kind == "get_attr":
            return reduce(getattr, target.split("."), self.root)
        if kind == "call_module":
            return self.root.get_submodule(target)(*args, **kwargs)
        if kind == "call_method":
            return getattr(args[0], target)(*args[1:], **kwargs)
        return target(*args, **kwargs) if kind == "call_function" else None

    def _input(self) -> Tensor:
        if self.has_input:
            raise _core.Error(f"{self.caller}: a module with several inputs is not supported")
        self.has_input = True
        return self.example.clone()  # a forward may write to it


def _known(values: Any) -> Any:
    return fx.node.map_aggregate(values, lambda v: v.value if isinstance(v, _Known) else v)
