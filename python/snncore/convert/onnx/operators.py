"""Standard operators, as exporters write them: calls of `GraphBuilder`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .axes import Shapes
from .held import Held
from .loading import Node
from .weights import codes_of

#: Operators that a file may hold between a tensor and its reader.
FOLDED: Final = ("Identity", "Cast", "Transpose")

_TYPES: Final = {1: "f4", 11: "f8", 3: "i1", 5: "i2", 6: "i4", 7: "i8", 2: "u1", 9: "?"}

ACTIVATIONS: Final = (
    "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "Tanh", "Gelu", "Elu", "Selu", "Softplus", "HardSwish",
    "HardSigmoid", "Erf", "Softmax",
)  # fmt: skip


class Operators(Shapes):
    """A method for each operator."""

    def fold(self, node: Node) -> bool:
        """Compute a node of constants; tell whether it was one."""
        if node.op == "Constant":
            self._constant(node)
            return True
        x = self.values.get(node.inputs[0]) if len(node.inputs) == 1 else None
        if node.op not in FOLDED or not isinstance(x, np.ndarray):
            return False
        if node.op == "Cast":
            to = node.attrs.get("to")
            if to not in _TYPES:
                raise self.cannot(node, f"a conversion to type {to}")
            with np.errstate(invalid="ignore"):
                x = x.astype(_TYPES[to])
        elif node.op == "Transpose":
            perm = node.attrs.get("perm", list(range(x.ndim))[::-1])
            if sorted(perm) != list(range(x.ndim)):
                raise self.bad(node, f"perm {perm} does not fit")
            x = x.transpose(perm)
        self.put(node, x)
        return True

    def _constant(self, node: Node) -> None:
        kinds = {
            "value": None,
            "value_int": "i8",
            "value_ints": "i8",
            "value_float": "f4",
            "value_floats": "f4",
        }
        for name, dtype in kinds.items():
            if name in node.attrs:
                self.put(node, np.asarray(node.attrs[name], dtype))
                return
        raise self.cannot(node, "a constant that is not numbers")

    # ---- layers

    def op_conv(self, node: Node) -> None:
        """Convolve, in two dimensions."""
        x, weight = self.held(node), self.constant(node, 1)
        if weight.ndim != 4 or len(x.shape) != 3:
            raise self.cannot(node, f"weights {list(weight.shape)} on {list(x.shape)}; images are possible")
        top, left, bottom, right = self._pads(node)
        geometry: dict[str, Any] = dict(
            stride=tuple(node.attrs.get("strides", (1, 1))),
            padding=(top, bottom, left, right),
            dilation=tuple(node.attrs.get("dilations", (1, 1))),
            groups=node.attrs.get("group", 1),
        )
        if tuple(node.attrs.get("kernel_shape", weight.shape[2:])) != weight.shape[2:]:
            raise self.bad(node, f"kernel_shape differs from the weights {list(weight.shape)}")
        self._layer(node, self.builder.conv2d, x, weight, self.optional(node, 2), geometry)

    def op_gemm(self, node: Node) -> None:
        """Multiply with a matrix [C, F] (transB) or [F, C]."""
        weight = self.constant(node, 1)
        if weight.ndim != 2:
            raise self.bad(node, f"weights {list(weight.shape)}")
        weight = weight if node.attrs.get("transB", 0) else weight.T
        bias = self.optional(node, 2)
        self._layer(node, self.builder.linear, self.held(node), weight, bias, {})

    def op_matmul(self, node: Node) -> None:
        """Multiply with a matrix, and take the bias that an Add behind it holds."""
        weight, x = self.constant(node, 1), self.valued(node)
        if weight.ndim != 2:
            raise self.cannot(node, f"weights {list(weight.shape)}; a matrix is possible")
        readers = self.readers.get(node.outputs[0], [])
        bias = None
        if len(readers) == 1 and readers[0].op == "Add" and node.outputs[0] not in self.ends:
            others = [self.values.get(n) for n in readers[0].inputs if n != node.outputs[0]]
            if len(others) == 1 and isinstance(others[0], np.ndarray):
                bias = others[0]
        self._layer(node, self.builder.linear, x, weight.T, bias, {})
        if bias is not None:
            self.values[readers[0].outputs[0]] = self.values[node.outputs[0]]
            self.done.add(readers[0].outputs[0])

    def _layer(
        self,
        node: Node,
        add: Callable[..., str],
        x: Held,
        weight: NDArray[Any],
        bias: NDArray[Any] | None,
        geometry: Mapping[str, Any],
    ) -> None:
        coded = self.coded(node)
        if coded:
            self.whole(node)
            facts = self.network.facts.get("weights", {}).get(node.name)
            given = codes_of(weight, facts, lambda why: self.bad(node, why))
        else:
            self.valued(node)
            given = {"weight": np.ascontiguousarray(weight, np.float32)}
        if bias is not None:
            if bias.size not in (1, len(weight)) or bias.size != np.atleast_1d(bias).shape[-1]:
                raise self.bad(node, f"a bias {list(bias.shape)}, expected one value for each channel")
            given["bias"] = np.broadcast_to(bias.ravel(), len(weight)).astype(np.float64)
        edge = add(node.name, x.edge, **given, **geometry)
        shape = self.builder.shape(edge)
        self.put(node, Held(edge, "sum" if coded else "real", shape, timed=x.timed, still=x.still))

    def coded(self, node: Node) -> bool:
        """Tell whether a layer has quantised weights: its sums go to integers of ours."""
        readers = self.readers.get(node.outputs[0], [])
        return node.name in self.network.facts.get("weights", {}) or any(
            reader.domain == "snncore"
            and (reader.op.startswith("requant") or reader.attrs.get("kind") in ("a", "d"))
            for reader in readers
        )

    def op_batchnormalization(self, node: Node) -> None:
        """Fold into the layer before."""
        x = self.held(node)
        gamma, beta, mean, var = (self.constant(node, k) for k in (1, 2, 3, 4))
        if {v.ndim for v in (gamma, beta, mean, var)} != {1}:
            raise self.bad(node, "expected one value of each for each channel")
        eps = float(np.float32(node.attrs.get("epsilon", 1e-5)))
        edge = self.builder.batch_norm(node.name, x.edge, gamma, beta, mean, var, eps)
        self.put(node, replace(x, edge=edge))

    def op_add(self, node: Node) -> None:
        """Add edges."""
        terms = [self.held(node, k, timed=None) for k in range(len(node.inputs))]
        if len({(t.shape, t.timed, t.divisor, t.counted) for t in terms}) > 1 and any(
            t.counted for t in terms
        ):
            raise self.bad(node, "adds counts and values")
        self.alike(node, terms)
        edge = self.builder.add(node.name, [t.edge for t in terms])
        whole = all(t.kind in ("spike", "count") for t in terms)
        first = terms[0]
        self.put(node, replace(first, edge=edge, kind="count" if whole else "real"))

    op_sum = op_add

    # ---- pools

    def op_maxpool(self, node: Node) -> None:
        """Pool by the largest: spikes."""
        x = self.held(node)
        edge = self.builder.maxpool2d(node.name, x.edge, **self._window(node))
        self.put(node, replace(x, edge=edge, shape=self.builder.shape(edge)))

    def op_averagepool(self, node: Node) -> None:
        """Pool by the mean, padding counted."""
        self.mean(node, self.valued(node), self._window(node))

    def op_globalaveragepool(self, node: Node) -> None:
        """Pool the whole image by the mean."""
        x = self.valued(node)
        if len(x.shape) != 3:
            raise self.cannot(node, f"pooling of {list(x.shape)}; images are possible")
        self.mean(node, x, {"kernel": x.shape[1:]})

    def _window(self, node: Node) -> dict[str, Any]:
        kernel = tuple(node.attrs.get("kernel_shape", ()))
        if len(kernel) != 2:
            raise self.cannot(node, f"a window of {len(kernel)} dimensions; two are possible")
        top, left, bottom, right = self._pads(node)
        stride = tuple(node.attrs.get("strides", (1, 1)))
        return {"kernel": kernel, "stride": stride, "padding": (top, bottom, left, right)}

    def _pads(self, node: Node) -> list[int]:
        pads: list[int] = node.attrs.get("pads", [0] * 4)
        if len(pads) != 4 or min(pads) < 0:
            raise self.cannot(node, f"pads {pads}; four from 0 up are possible")
        return pads
