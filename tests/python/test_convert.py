from __future__ import annotations

import numpy as np
import pytest

import snncore

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
nn = torch.nn

from snncore.reference import IF, LIF, Conv2d, Linear, Network, WeightQuantizer  # noqa: E402

RESCAW = WeightQuantizer("rescaw", 4, factor=True)
SYMMETRIC = WeightQuantizer("symmetric", 8)
PIXELS = {"zero_point": [125, 123, 114], "scale": 1 / 64, "size": [8, 8]}


def network(seed=0, timesteps=3, first=SYMMETRIC, hidden=RESCAW, last=SYMMETRIC, **options):
    torch.manual_seed(seed)
    layers = nn.Sequential(
        Conv2d(3, 5, 3, padding=1, bias=False, quantizer=first),
        nn.BatchNorm2d(5),
        LIF(),
        nn.MaxPool2d(2),
        Conv2d(5, 9, 3, stride=2, padding="valid", groups=1, quantizer=hidden),
        nn.BatchNorm2d(9),
        nn.Dropout(0.3),
        IF(reset="subtract", strict=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        Linear(9, 4, quantizer=last),
    )
    for bn in (m for m in layers.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(bn.running_mean, -0.2, 0.2)
        nn.init.uniform_(bn.running_var, 0.2, 0.8)
        nn.init.uniform_(bn.weight, -1, 1.5)
        nn.init.uniform_(bn.bias, -0.2, 0.4)
    given = {"preprocess": PIXELS, "labels": list("abcd"), **options}
    return Network(layers, timesteps=timesteps, **given)


def images(count=6, shape=(3, 8, 8), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def share_of_equal_spikes(model, module, x):
    names = [row["name"] for row in nodes(model) if row["op"] in ("lif", "if")]
    ours = model.run(x, record=names).spikes
    theirs = module.eval().spikes(module.normalise(torch.from_numpy(x)))
    pairs = zip(ours.values(), theirs.values(), strict=True)
    equal = [a.numpy() == (b.numpy() != 0) for a, b in pairs]
    return sum(e.sum() for e in equal) / sum(e.size for e in equal)


def nodes(model):
    import json

    return json.loads(model._core.document())["graph"]["nodes"]


def test_a_quantised_network_takes_pixels_and_carries_all_it_knows():
    m = snncore.from_torch(network(), torch.zeros(1, 3, 8, 8), name="small")
    assert m.inputs[0].dtype == "u8" and m.inputs[0].zero_point == (125, 123, 114)
    assert m.timesteps == 3 and m.labels == list("abcd")
    assert m.metadata["preprocess"] == {"size": [8, 8], "crop": "center", "color": "rgb"}
    assert m.metadata["provenance"]["name"] == "small"
    assert [row["name"] for row in nodes(m) if row["op"] in ("lif", "if")] == ["lif1", "lif2"]
    values = sum(t.numel() for t in network().state_dict().values() if t.is_floating_point())
    assert int(m.metadata["provenance"]["float32_values"]) == values


@pytest.mark.parametrize("state", ["i8", "i16", "i32"])
@pytest.mark.parametrize("profile", ["W", "U"])
def test_the_engine_agrees_with_the_integer_reference(state, profile):
    m = snncore.from_torch(network(), torch.zeros(1, 3, 8, 8), state=state, profile=profile)
    report = snncore.verify(m, None, images())
    assert report.equal, str(report)


@pytest.mark.parametrize("seed", range(3))
def test_a_quantised_network_fires_almost_as_its_float_twin(seed):
    net = network(seed)
    m = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    assert share_of_equal_spikes(m, net, images(seed=seed)) > 0.99


def test_a_float_network_fires_as_in_torch():
    net = network(first=None, hidden=None, last=None)
    m = snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    assert m.inputs[0].dtype == "f32" and m.inputs[0].zero_point == (125, 123, 114)
    assert share_of_equal_spikes(m, net, images()) > 0.998


def test_training_mode_is_left_as_it_was():
    net = network().train()
    net.layers[1].eval()
    snncore.from_torch(net, torch.zeros(1, 3, 8, 8))
    assert net.training and net.layers[0].training and not net.layers[1].training


def test_a_sequential_of_vectors_and_spikes():
    torch.manual_seed(1)
    quantizer = WeightQuantizer("rescaw", 2)
    net = nn.Sequential(
        Linear(70, 33, quantizer=quantizer), LIF(decay=0.75), Linear(33, 5, quantizer=quantizer)
    )
    m = snncore.from_torch(net, torch.zeros(4, 1, 70, dtype=torch.bool))
    assert m.inputs[0].dtype == "b1" and m.inputs[0].layout == "TNC" and m.timesteps == 4
    x = np.random.default_rng(0).random((4, 3, 70)) < 0.4
    assert snncore.verify(m, None, x).equal


class Residual(nn.Module):
    """A block with a shortcut, for a whole sequence [T, N, C, H, W]."""

    def __init__(self):
        super().__init__()
        self.stem, self.n1, self.lif1 = (
            Conv2d(3, 6, 3, padding=1, quantizer=SYMMETRIC),
            nn.BatchNorm2d(6),
            LIF(),
        )
        self.conv, self.n2, self.lif2 = (
            Conv2d(6, 6, 3, padding="same", quantizer=RESCAW),
            nn.BatchNorm2d(6),
            LIF(),
        )
        self.head = Linear(6, 4, quantizer=SYMMETRIC)

    def forward(self, x):
        steps = x.shape[0]
        y = self.lif1(self.n1(self.stem(x.flatten(0, 1))).unflatten(0, (steps, -1)))
        z = self.lif2(self.n2(self.conv(y.flatten(0, 1))).unflatten(0, (steps, -1))) + y
        return self.head(z.mean((3, 4))).mean(0)


def test_a_module_with_a_shortcut():
    torch.manual_seed(0)
    net = Residual().eval()
    m = snncore.from_torch(net, torch.zeros(2, 1, 3, 8, 8), preprocess=PIXELS)
    assert m.inputs[0].layout == "TNCHW" and m.timesteps == 2
    names = [row["name"] for row in nodes(m) if row["op"] == "lif"]
    assert names == ["lif1", "lif2"]
    x = images(6).reshape(2, 3, 3, 8, 8)
    assert snncore.verify(m, None, x).equal
    report = snncore.verify(m, net, x)
    assert report.samples == 3 and report.layers == ("lif1", "lif2") and report.max_abs_difference < 1


class Asks(nn.Module):
    """A forward that asks for shapes, and makes tokens of an image and an image of tokens."""

    def __init__(self):
        super().__init__()
        self.conv, self.lif1 = nn.Conv2d(2, 6, 3, padding=1), LIF()
        self.mix, self.norm, self.lif2 = nn.Conv1d(6, 4, 1), nn.BatchNorm1d(4), LIF()
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        if x.ndim != 5 or len(x) != x.size(0):
            raise ValueError(f"expected [T, N, C, H, W], received {x.shape}")
        T, N, C, H, W = x.shape
        y = self.conv(x.reshape(T * N, C, H, W))
        y = self.lif1(y.view(T, N, *y.shape[1:])).flatten(-2)
        z = self.lif2(self.norm(self.mix(y.flatten(0, 1))).unflatten(0, (T, N)))
        assert z.shape == (T, N, 4, H * W) and z.dim() == 4 and z.dtype == x.dtype
        return self.head(z.reshape(T, N, 4, H, W).flatten(3).mean(-1)).mean(0)


def test_a_forward_may_ask_for_shapes():
    torch.manual_seed(0)
    net = Asks().eval()
    x = np.random.default_rng(0).random((3, 2, 2, 5, 4)).astype(np.float32) * 2
    m = snncore.from_torch(net, torch.zeros(3, 1, 2, 5, 4))
    report = snncore.verify(m, net, x)
    assert report.layers == ("lif1", "lif2")
    assert report.different_spikes == 0 and report.max_abs_difference < 1e-5
    with pytest.raises(ValueError, match=r"does not run on an example of shape \[1, 2, 3, 5, 4\]"):
        snncore.from_torch(net, torch.zeros(1, 2, 3, 5, 4))
    with pytest.raises(snncore.Error, match=r"torch.fx cannot trace Asks: expected \[T, N, C, H, W\]"):
        snncore.from_torch(net, torch.zeros(2, 2, 5, 4), timesteps=2)


def test_tensors_that_a_forward_makes_are_not_left_behind():
    class Makes(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc, self.lif = nn.Linear(4, 3), LIF()

        def forward(self, x):
            return self.lif(self.fc(x) + torch.zeros(*x.shape[:2], 3))

    net = Makes().eval()
    with pytest.raises(snncore.Error, match="only the sum of two different values"):
        snncore.from_torch(net, torch.zeros(2, 1, 4))
    assert vars(net).keys() == vars(Makes()).keys()


class TwoInputs(nn.Module):
    def forward(self, x, state=None):
        return x


def test_several_inputs_are_refused():
    with pytest.raises(snncore.Error, match="a module with several inputs is not supported"):
        snncore.from_torch(TwoInputs(), torch.zeros(2, 1, 4))


def test_only_linear_layers_follow_a_mean_over_time():
    class Ends(nn.Module):
        def __init__(self, more):
            super().__init__()
            self.lif, self.head, self.more = LIF(), nn.Linear(4, 3), more

        def forward(self, x):
            return self.more(self.head(self.lif(x).mean(0)))

    x = np.random.default_rng(0).random((4, 3, 4)).astype(np.float32) * 2
    net = Ends(nn.Linear(3, 2)).eval()
    m = snncore.from_torch(net, torch.zeros(4, 1, 4))
    assert [layer.op for layer in m.layers] == ["lif", "readout", "linear", "linear"]
    with torch.no_grad():
        np.testing.assert_allclose(m.run(x), net(torch.from_numpy(x)).numpy(), atol=1e-6)
    with pytest.raises(snncore.Error, match=r"more \(LIF\): reads a mean or sum over time"):
        snncore.from_torch(Ends(LIF()), torch.zeros(4, 1, 4))


def test_everything_unsupported_is_named_at_once():
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding_mode="reflect"),
        nn.ReLU(),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.Flatten(),
        nn.Linear(64, 2),
    )
    with pytest.raises(snncore.Error) as caught:
        snncore.from_torch(net, torch.zeros(1, 3, 9, 9), timesteps=2)
    for part in ("0 (Conv2d): padding_mode", "1 (ReLU)", "2 (AvgPool2d): ceil_mode"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (nn.MaxPool2d(2, dilation=2), "dilation"),
        (nn.AvgPool2d(3, padding=1, count_include_pad=False), "count_include_pad"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override"),
        (nn.AdaptiveAvgPool2d(3), "divide evenly"),
        (nn.BatchNorm2d(4, track_running_stats=False), "running statistics"),
        (nn.Linear(8, 8), "flatten"),
        (nn.Unflatten(1, (2, 2)), "only flattening a whole image"),
    ],
)
def test_conditions_of_single_layers(layer, why):
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), LIF(), layer)
    with pytest.raises(snncore.Error, match=why):
        snncore.from_torch(net, torch.zeros(1, 3, 8, 8), timesteps=2)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="expected a torch module"):
        snncore.from_torch("net", torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="does not run on an example of shape"):
        snncore.from_torch(network(), torch.zeros(1, 4, 8, 8))
    with pytest.raises(ValueError, match="timesteps is not given"):
        snncore.from_torch(nn.Sequential(nn.Conv2d(3, 4, 1), LIF()), torch.zeros(1, 3, 8, 8))
    with pytest.raises(ValueError, match="quantised weights and reads real values"):
        snncore.from_torch(network(preprocess=None), torch.zeros(1, 3, 8, 8))
    repeated = LIF()
    looped = nn.Sequential(nn.Conv2d(3, 3, 1), repeated, nn.Conv2d(3, 3, 1), repeated)
    with pytest.raises(snncore.Error, match="called more than once"):
        snncore.from_torch(looped, torch.zeros(1, 3, 8, 8), timesteps=2)


