"""The authors' state dicts: every name finds its place, and the network computes what theirs does."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from qat import authors  # noqa: E402
from qat.authors import Run  # noqa: E402

from snncore.reference import LIF, keep_channels  # noqa: E402
from snncore.reference.checkpoints import load_q_snn, load_qp_snn  # noqa: E402
from snncore.reference.networks import Scheme, q_snn, qp_snn  # noqa: E402

VGG_CHANNELS = [5, 6, 7, 8, 9, 8, 7, 6, 5, 6, 7, 8, 9]


def same(net, x, expected):
    assert expected.std() > 0.01
    torch.testing.assert_close(net(x), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("size", [32, 64])
def test_vgg16(bits, size):
    torch.manual_seed(bits)
    state = authors.vgg_state(authors.VGG16, VGG_CHANNELS, 6, (size // 32) ** 2)
    net = load_qp_snn(state, "vgg16", scheme=qp_snn(bits), timesteps=3)
    x = torch.randn(2, 3, size, size)
    same(net, x, Run(state, lambda w: authors.rescaw(w, bits)).vgg(x.expand(3, *x.shape), authors.VGG16))
    assert not net.training and net.layers.conv2.quantizer.bits == bits


def test_vggsnn():
    torch.manual_seed(0)
    state = authors.vgg_state(authors.VGGSNN, [4, 5, 6, 7, 8, 7, 6, 5], 10, 1, colours=2)
    net = load_qp_snn({"state_dict": state, "epoch": 3}, "vggsnn", scheme=qp_snn(2))
    x = torch.randn(4, 2, 2, 16, 16)
    same(net, x, Run(state, lambda w: authors.rescaw(w, 2)).vgg(x, authors.VGGSNN))


@pytest.mark.parametrize(
    ("stream", "inner"),
    [([4, 8, 12, 16], [8, 8, 8, 12, 12, 12, 16, 16, 16]), ([3, 6, 9, 16], [6, 4, 3, 4, 5, 4, 6, 7, 8])],
    ids=["dense", "pruned"],
)
def test_resnet20(stream, inner):
    torch.manual_seed(1)
    state = authors.resnet20_state(stream, inner, 7)
    net = load_qp_snn(state, "resnet20")
    x = torch.randn(3, 3, 16, 16)
    run = Run(state, lambda w: authors.rescaw(w, 4))
    same(net, x, run.resnet(x.expand(2, *x.shape), (3, 3, 3), lambda w: w, Run.padded, "fc.module"))
    assert net.layers.block1_1.body.conv1.out_channels == inner[0]


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_resnet19_of_q_snn(bits):
    torch.manual_seed(2)
    state = authors.resnet19_state([4, 8, 16], 7)
    for name in ("conv1.weight", "fc.ops.weight"):  # the largest weight is the largest magnitude
        state[name].view(-1)[0] = state[name].abs().max() * 1.1
    state["conv1_s.layer.module.weight"] = state["conv1.weight"]
    net = load_q_snn(state, scheme=q_snn(bits, form="tanh", alpha=None))
    x = torch.randn(3, 3, 16, 16)
    run = Run(state, authors.binary, authors.quantised(bits))
    expected = run.resnet(x.expand(2, *x.shape), (3, 3, 2), authors.eight_bits, Run.projected, "fc.ops")
    same(net, x, expected)


def test_eight_bits_that_the_authors_scale_does_not_give():
    torch.manual_seed(6)
    state = authors.resnet19_state([2, 4, 8], 3)
    for name, sign in (("conv1.weight", -1), ("fc.ops.weight", 1)):
        state[name].view(-1)[0] = sign * 10.0
    with pytest.warns(UserWarning, match="'conv' has weights of -10 to "):
        net = load_q_snn(state)
    assert net.layers.conv.quantizer(net.layers.conv.weight).min() == -10


def test_several_devices_and_a_pruned_network_of_ours():
    torch.manual_seed(3)
    state = {f"module.{k}": v for k, v in authors.resnet20_state([4, 8, 12, 16], [8] * 9, 5).items()}
    net = load_qp_snn(state, "resnet20")
    assert net.layers.fc.out_features == 5
    assert keep_channels(net, {"conv": [0, 2]}).layers.conv.out_channels == 2


def test_the_scheme_is_the_callers():
    neuron = LIF(decay=0.5, threshold=1.0)
    state = authors.resnet20_state([4, 8, 12, 16], [8] * 9, 5)
    net = load_qp_snn(state, "resnet20", scheme=Scheme(neuron=neuron), labels=list("abcde"))
    assert net.layers.lif.strict is False and net.layers.block1_1.body.conv1.quantizer is None
    assert net.labels == list("abcde")


def changed(**changes):
    state = dict(authors.resnet20_state([4, 8, 12, 16], [8] * 9, 5))
    for name, value in changes.items():
        if value is None:
            for key in [k for k in state if k.startswith(name.replace("__", "."))]:
                del state[key]
        else:
            state[name.replace("__", ".")] = value
    return state


def test_names_and_shapes_that_do_not_fit():
    torch.manual_seed(4)
    missing = changed(fc=None) | {"head.weight": torch.zeros(2, 2)}
    wrong = changed(layer2__1__conv2__weight=torch.zeros(12, 9, 3, 3))
    del wrong["layer2.1.conv2_s.layer.module.weight"]
    two = changed(conv1_s__layer__module__weight=torch.zeros(4, 3, 3, 3))
    vgg = authors.vgg_state(authors.VGG16, VGG_CHANNELS, 6, 1)
    for state, architecture, why in (
        (
            missing,
            "resnet20",
            r"2 missing \(fc.module.bias, fc.module.weight\); 1 left over \(head.weight\)$",
        ),
        (
            vgg,
            "resnet20",
            r"missing \(.*, \.\.\.\); \d+ left over \(classifier.linear1.module.bias, .*, \.\.\.\)$",
        ),
        (
            wrong,
            "resnet20",
            r"'layer2.1.conv2.weight' must be \[12, 8, 3, 3\], is \[12, 9, 3, 3\]$",
        ),
        (two, "resnet20", "'conv1_s.layer.module.weight' should equal 'conv1.weight'"),
        (
            changed(layer1__0__bn1__bn__bias=torch.zeros(2, 2)),
            "resnet20",
            "should equal 'layer1.0.bn1.bn.bias'",
        ),
        ({"fc": 3}, "resnet20", "expected a mapping from names to tensors, received a mapping with int"),
        ([1], "resnet20", "expected a mapping from names to tensors, received list"),
        (vgg, "vgg11", "architecture must be one of vgg16, vggsnn, resnet20"),
    ):
        with pytest.raises(ValueError, match=why) as caught:
            load_qp_snn(state, architecture)
        assert "\n" not in str(caught.value) and str(caught.value).startswith("load_qp_snn: ")


def test_odd_shapes_are_refused_in_a_sentence():
    for name, shape in (
        ("fc.module.weight", (5, 4)),
        ("fc.module.weight", (0, 16)),
        ("conv1.weight", (0, 3, 3, 3)),
        ("conv1.weight", (4, 3, 3)),
        ("layer3.0.conv2.weight", (16, 8, 5, 5)),
        ("layer3.0.conv2.weight", (100000, 8, 3, 3)),
    ):
        state = changed()
        for alias in [k for k in state if k.replace("_s.layer.module", "") == name]:
            state[alias] = torch.zeros(shape)
        with pytest.raises(ValueError, match="load_qp_snn: "):
            load_qp_snn(state, "resnet20")
