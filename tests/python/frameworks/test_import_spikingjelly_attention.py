"""SpikingJelly's attention and transformers, converted and compared with its own run, every bit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from frameworks.networks import check, images, settled
from torch import nn

pytest.importorskip("spikingjelly")
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.model import maxformer, qkformer, spike_driven_transformer, spikformer

import snncore

NEURONS = {
    "theirs": {},
    "tau": {"tau": 1.5},
    "input": {"tau": 4.0, "decay_input": False},
    "soft": {"v_reset": None},
    "reset": {"v_reset": -0.25},
    "if": {"spiking_neuron": neuron.IFNode},
    "plif": {"spiking_neuron": neuron.ParametricLIFNode, "init_tau": 2.0},
}

ATTENTIONS = {
    "self": lambda dim, heads, **k: layer.SpikingSelfAttention(dim, heads, **k),
    "token": lambda dim, heads, **k: layer.QKAttention(dim, heads, qka_type="token", **k),
    "channel": lambda dim, heads, **k: layer.QKAttention(dim, heads, qka_type="channel", **k),
    "token class": lambda dim, heads, **k: layer.TokenQKAttention(dim, heads, **k),
    "channel class": lambda dim, heads, **k: layer.ChannelQKAttention(dim, heads, **k),
}


def spikes(*shape, seed=0, rate=0.4):
    return torch.from_numpy(np.random.default_rng(seed).random(shape) < rate)


def rows_of(model):
    return [node.name for node in model.layers if node.op == "neuron"]


class OfImages(nn.Module):
    """An attention in a network of a user's own: tokens are made of an image, and an image of tokens."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention

    def forward(self, x):
        T, N, C, H, W = x.shape
        return self.attention(x.flatten(3)).reshape(T, N, C, H, W)


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_attention(name, steps):
    x = spikes(steps, 3, 24, 3, 5)
    net = settled(OfImages(ATTENTIONS[name](24, 4)), x)
    model = snncore.from_spikingjelly(net, x)
    assert check(model, net, x).max_membrane_difference.value == 0
    assert model.inputs[0].dtype == "b1"


@pytest.mark.parametrize("options", NEURONS.values(), ids=NEURONS)
@pytest.mark.parametrize("name", ["self", "token", "channel"])
def test_every_neuron(name, options):
    x = spikes(4, 3, 16, 4, 4, seed=1)
    net = settled(OfImages(ATTENTIONS[name](16, 2, **options)), x, seed=1)
    assert check(snncore.from_spikingjelly(net, x), net, x).max_membrane_difference.value == 0


@pytest.mark.parametrize("name", ["self", "token", "channel"])
@pytest.mark.parametrize(("dim", "heads", "tokens"), [(8, 1, 9), (12, 3, 33), (64, 1, 5), (130, 2, 70)])
def test_heads_and_tokens(name, dim, heads, tokens):
    x = spikes(2, 2, dim, tokens, seed=2)
    net = settled(ATTENTIONS[name](dim, heads), x, seed=2)
    model = snncore.from_spikingjelly(net, x)  # alone: tokens are an image of one row
    assert model.inputs[0].shape == (dim, 1, tokens)
    check(model, net, x.unsqueeze(3))


@pytest.mark.parametrize("options", NEURONS.values(), ids=NEURONS)
def test_spike_driven_attention(options):
    x = images(3, 2, (16, 4, 5))  # real values, which come back at its end
    net = settled(layer.SpikeDrivenSelfAttention(16, 2, **options), x)
    model = snncore.from_spikingjelly(net, x)
    assert rows_of(model)[:2] == ["attention.shortcut_lif", "attention.q_lif"]
    check(model, net, x)


def test_scale_is_that_of_the_module():
    x = spikes(4, 2, 16, 20)
    net = settled(layer.SpikingSelfAttention(16, 2), x)
    models = []
    for scale in (0.125, 0.5, 0.3):
        net.scale = scale
        models.append(snncore.from_spikingjelly(net, x))
        check(models[-1], net, x.unsqueeze(3))
    runs = [
        m.run(x.unsqueeze(3).numpy(), record="attention.attn_lif").spikes["attention.attn_lif"]
        for m in models
    ]
    assert runs[0] != runs[1]


def test_counts_come_in_as_they_do_behind_a_shortcut():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = layer.SpikingSelfAttention(16, 2), layer.TokenQKAttention(16, 2)

        def forward(self, x):
            y = x.flatten(3)
            y = y + self.first(y)
            y = y + self.second(y)
            return y.view(x.shape)

    x = spikes(3, 2, 16, 4, 3)
    net = settled(Twice(), x)
    check(snncore.from_spikingjelly(net, x), net, x)