class Given(nn.Module):
    """A layer and a neuron, put together by a test."""

    def __init__(self, forward):
        super().__init__()
        self.fc, self.bn, self.lif = nn.Linear(6, 6), nn.BatchNorm1d(6), LIF()
        self.put = forward

    def forward(self, x):
        return self.put(self, x)


def test_time_and_samples_may_be_joined_between_neurons():
    x = torch.rand(4, 3, 6)
    net = Given(lambda n, x: n.lif(n.bn(n.fc(x.flatten(0, 1))).view(4, 3, 6))).eval()
    model = snncore.from_torch(net, x, readout=None)
    np.testing.assert_array_equal(model.run(x.numpy(), layout="TNC"), net(x).detach().numpy() > 0)


@pytest.mark.parametrize(
    ("forward", "why"),
    [
        (
            lambda n, x: n.lif(n.fc(x).flatten(0, 1)),
            r"reads \[12, 6\]: time and samples must be the first axes, \[4, 3\]",
        ),
        (lambda n, x: n.lif(n.fc(x).reshape(3, 4, 6)), r"reads \[3, 4, 6\]: time and samples"),
        (lambda n, x: n.lif(n.fc(x)).view(12, 1, 6), r"is \[12, 1, 6\]: expected \[4, 3\] as its first axes"),
        (lambda n, x: n.lif(n.fc(x)).flatten(0, 1).mean(0), r"mean over the axes \[0\] of \[12, 6\]"),
        (lambda n, x: n.lif(n.bn(n.fc(x))), "normalises the samples"),
        (lambda n, x: n.lif(n.fc(nn.functional.dropout(x))), "drops values in evaluation, too"),
    ],
)
def test_time_and_samples_are_followed(forward, why):
    samples = 6 if "normalises" in why else 3  # else torch would refuse it, too
    with pytest.raises(snncore.Error, match=f"from_torch: .*{why}"):
        snncore.from_torch(Given(forward).eval(), torch.rand(4, samples, 6))


