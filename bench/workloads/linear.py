"""W3: a linear layer 384 -> 1536 on tokens, T = 4, weights of 1 bit."""

from __future__ import annotations

from collections.abc import Iterator

from harness import Case, Options, Subject
from peer_runners import ours, subjects
from workloads.data import STEPS, lif_spikes, spikes, threshold, weights

SIZE, QUICK = (384, 1536), (72, 40)


def cases(name: str, options: Options) -> Iterator[Case]:
    for density in options.densities:
        yield Case(name, "w1", density, _subjects(density, options))


def _subjects(density: int, options: Options) -> list[Subject]:
    inputs, outputs = QUICK if options.quick else SIZE
    x = spikes((STEPS, options.tokens, inputs), density)
    values, arguments = weights((outputs, inputs), "w1")
    rows = x.reshape(-1, inputs)
    sums = rows.astype("float32") @ values.T.astype("float32")
    theta = threshold(sums)
    model = ours.layer_model("linear", [inputs], arguments, theta, STEPS)
    fired = lif_spikes(sums.reshape(STEPS, options.tokens, outputs), theta)
    found = ours.packed_subjects(model, x, "TNC", fired)
    for module in ("torch_ops", "onnx_ops", "numkong_ops"):
        found += subjects(module, "linear_subjects", rows, values, sums)
    return found
