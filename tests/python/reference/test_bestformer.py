"""BESTformer: signs, maps, neurons, loss and sizes of its specification."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from snncore.compress import model_size  # noqa: E402
from snncore.reference import (  # noqa: E402
    LIF,
    Attention,
    BinaryQuantizer,
    CieLoss,
    Conv2d,
    MapProduct,
    MapScores,
    Network,
    StepGain,
    binary,
    binary_codes,
    cie_loss,
    map_neuron,
    weights_at_mean,
)
from snncore.reference.maps import VARIANTS, fired_maps  # noqa: E402
from snncore.reference.networks import IMAGENET_POOLS, bestformer, bestformer_scheme  # noqa: E402

quick = settings(max_examples=40, deadline=None)
SIGNS = BinaryQuantizer(scale="one", gradient="identity")


@quick
@given(st.integers(1, 5), st.integers(2, 40), st.floats(-3, 3), st.integers(0, 2**31))
def test_signs_are_those_of_weights_above_the_mean(rows, columns, mean, seed):
    torch.manual_seed(seed)
    w = torch.randn(rows, columns) * 0.1 + mean
    above = w.double() - w.double().mean(1, keepdim=True)
    signs = SIGNS(w)
    clear = above.abs() > 1e-5  # nearer, the rounding of the float32 mean decides
    assert torch.equal(signs[clear], torch.where(above >= 0, 1.0, -1.0)[clear])
    codes, scale = SIGNS.codes(w)
    assert torch.equal(signs, 2.0 * codes + 1) and scale.unique().tolist() == [1.0]


def test_a_weight_at_the_mean_is_plus_one_and_counted():
    conv = Conv2d(3, 2, 1, bias=False, quantizer=SIGNS)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 6.0]]).view(2, 3, 1, 1))
    assert SIGNS(conv.weight).flatten(1).tolist() == [[-1, 1, 1], [-1, -1, 1]]
    assert weights_at_mean(torch.nn.ModuleDict({"a": conv})) == {"a": 1}
    assert weights_at_mean(bestformer("1-16", heads=2)) == {}


def test_the_gradient_is_the_identity_through_the_standardisation():
    torch.manual_seed(1)
    w = (torch.randn(3, 5, 3, 3) * 0.2 + 0.1).requires_grad_()
    grad = torch.randn(3, 5, 3, 3)
    (ours,) = torch.autograd.grad(SIGNS(w), w, grad)
    rows = w.flatten(1)
    centred = rows - rows.mean(1, keepdim=True)
    (theirs,) = torch.autograd.grad((centred / centred.std(1, keepdim=True)).view_as(w), w, grad)
    torch.testing.assert_close(ours, theirs)
    assert not torch.equal(ours, torch.autograd.grad(binary(w, scale="one"), w, grad)[0])


@quick
@given(
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from([1, 3]),
    st.integers(0, 2**31),
)
def test_a_binary_convolution_counts_twice_the_common_bits_less_the_spikes(
    c_out, c_in, height, width, kernel, seed
):
    """``2 popcount(s AND w) - popcount(s)`` of every window; padding adds 0 to both."""
    torch.manual_seed(seed)
    conv = Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False, quantizer=SIGNS)
    if c_in * kernel == 1:
        return  # a single weight has no standard deviation
    s = (torch.rand(2, c_in, height, width) < 0.4).float()
    windows = torch.nn.functional.unfold(s, kernel, padding=kernel // 2).long()  # [N, fan-in, pixel]
    bits = (binary_codes(conv.weight)[0] == 0).flatten(1).long()
    counts = 2 * torch.einsum("of,nfp->nop", bits, windows) - windows.sum(1, keepdim=True)
    assert torch.equal(conv(s).flatten(2).long(), counts)


@pytest.mark.parametrize(
    ("reset", "currents", "spikes"),
    [
        ("zero", [2, 2, 2, 2], [1, 1, 1, 1]),  # h = 1 fires
        ("zero", [4 / 3] * 4, [0, 1, 0, 1]),
        ("zero", [1.99, 0.01, 2, 0], [0, 0, 1, 0]),
        ("zero", [8, 0, 0, 0], [1, 0, 0, 0]),
        ("subtract", [8, 0, 0, 0], [1, 1, 0, 0]),  # 4 - 1, 1.5 - 1, 0.25
        ("subtract", [2, 2, 2, 2], [1, 1, 1, 1]),
        ("subtract", [1, 1, 1, 1], [0, 0, 0, 0]),
        ("subtract", [3, 1, 0, 0], [1, 0, 0, 0]),
    ],
)
def test_neurons_by_hand(reset, currents, spikes):
    lif = LIF(decay=0.5, input_gain=0.5, threshold=1.0, reset=reset)
    x = torch.tensor(currents, dtype=torch.float64)[:, None]
    assert lif(x).flatten().tolist() == spikes


def test_the_first_spikes_of_a_constant_current_follow_a_table():
    """Four comparisons stand for four steps, with the exact arithmetic of float64 on 48ths."""
    lif = LIF(decay=0.5, input_gain=0.5, threshold=1.0)
    x = torch.arange(-96, 200, dtype=torch.float64) / 48
    table = {(1, 1, 1, 1): x >= 2, (0, 1, 0, 1): (x >= 4 / 3) & (x < 2)}
    table[0, 0, 1, 0] = (x >= 8 / 7) & (x < 4 / 3)
    table[0, 0, 0, 1] = (x >= 16 / 15) & (x < 8 / 7)
    table[0, 0, 0, 0] = x < 16 / 15
    spikes = lif(x.expand(4, -1)).T.tolist()
    for pattern, where in table.items():
        assert where.any()
        assert all(spikes[i] == list(pattern) for i in torch.nonzero(where).flatten())


@quick
@given(st.integers(1, 16), st.integers(1, 196), st.integers(0, 2**31))
def test_the_neuron_of_the_map_is_the_integer_one(steps, most, seed):
    torch.manual_seed(seed)
    scores = torch.randint(0, most + 1, (steps, 3, 50))
    scores[:, :, 0] = 1  # never reaches
    scores[:, :, 1] = 2  # reaches exactly, always
    maps = fired_maps(scores)
    assert torch.equal(map_neuron()(scores.float()).long(), maps)
    assert not maps[:, :, 0].any() and maps[:, :, 1].all()
    stateless = LIF(decay=0.0, threshold=2.0)(scores.float())
    assert torch.equal(stateless.long(), (scores >= 2).long())


def test_the_map_remembers_large_scores():
    assert fired_maps(torch.tensor([[8], [0], [0], [0]])).flatten().tolist() == [1, 1, 0, 0]
    with pytest.raises(ValueError, match="counts in integers, received"):
        fired_maps(torch.zeros(1, 1))


@quick
@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**31))
def test_maps_of_random_bits(heads, d, height, width, seed):
    torch.manual_seed(seed)
    q, k, v = (torch.rand(3, 2, heads * d, height, width) < 0.6).float()
    cut = [s.view(2, heads, d, height * width) for s in (q, k, v)]
    scores = {
        "qk": torch.einsum("bhcn,bhcm->bhnm", *cut[:2]),
        "kv": torch.einsum("bhin,bhjn->bhij", *cut[1:]),
    }
    assert torch.equal(MapScores("qk", heads)(q, k), scores["qk"])
    assert torch.equal(MapScores("kv", heads)(k, v), scores["kv"])
    maps = {variant: fired_maps(s[None].long())[0].float() for variant, s in scores.items()}
    sums = torch.einsum("bhnm,bhcm->bhcn", maps["qk"], cut[2]).reshape(q.shape)
    assert torch.equal(MapProduct("qk", heads)(maps["qk"], v), sums)
    sums = torch.einsum("bhij,bhin->bhjn", maps["kv"], cut[0]).reshape(q.shape)
    assert torch.equal(MapProduct("kv", heads)(maps["kv"], q), sums)


def test_the_variants_are_different_functions():
    torch.manual_seed(0)
    x = (torch.rand(3, 2, 8, 4, 4) < 0.7).float()
    kinds = ("map_qk", "map_kv", "ssa")
    made = {kind: Attention(kind, 8, heads=2, scale=0.25, timesteps=3).eval() for kind in kinds}
    for attention in made.values():
        attention.load_state_dict(made["map_qk"].state_dict(), strict=False)
        for row in "qkv":
            torch.nn.init.constant_(attention.get_submodule(row).bn.bias, 1.0)
    runs = [Network(torch.nn.Sequential(a), timesteps=3).unroll(x).outputs for a in made.values()]
    assert all(0 < y.mean() < 1 for y in runs)
    assert not any(torch.equal(runs[i], runs[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


@quick
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**31))
def test_every_step_and_head_has_its_factor(steps, heads, d, seed):
    torch.manual_seed(seed)
    gain = StepGain(4, heads)
    torch.nn.init.normal_(gain.gain)
    x = torch.randn(steps, 2, heads * d, 3, 2)
    y = x.unflatten(2, (heads, d)) * gain.gain[:steps].view(steps, 1, heads, 1, 1, 1)
    assert torch.equal(gain(x), y.flatten(2, 3))
    with pytest.raises(ValueError, match="knows 4 steps, got 5"):
        gain(torch.zeros(5, 1, heads, 1, 1))


def logits():
    torch.manual_seed(0)
    return torch.randn(6, 4), torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1]), torch.randn(6, 4) * 2


def test_cie_gives_each_head_its_master():
    first, second, labels, teacher = logits()
    ce = torch.nn.functional.cross_entropy
    hard = cie_loss((first, second), labels, teacher, alpha=0.3, label_smoothing=0.1)
    expected = 0.7 * ce(first, labels, label_smoothing=0.1) + 0.3 * ce(second, teacher.argmax(1))
    torch.testing.assert_close(hard, expected)
    tau = 2.5
    p, q = (x / tau for x in (teacher, second))
    divergence = (p.softmax(1) * (p.log_softmax(1) - q.log_softmax(1))).sum()
    soft = cie_loss((first, second), labels, teacher, distillation="soft", tau=tau)
    torch.testing.assert_close(soft, 0.5 * ce(first, labels) + 0.5 * tau**2 * divergence / 24)
    plain = cie_loss((first, second), labels, None)
    torch.testing.assert_close(plain, (ce(first, labels) + ce(second, labels)) / 2)
    shares = torch.nn.functional.one_hot(labels, 4).float()
    torch.testing.assert_close(cie_loss((first, second), shares, None), plain)


def test_any_module_teaches_and_stays_as_it_is():
    torch.manual_seed(0)
    net = bestformer("1-16", 4, heads=2, timesteps=2, scheme=bestformer_scheme(1, neuron=LIF()))
    teacher = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 4)).eval()
    x, labels = torch.randn(3, 3, 32, 32), torch.tensor([0, 1, 2])
    loss = CieLoss(teacher, "soft")(net, x, labels)
    loss.backward()
    assert teacher[1].weight.grad is None
    heads = net.layers.blocks.heads
    assert all(head.fc.weight.grad.abs().sum() > 0 for head in heads.values())
    with pytest.raises(ValueError, match="call its eval"):
        CieLoss(teacher.train())(net, x, labels)
    with pytest.raises(ValueError, match="two heads, got 0"):
        CieLoss(None)(Network(torch.nn.Sequential(torch.nn.Flatten()), timesteps=1), x, labels)


@pytest.mark.parametrize("kind", ["map_qk", "map_kv", "saccadic"])
@pytest.mark.parametrize("bits", [1, 32])
def test_small_networks_learn(kind, bits):
    torch.manual_seed(0)
    scheme = bestformer_scheme(bits, neuron=LIF())
    net = bestformer("2-32", 5, kind=kind, heads=2, scale=1.0, timesteps=2, scheme=scheme)
    net(torch.randn(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    moved = [bool(p.grad.abs().sum() > 0) for n, p in net.named_parameters() if "conv" in n or "fc" in n]
    assert all(moved)


@pytest.mark.parametrize(
    ("options", "parameters", "bits", "image"),
    [
        ({"size": "4-384"}, 9_314_884, 9_275_904, 32),
        ({"size": "4-384", "classes": 100}, 9_384_184, 9_275_904, 32),
        (
            {"size": "8-512", "classes": 1000, "kind": "map_kv", "pools": IMAGENET_POOLS},
            30_178_064,
            29_073_408,
            224,
        ),
    ],
    ids=["cifar10", "cifar100", "imagenet"],
)
def test_published_parameters(options, parameters, bits, image):
    with torch.device("meta"):
        net = bestformer(**options)
        run = net.eval().unroll(torch.randn(1, 3, image, image))
    size = model_size(net)
    assert size.parameters == parameters and size.weights_of(1) == bits
    assert run.outputs.shape == (4, 1, options.get("classes", 10))
    assert run.spikes["blocks.rows.attention1.lif"].shape[-1] == (8 if image == 32 else 14)


def test_the_twin_has_no_codes_and_takes_a_trained_network_over():
    torch.manual_seed(0)
    parent = bestformer("1-16", heads=2, timesteps=2, scheme=bestformer_scheme(32))
    assert not any(getattr(m, "quantizer", None) for m in parent.modules())
    coded = bestformer_scheme(1, ends="int8").applied(parent)
    layers = {n: m.quantizer.bits for n, m in coded.named_modules() if getattr(m, "quantizer", None)}
    assert {n for n, bits in layers.items() if bits == 8} == {
        "layers.conv1",
        "layers.blocks.heads.attention.fc",
        "layers.blocks.heads.mlp.fc",
    }
    assert sum(bits == 1 for bits in layers.values()) == 4 + 6
    attention = coded.layers.blocks.rows.attention1.attention
    assert attention.map.reset == "subtract" and attention.gate.threshold == 0.5


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: bestformer("1-12"), "multiple of 8 and pools 4, got 12 and 4"),
        (lambda: bestformer("1-16", pools=(True,)), "got 16 and 1"),
        (lambda: bestformer_scheme(2), "bits must be 1 or 32, got 2"),
        (lambda: bestformer_scheme(1, ends="int4"), "ends must be 'float' or 'int8'"),
        (lambda: BinaryQuantizer(scale="two"), "scale must be one of power_of_two, one"),
        (lambda: BinaryQuantizer(gradient="none"), "gradient must be one of tanh, identity"),
        (lambda: MapScores("vk"), f"variant must be one of {', '.join(VARIANTS)}"),
        (lambda: StepGain(0), "at least 1, got 0 and 1"),
        (
            lambda: cie_loss(logits()[:2], logits()[2], logits()[3][:, :2]),
            "logits .* of two heads and the teacher",
        ),
        (lambda: cie_loss(logits()[:2], logits()[2], None, distillation="warm"), "must be 'hard' or 'soft'"),
    ],
)
def test_refusals(make, why):
    with pytest.raises(ValueError, match=why):
        make()