def shortcut(net, x):
    y = net.lif(net.fc(x))
    y += x
    return net.lif2(net.fc2(y))


def stale(net, x):
    y = first = net.lif(net.fc(x))
    y += x
    return net.lif2(net.fc2(y + first))


def stale_view(net, x):
    y = net.lif(net.fc(x))
    net.flat(y).add_(1)
    return net.lif2(net.fc2(y))


def stale_result(net, x):
    y = first = net.lif(net.fc(x))
    y += x
    return first


class Shortcut(Given):
    def __init__(self, forward):
        super().__init__(forward)
        self.fc2, self.lif2, self.flat = nn.Linear(6, 6), LIF(), nn.Flatten(0, 1)


def test_a_sum_may_be_made_in_place():
    x = (torch.rand(4, 3, 6) > 0.5).float()
    net = Shortcut(shortcut).eval()
    model = snncore.from_torch(net, x > 0, readout=None)
    np.testing.assert_array_equal(model.run(x.numpy() > 0, layout="TNC"), net(x).detach().numpy() > 0)


@pytest.mark.parametrize("forward", [stale, stale_view, stale_result])
def test_what_was_changed_in_place_is_not_read_under_its_old_name(forward):
    with pytest.raises(snncore.Error, match=r"from_torch: 'lif' is read after it was changed in place"):
        snncore.from_torch(Shortcut(forward).eval(), torch.zeros(4, 3, 6))