@pytest.mark.parametrize("end", [[], [nn.Unflatten(3, (4, 3))]], ids=["tokens", "image"])
def test_a_sequential(end):
    x = spikes(3, 2, 8, 4, 3)
    conv = layer.SeqToANNContainer(nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16))
    net = nn.Sequential(
        conv, neuron.LIFNode(step_mode="m"), nn.Flatten(3), layer.SpikingSelfAttention(16, 2), *end
    )
    settled(net, x)
    model = snncore.from_spikingjelly(net, x)
    assert rows_of(model)[:2] == ["neuron1", "3.q.qkv_lif"] and model.outputs[0].shape == (16, 4, 3)
    check(model, net, x)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_spikformer_block(steps):
    x = spikes(steps, 3, 16, 4, 4)
    net = settled(spikformer.SpikformerBlock(16, 2, mlp_ratio=3.0), x)
    model = snncore.from_spikingjelly(net, x)
    check(model, net, x)
    assert rows_of(model) == [
        "attn.q.qkv_lif", "attn.k.qkv_lif", "attn.v.qkv_lif", "attn.attn_lif", "attn.proj_lif", "mlp.neuron1",
        "mlp.neuron2",
    ]  # fmt: skip


def small_spikformer(**options):
    sizes = {
        "img_size_h": 16,
        "img_size_w": 16,
        "patch_size": 4,
        "embed_dims": 32,
        "num_heads": 4,
        "depths": 2,
    }
    return spikformer.Spikformer(num_classes=5, **sizes, **options)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_spikformer(steps):
    x = images(steps, 4, (3, 16, 16))
    net = settled(small_spikformer(), x)
    model = snncore.from_spikingjelly(net, x)
    assert model.timesteps == steps and model.outputs[0].shape == (5,)
    assert check(model, net, x).max_membrane_difference.value == 0


def test_spikformer_of_one_image_for_all_steps():
    x = images(None, 3, (2, 16, 32))
    net = settled(small_spikformer(in_channels=2, T=4), x.expand(4, *x.shape))
    model = snncore.from_spikingjelly(net, x, timesteps=4)
    report = check(model, net, x)
    theirs = net(x).mean(0)  # the network itself repeats the image
    functional.reset_net(net)
    np.testing.assert_array_equal(model.run(x.numpy()), theirs.detach().numpy())
    assert report.max_abs_difference == 0


def test_spikformer_that_pools_in_every_stage():
    x = images(2, 2, (2, 64, 64))
    sizes = {"img_size_h": 64, "img_size_w": 64, "embed_dims": 16, "num_heads": 2, "depths": 1}
    net = settled(spikformer.Spikformer(in_channels=2, num_classes=3, **sizes), x)
    model = snncore.from_spikingjelly(net, x)
    assert [node.op for node in model.layers].count("maxpool2d") == 4
    check(model, net, x)


def test_spikformer_in_a_stream():
    x = images(4, 2, (3, 16, 16))
    net = settled(small_spikformer(), x)
    model = snncore.from_spikingjelly(net, x)
    stream = model.stream(batch=2)
    for now in x.numpy():
        y = stream.step(now)
    np.testing.assert_array_equal(y, model.run(x.numpy()))


def test_the_state_dict_is_all_that_a_model_comes_from():
    x = images(2, 2, (3, 16, 16))
    net = settled(small_spikformer(), x)
    again = small_spikformer()
    assert snncore.from_spikingjelly(again, x).to_bytes() != snncore.from_spikingjelly(net, x).to_bytes()
    again.load_state_dict(net.state_dict())
    for ours, theirs in zip(again.modules(), net.modules(), strict=True):
        if isinstance(ours, nn.modules.batchnorm._BatchNorm):
            ours.eps = theirs.eps
    assert snncore.from_spikingjelly(again, x).to_bytes() == snncore.from_spikingjelly(net, x).to_bytes()


def test_conversion_changes_nothing():
    x = images(2, 2, (3, 16, 16))
    net = settled(small_spikformer(), x).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    names = [name for name, _ in net.named_modules()]
    snncore.from_spikingjelly(net, x)
    assert all(part.training for part in net.modules())
    assert names == [name for name, _ in net.named_modules()]
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(value.requires_grad for value in net.parameters())


@pytest.mark.parametrize("kind", ["token", "channel"])
def test_qkformer(kind):
    x = images(2, 2, (3, 64, 64))
    sizes = {"embed_dims": 32, "num_heads": (1, 2, 2), "depths": (1, 1, 1), "mlp_ratio": 2.0}
    net = settled(qkformer.QKFormer(T=2, num_classes=4, qka_type=kind, **sizes), x)
    check(snncore.from_spikingjelly(net, x), net, x)


