"""BESTformer checkpoints: every name finds its place, and the network computes what the authors' does."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from qat import bestformer_authors as authors  # noqa: E402

from snncore.reference.bestformer_checkpoint import load_bestformer  # noqa: E402
from snncore.reference.networks import IMAGENET_POOLS, bestformer  # noqa: E402


@pytest.mark.parametrize("layout", ["CIFAR", "ImageNet"])
def test_it_computes_what_theirs_does(layout):
    torch.manual_seed(0)
    state = authors.state(layout, 2, 32, 4, 3, 7)
    image = torch.randn(2, 3, 32, 32)
    theirs = authors.Run(state, layout, 4).logits(image, 2, 3)
    net = load_bestformer({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 9})
    assert not net.training and net.timesteps == 3
    run = net.double().requires_grad_(False).unroll(image.double())
    rates = {name: float(s.mean()) for name, s in run.spikes.items()}
    assert all(0.01 < rate < 0.99 for rate in rates.values()), rates
    for ours, given in zip(run.heads.values(), theirs, strict=True):
        assert given.std() > 0.05
        torch.testing.assert_close(ours.mean(0), given)
    torch.testing.assert_close(net(image.double()), sum(theirs) / 2)


@pytest.mark.parametrize(
    ("layout", "size", "classes", "parameters"),
    [("CIFAR", (4, 384), 10, 9_314_884), ("ImageNet", (8, 512), 1000, 30_178_064)],
)
def test_published_layouts(layout, size, classes, parameters):
    """Names and shapes of the published sizes, without their values."""
    with torch.device("meta"):
        state = authors.state(layout, *size, 8, 4, classes)
    trained = ("weight", "bias", "lambda_attn")
    assert sum(v.numel() for k, v in state.items() if k.endswith(trained)) == parameters
    if layout == "CIFAR":
        net = load_bestformer({k: torch.zeros(v.shape) for k, v in state.items()})
        assert {k: v.shape for k, v in net.state_dict().items()} == {
            k: v.shape for k, v in bestformer().state_dict().items()
        }


def test_the_other_map_and_other_pools_can_be_asked_for():
    torch.manual_seed(0)
    state = authors.state("CIFAR", 1, 16, 2, 2, 4)
    net = load_bestformer(state, kind="map_kv", pools=IMAGENET_POOLS, scale=0.25, labels=list("abcd"))
    attention = net.layers.blocks.rows.attention1.attention
    assert attention.kind == "map_kv" and attention.gate.input_gain == 0.125 and net.labels == list("abcd")
    assert net.unroll(torch.randn(1, 3, 32, 32)).spikes["blocks.rows.attention1.lif"].shape[-1] == 2


def changed(**values):
    torch.manual_seed(0)
    state = authors.state("CIFAR", 1, 16, 2, 2, 4)
    for name, value in values.items():
        key = name.replace("__", ".")
        if value is None:
            del state[key]
        else:
            state[key] = value
    return state


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (changed(head3__weight=torch.zeros(1)), r"1 left over \(head3.weight\)"),
        (changed(block__0__attn__q_conv__weight=None), r"1 missing \(block.0.attn.q_conv.weight\)"),
        (changed(head__weight=None), "'head.weight' is missing"),
        (changed(head__weight=torch.zeros(4)), "'head.weight' must have 2 axes"),
        (changed(head2__bias=torch.zeros(5)), r"'head2.bias' must be \[4\], is \[5\]"),
        (
            changed(block__0__attn__q_conv__weight=torch.zeros(16, 8, 1)),
            r"'block.0.attn.q_conv.weight' must be \[16, 16, 1, 1\], is \[16, 8, 1, 1\]",
        ),
        ({"a": torch.zeros(1)}, "found neither"),
        ({"state_dict": [1]}, "expected a mapping from names to tensors"),
    ],
)
def test_refusals(state, why):
    with pytest.raises(ValueError, match=f"load_bestformer: .*{why}"):
        load_bestformer(state)
