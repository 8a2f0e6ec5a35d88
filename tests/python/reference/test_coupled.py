"""Two coupled streams: the way there, the way back, and training that keeps little of what it computes."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from snncore.reference import LIF, Coupled, Head, Network  # noqa: E402
from snncore.reference.networks import bestformer, bestformer_scheme  # noqa: E402

FINE = bestformer_scheme(1, neuron=LIF(decay=0.5))


def small(blocks=2, **options):
    torch.manual_seed(0)
    options = {"heads": 2, "scale": 1.0, "timesteps": 2, "scheme": FINE} | options
    return bestformer(f"{blocks}-16", 5, **options)


def kept_bytes(net, x):
    """Bytes that a forward pass keeps for the backward pass, each storage once, parameters aside."""
    parameters = {p.untyped_storage().data_ptr() for p in net.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = (
                storage.nbytes(),
                tensor,
            )  # the tensor, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        net(x)
    return sum(size for size, _ in kept.values())


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["map_qk", "map_kv", "saccadic"]),
    st.integers(0, 2**31),
)
def test_a_block_goes_there_and_back_in_float64(steps, samples, side, kind, seed):
    torch.manual_seed(seed)
    blocks = small(kind=kind, timesteps=steps).double().eval().layers.blocks
    pair = torch.randn(2, steps, samples, 16, side, side + 1, dtype=torch.float64) * 2
    for number in "12":
        names = [f"attention{number}", f"mlp{number}"]
        there = blocks.streams(*pair, rows=names)
        back = blocks.inverse(*there, rows=names)
        assert not torch.equal(there[0], pair[0])
        for ours, given_ in zip(back, pair, strict=True):
            torch.testing.assert_close(ours, given_, atol=1e-12, rtol=0)


def test_each_step_back_doubles_the_error_at_most():
    net = small(4, timesteps=3).double().eval()
    x = torch.randn(3, 2, 16, 4, 4, dtype=torch.float64)
    back = net.layers.blocks.inverse(*net.layers.blocks.streams(x, x))
    for stream in back:
        assert (stream - x).abs().max() < 2**8 * 2**-52 * 64


def test_the_rules_by_hand():
    double = torch.nn.Sequential(torch.nn.AvgPool2d(1, divisor_override=1))  # the identity, as a layer
    x = torch.full((1, 1, 2, 2), 3.0)
    y = {}
    for rule in ("coupled", "residual"):
        rows = {"a": copy.deepcopy(double), "b": copy.deepcopy(double), "c": copy.deepcopy(double)}
        heads = {name: Head(torch.nn.Identity()) for name in "xy"}
        run = Network(torch.nn.Sequential(Coupled(rows, heads, rule=rule)), timesteps=1).unroll(x)
        y[rule] = [h.unique().item() for h in run.heads.values()]
        assert run.outputs.unique().item() == sum(y[rule]) / 2 and list(run.heads) == [
            "0.heads.x",
            "0.heads.y",
        ]
    # coupled: 3 + 3 = 6, then 6 + (3 + 6) / 2 = 10.5, then 10.5 + (6 + 10.5) / 2 = 18.75
    assert y == {"coupled": [10.5, 18.75], "residual": [12.0, 24.0]}


def test_the_network_is_its_streams():
    """`Network` folds time into the batch and calls the same rows."""
    net = small(timesteps=3).eval()
    x = torch.randn(3, 2, 3, 32, 32)
    run = net.unroll(x)
    tokens = torch.nn.Sequential(*list(net.layers.children())[:-1])
    begun = Network(tokens, timesteps=3).eval().unroll(x).outputs
    before, now = net.layers.blocks.streams(begun, begun)
    for stream, head in zip((before, now), net.layers.blocks.heads.values(), strict=True):
        answers = run.heads[f"blocks.heads.{'attention' if stream is before else 'mlp'}"]
        torch.testing.assert_close(head.fc(stream.mean((3, 4))), answers)
    torch.testing.assert_close(net(x), sum(h.mean(0) for h in run.heads.values()) / 2)


@pytest.mark.parametrize("kind", ["map_qk", "saccadic"])
def test_recomputed_gradients_are_those_of_kept_activations(kind):
    kept = small(kind=kind).train()
    again = small(kind=kind, recompute=True).train()
    again.load_state_dict(kept.state_dict())
    x, labels = torch.randn(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    for net in (kept, again):
        torch.nn.functional.cross_entropy(net(x), labels).backward()
    for (name, ours), theirs in zip(again.named_parameters(), kept.parameters(), strict=True):
        scale = theirs.grad.abs().max()
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5 * scale, rtol=1e-3, msg=name)
    for (name, ours), theirs in zip(again.named_buffers(), kept.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=name)  # batches are counted once
    with torch.no_grad():  # then nothing differs
        assert torch.equal(again.eval()(x), kept.eval()(x))


def test_recomputation_keeps_as_much_of_ten_blocks_as_of_two():
    x = torch.randn(2, 3, 32, 32)
    stored = {b: kept_bytes(small(b).train(), x) for b in (2, 10)}
    again = {b: kept_bytes(small(b, recompute=True).train(), x) for b in (2, 10)}
    assert again[10] == again[2] and stored[10] > 3 * stored[2]
    assert stored[10] > 4 * again[10]


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: small(rule="reversed"), "rule must be one of coupled, residual"),
        (lambda: small(rule="residual", recompute=True), "recompute needs the way back"),
        (lambda: Coupled({}, {}), "one row or more and two heads, got 0 and 0"),
        (
            lambda: small(rule="residual").layers.blocks.inverse(torch.zeros(1), torch.zeros(1)),
            "coupled in rule",
        ),
    ],
)
def test_refusals(make, why):
    with pytest.raises(ValueError, match=why):
        make()