def test_spike_driven_transformer():
    x = images(3, 3, (3, 16, 16))
    net = spike_driven_transformer.SpikeDrivenTransformer(
        T=3, num_classes=4, embed_dims=16, num_heads=2, depths=2, pooling_stat="0011"
    )
    settled(net, x)
    check(snncore.from_spikingjelly(net, x), net, x)


def test_maxformer():
    x = images(2, 2, (3, 64, 64))
    net = settled(maxformer.MaxFormer(T=2, num_classes=4, embed_dims=32, depths=(1, 1, 1)), x)
    check(snncore.from_spikingjelly(net, x), net, x)


def test_a_convolution_that_took_its_batch_norm_in():
    x = spikes(3, 2, 16, 12)
    net = settled(layer.SpikingSelfAttention(16, 2), x)
    folded = layer.SpikingSelfAttention(16, 2).eval()
    for name in ("qkv_conv_bn", "proj_conv_bn"):
        conv, bn = getattr(net, name)
        getattr(folded, name)[0] = nn.utils.fuse_conv_bn_eval(conv, bn)
        getattr(folded, name)[1] = nn.Identity()
    check(snncore.from_spikingjelly(folded, x), folded, x.unsqueeze(3))


def converted(net, x):
    return snncore.from_spikingjelly(net, x)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda a: setattr(a, "attn_lif", neuron.QIFNode(step_mode="m")),
            r"attention \(SpikingSelfAttention\): its 'attn_lif' \(QIFNode\): unknown to snncore",
        ),
        (
            lambda a: setattr(a, "attn_lif", neuron.PSN(2)),
            r"attention \(SpikingSelfAttention\): 'attn_lif' reads counts of spikes, which a parallel",
        ),
        (
            lambda a: a.qkv_conv_bn.__setitem__(0, nn.Conv1d(16, 48, 3, padding=1)),
            r"attention \(SpikingSelfAttention\): expected a convolution of kernel_size 1 and a batch",
        ),
        (
            lambda a: setattr(a.proj_lif, "step_mode", "s"),
            r"attention \(SpikingSelfAttention\): its 'proj_lif' has step_mode 's'; expected 'm'",
        ),
        (
            lambda a: a.qkv_conv_bn.__setitem__(1, nn.BatchNorm1d(48, track_running_stats=False)),
            r"attention \(SpikingSelfAttention\): a batch norm has no running statistics",
        ),
    ],
)
def test_what_is_not_supported_is_named(change, why):
    net = OfImages(layer.SpikingSelfAttention(16, 2))
    change(net.attention)
    with pytest.raises(snncore.Error, match=why):
        snncore.from_spikingjelly(net, spikes(2, 1, 16, 3, 3))


def test_what_tokens_cannot_become_is_named():
    class Turned(OfImages):
        def forward(self, x):
            return self.attention(x.flatten(3)).reshape(*x.shape[:3], x.shape[4], x.shape[3])

    with pytest.raises(
        snncore.Error, match=r"reshapes \[16, 2, 3\] to \[2, 1, 16, 3, 2\]; only flattening a whole"
    ):
        snncore.from_spikingjelly(Turned(layer.SpikingSelfAttention(16, 2)), spikes(2, 1, 16, 2, 3))
    wide = nn.Sequential(layer.SeqToANNContainer(nn.Conv1d(4, 4, 3, padding=1)), neuron.IFNode(step_mode="m"))

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.row = wide

        def forward(self, x):
            return self.row(x.flatten(3)).view(x.shape)

    with pytest.raises(snncore.Error, match=r"row.0.0 \(Conv1d\): only kernel_size=1"):
        snncore.from_spikingjelly(Rows(), spikes(2, 1, 4, 2, 3))


def test_the_page(tmp_path, monkeypatch):
    """docs/transformers.md: its example of SpikingJelly, as it stands."""
    page = (Path(__file__).parents[3] / "docs" / "transformers.md").read_text()
    (code,) = [
        text for text in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S) if "spikingjelly" in text
    ]
    torch.manual_seed(0)
    x = images(None, 2, (3, 32, 32)) / 2
    net = settled(spikformer.spikformer_cifar10(T=4), x.expand(4, *x.shape))
    torch.save(net.state_dict(), tmp_path / "spikformer.pt")
    monkeypatch.chdir(tmp_path)
    names = {"images": x.numpy()}
    exec(compile(code, "docs/transformers.md", "exec"), names)
    report, told = names["report"], names["told"]
    assert report.label_agreement == 1.0 and (report.margin is None or report.margin.within)
    assert snncore.load("spikformer.snn").timesteps == 4
    left = [row.reason for row in told.layers if row.reason is not None]
    assert len(left) == 2 and all("largest of real values" in why for why in left)