def in_place(_, __, given):
    given.mul_(2)


def test_hooks_may_look_on_and_change_nothing():
    net = Given(lambda n, x: n.lif(n.fc(x))).eval()
    seen = []
    hooks = [
        net.fc.register_forward_pre_hook(lambda *_: seen.append("before")),
        net.lif.register_forward_hook(lambda *_: seen.append("after")),
    ]
    assert len(snncore.from_torch(net, torch.zeros(4, 3, 6)).layers) == 2
    assert seen == ["before", "after"]
    for hook in hooks:
        hook.remove()
    for register, change in (
        (net.fc.register_forward_hook, lambda _, __, given: given * 2),
        (net.fc.register_forward_hook, in_place),
        (net.fc.register_forward_pre_hook, lambda _, taken: (taken[0] * 2,)),
    ):
        hook = register(change)
        with pytest.raises(snncore.Error, match="from_torch: a hook of 'fc' changes what it takes or gives"):
            snncore.from_torch(net, torch.zeros(4, 3, 6))
        hook.remove()
        assert not net.fc._forward_hooks and not net.fc._forward_pre_hooks
    hook = net.register_forward_hook(lambda _, __, given: given * 2)
    with pytest.raises(snncore.Error, match="from_torch: Given has hooks of its own"):
        snncore.from_torch(net, torch.zeros(4, 3, 6))
    hook.remove()
    assert len(snncore.from_torch(net, torch.zeros(4, 3, 6)).layers) == 2
