"""The saccadic neuron: joint, decoupled, dense, step by step, and what a run of fewer steps sees."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from snncore.reference import LIF, Attention, Saccade, decoupled_threshold, fixations, flip_rate  # noqa: E402
from snncore.reference.saccades import JOINT, MODES, WITH_KEYS, mixed  # noqa: E402
from snncore.reference.skips import skipping  # noqa: E402

quick = settings(max_examples=40, deadline=None)


@st.composite
def counts(draw, steps=None):
    """Queries and keys of random bits [T, head, token, d], their counts, and a matrix with thresholds."""
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    steps = draw(st.integers(1, 5)) if steps is None else steps
    heads, tokens, d = draw(st.integers(1, 3)), draw(st.integers(1, 20)), draw(st.integers(1, 70))
    rate = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    bits = torch.rand(2, steps, heads, tokens, d, generator=rng) < rate
    mix = torch.tril(torch.randn(steps, steps, generator=rng, dtype=torch.float64))
    mix.diagonal().abs_().add_(0.1)
    threshold = torch.rand(steps, generator=rng, dtype=torch.float64) * d * tokens * d * max(rate, 0.1)
    return bits[0].long(), bits[1].long(), mix, threshold


def counted(q, k):
    """Counts q [T, N = 1, head, token, 1] and k [T, 1, head, 1, 1], as `Saccade` takes them."""
    return q.sum(-1)[:, None, ..., None], k.sum((-1, -2))[:, None, :, None, None]


@quick
@given(counts())
def test_rank_one_map_and_its_row_sums_are_products_of_counts(case):
    q, k, _, _ = case
    explicit = torch.einsum("thnc,thmd->thnm", q, k)  # q'[n] k'[m], N x N
    assert torch.equal(explicit, q.sum(-1)[..., :, None] * k.sum(-1)[..., None, :])
    ours, keys = counted(q, k)
    assert torch.equal(explicit.sum(-1), (ours * keys)[:, 0, ..., 0])


@quick
@given(counts())
def test_dense_form_decides_as_the_reassociated_one(case):
    """Integer matrices, so that both orders of the products are exact in float64."""
    q, k, mix, threshold = case
    mix, threshold = (mix * 8).round(), threshold.round()
    ours, keys = counted(q, k)
    salience = torch.einsum("thnc,thmd->thnm", q, k).sum(-1).double()[:, None, ..., None]
    dense = (torch.einsum("tj,jxhny->txhny", mix, salience) >= threshold.view(-1, 1, 1, 1, 1)).double()
    assert torch.equal(fixations(ours, "v1_joint", mix, threshold, keys), dense)


@quick
@given(counts(), st.sampled_from(MODES))
def test_step_by_step_and_leading_block(case, mode):
    q, k, mix, threshold = case
    ours, keys = counted(q, k)
    whole = fixations(ours, mix=mix, mode=mode, threshold=threshold, keys=keys)
    for t in range(len(q)):
        until = fixations(ours[: t + 1], mode, mix[: t + 1, : t + 1], threshold[: t + 1], keys[: t + 1])
        assert torch.equal(until, whole[: t + 1])
        assert torch.equal(fixations(ours[: t + 1], mode, mix, threshold, keys[: t + 1]), until)
        if mode == "v1_joint":  # what a stream does: the past is kept, the present is added last
            h = torch.zeros(ours.shape[1:], dtype=torch.float64)
            for j in range(t + 1):
                h = h + (mix[t, j] * keys[j].double()) * ours[j].double()
            assert torch.equal((h >= threshold[t]).double(), whole[t])


@quick
@given(counts())
def test_diagonal_matrices_decouple(case):
    """A diagonal of powers of two, so that dividing by it rounds nothing."""
    q, k, mix, threshold = case
    mix = torch.diag(torch.exp2(torch.arange(len(mix)).double() - 2))
    w = decoupled_threshold(mix, threshold)
    ours, keys = counted(q, k)
    static = fixations(ours, "v2_joint_static", mix, threshold)
    assert torch.equal(static, fixations(ours, "v2_dec_static", mix, w))
    dynamic = fixations(ours, "v1_joint", mix, threshold, keys)
    assert torch.equal(dynamic, fixations(ours, "v2_dec_dynamic", mix, w, keys))


@quick
@given(counts())
def test_decoupled_threshold_solves(case):
    _, _, mix, threshold = case
    torch.testing.assert_close(mix @ decoupled_threshold(mix, threshold), threshold)


def test_counterexample_of_two_steps():
    mix, threshold = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.ones(2)
    silence = torch.zeros(2, 1, 1, 1, 1)
    w = decoupled_threshold(mix, threshold)
    assert w.tolist() == [1.0, 0.0]
    assert fixations(silence, "v2_joint_static", mix, threshold).flatten().tolist() == [0, 0]
    assert fixations(silence, "v2_dec_static", mix, w).flatten().tolist() == [0, 1]
    neuron = Saccade(2, 1)
    with torch.no_grad():
        neuron.below[1, 0] = 1.0
        neuron.threshold.fill_(4.0)  # 1 in raw counts: a channel at a rate of 1/4 counts 1/4
    assert flip_rate(neuron, silence) == 0.5


def test_ties_fire():
    q = torch.full((1, 1, 1, 1, 1), 3.0)
    mix = torch.tensor([[1.5]], dtype=torch.float64)
    for threshold, fires in ((4.5, 1.0), (4.5 + 1e-15, 0.0)):
        at = torch.tensor([threshold], dtype=torch.float64)
        assert fixations(q, "v2_joint_static", mix, at).item() == fires


def test_largest_counts_are_exact():
    """512 channels and 196 tokens that all fire: the sum passes 2^24 and stays a whole number."""
    d, n = 512, 196
    q, keys = torch.full((1, 1, 1, 14, 14), float(d)), torch.full((1, 1, 1, 1, 1), float(d * n))
    one = torch.ones(1, 1, dtype=torch.float64)
    h = mixed(q, one, keys.double())
    assert h.unique().item() == d * n * d > 2**24
    assert fixations(q, "v1_joint", one, h[0, 0, 0, 0, 0].reshape(1), keys).all()
    assert not fixations(q, "v1_joint", one, h[0, 0, 0, 0, 0].reshape(1) + 1, keys).any()


@pytest.mark.parametrize("mode", MODES)
def test_gradients_and_steps(mode):
    neuron = Saccade(4, 6, mode=mode)
    rng = torch.Generator().manual_seed(3)
    q = torch.randint(0, 7, (3, 2, 2, 3, 3), generator=rng).float().requires_grad_()
    k = torch.randint(1, 40, (3, 2, 2, 1, 1), generator=rng).float().requires_grad_()
    given = (q, k) if mode in WITH_KEYS else (q,)
    spikes = neuron(*given)
    assert spikes.dtype == torch.float32 and set(spikes.unique().tolist()) <= {0.0, 1.0}
    spikes.sum().backward()
    for value in (*given, neuron.below, neuron.diagonal, neuron.threshold):
        assert value.grad is not None and value.grad.isfinite().all() and value.grad.abs().sum() > 0
    assert neuron.below.grad.triu().abs().sum() == 0
    mix, threshold = neuron.tables(9)
    again = fixations(q, mode, mix, threshold, k if mode in WITH_KEYS else None)
    assert torch.equal(again.float(), spikes)
    if mode not in JOINT:
        raw = neuron.threshold.double() * neuron.unit(9)
        torch.testing.assert_close(threshold, decoupled_threshold(mix.detach(), raw.detach()))
    with pytest.raises(ValueError, match="knows 4 steps, got 5"):
        neuron(torch.zeros(5, 1, 2, 3, 3), torch.zeros(5, 1, 2, 1, 1))


@pytest.mark.parametrize(
    ("mix", "why"),
    [
        ([[1.0, 0.5], [0.0, 1.0]], "lower triangular"),
        ([[1.0, 0.0], [0.0, -1.0]], "must be positive"),
        ([[1.0]], "shape"),
    ],
)
def test_matrices_that_have_no_decoupled_form(mix, why):
    with pytest.raises(ValueError, match=why):
        decoupled_threshold(torch.tensor(mix), torch.ones(2))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("heads", [1, 3])
def test_skipping_equals_dense(mode, heads):
    """Dyadic parameters, so that no sum depends on its order."""
    rng = torch.Generator().manual_seed(heads)
    attention = Attention("saccadic", 12, heads=heads, mode=mode, timesteps=4, neuron=LIF, threshold=1.0)
    projection = torch.nn.Sequential(torch.nn.Conv2d(12, 12, 1, bias=False), torch.nn.BatchNorm2d(12))
    with torch.no_grad():
        for module in (*attention.modules(), *projection):
            if isinstance(module, torch.nn.Conv2d):
                module.weight.copy_(torch.randint(-8, 9, module.weight.shape, generator=rng) / 8)
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eps = 0.0
                module.running_var.fill_(0.25)
                module.bias.copy_(torch.randint(-4, 5, (12,), generator=rng) / 8)
    attention.eval(), projection.eval()
    x = (torch.rand(4, 3, 12, 5, 3, generator=rng) < 0.4).float()
    net = torch.nn.Sequential(attention, *projection)
    from snncore.reference import Network

    run = Network(net, timesteps=4).eval().unroll(x)
    gate = run.spikes["0.gate"]
    assert 0.02 < gate.mean() < 0.98, gate.mean()
    assert torch.equal(skipping(attention, projection, x), run.outputs)


def test_static_gate_has_no_keys():
    """With static gates the row of keys does not exist, so it cannot matter."""
    static = Attention("saccadic", 8, mode="v2_joint_static")
    assert not hasattr(static, "k") and hasattr(Attention("saccadic", 8, mode="v1_joint"), "k")
