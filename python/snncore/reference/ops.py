"""The operations of a network, one function each: the definitions that the engine is compared with.

Arrays are ``[T, N, C, H, W]`` or ``[T, N, F]``: time, sample, channel or feature, row, column. Spikes,
counts, pixels (with their zero point taken off), sums and currents are int64; real values are float32.
Integers are exact. Real values are computed in the order that the loops are written in, one rounding for each
product and each sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Pair = Sequence[int]
"""Rows, columns."""

Padding = Sequence[int]
"""Top, bottom, left, right."""

_NO_PADDING = (0, 0, 0, 0)


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Padding = _NO_PADDING,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Tensor:
    """Convolve `x` with `weight` ``[C_out, C_in/groups, kh, kw]``; outside the image x is 0.

    ``y[c, i, j] = sum_{r, s, k} x[k, i*stride + r*dilation, j*stride + s*dilation] * weight[c, k, r, s]``

    where k counts the input channels of c's group. int64: exact. float32: starts from +0 and adds in the
    order kernel row r, kernel column s, input channel k, then the bias.
    """
    if x.dtype == torch.int64:
        if bias is not None:
            raise ValueError("an integer convolution has no bias; the requantisation adds it")
        return _integer_conv2d(x, weight, stride, padding, dilation, groups)
    frames = x.reshape(-1, groups, x.shape[2] // groups, *x.shape[3:])  # [T*N, group, channel, H, W]
    kernel = weight.reshape(groups, -1, *weight.shape[1:])  # [group, C_out/groups, C_in/groups, kh, kw]
    y = torch.zeros(1)
    for r, s, window in _windows(frames, (weight.shape[2], weight.shape[3]), stride, padding, dilation):
        for k in range(weight.shape[1]):
            product = window[:, :, k].unsqueeze(2) * kernel[:, :, k, r, s][:, :, None, None]
            y = y + product
    y = y.flatten(1, 2)
    if bias is not None:
        y = y + bias[:, None, None]
    return y.reshape(*x.shape[:2], *y.shape[1:])


def _integer_conv2d(
    x: Tensor, weight: Tensor, stride: Pair, padding: Padding, dilation: Pair, groups: int
) -> Tensor:
    """Float64 convolution of integers: every partial sum is an integer below 2^53, so none is rounded."""
    _check_exact(x, weight)
    top, bottom, left, right = padding
    frames = F.pad(x.flatten(0, 1).double(), (left, right, top, bottom))
    y = F.conv2d(frames, weight.double(), None, tuple(stride), 0, tuple(dilation), groups)
    return y.to(torch.int64).reshape(*x.shape[:2], *y.shape[1:])


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``y[c] = sum_k x[k] * weight[c, k]``, weight ``[C_out, F]``.

    int64: exact. float32: starts from +0, adds in the order of k, then the bias.
    """
    if x.dtype == torch.int64:
        if bias is not None:
            raise ValueError("an integer product has no bias; the requantisation or the readout adds it")
        _check_exact(x, weight)
        return (x.double() @ weight.double().T).to(torch.int64)
    y = torch.zeros(*x.shape[:2], weight.shape[0])
    for k in range(weight.shape[1]):
        product = x[:, :, k, None] * weight[:, k]
        y = y + product
    return y if bias is None else y + bias


def _check_exact(x: Tensor, weight: Tensor) -> None:
    largest = int(weight.abs().flatten(1).sum(1).max()) * int(x.abs().max()) if x.numel() else 0
    if largest >= 2**53:
        raise ValueError(f"sums may reach {largest}, past 2^53: float64 would round them")


def requant(
    sums: Sequence[tuple[Tensor, Tensor]],
    shortcuts: Sequence[tuple[Tensor, Tensor]],
    offset: Tensor,
    shift: Tensor,
) -> Tensor:
    """Turn sums into the current of an integer neuron, per channel, rounded once.

    ``I = ((sum_j A_j * M_j + C + h) >> n) + sum_j K_j * s_j``, with ``h = 2^(n-1)`` if n > 0, else 0.

    `sums` are pairs (A, M), `shortcuts` pairs (s, K) of spikes or counts; `offset` is C, `shift` n. M and C
    may have a row for each step, ``[T, C]``, of which a shorter run uses the first.
    """
    like = [*sums, *shortcuts][0][0]
    total = _along_channels(offset, like)
    for a, m in sums:
        total = total + a * _along_channels(m, a)
    n = _along_channels(shift, like)
    half = torch.where(n > 0, 1 << (n - 1).clamp(min=0), 0)
    current = (total + half) >> n
    for s, k in shortcuts:
        current = current + s * _along_channels(k, s)
    return current


def residual(
    streams: Sequence[Tensor],
    sums: Sequence[tuple[Tensor, Tensor]],
    shortcuts: Sequence[tuple[Tensor, Tensor]],
    offset: Tensor,
    shift: Tensor,
) -> tuple[Tensor, Tensor]:
    """Write to an int32 stream: the stream, and where one of the two saturated.

    ``saturate32(sum_j R_j + saturate32((sum_j A_j * M_j + C + h) >> n) + sum_j K_j * s_j)``; arguments are
    those of `requant`.
    """
    # Where nothing is weighed, something times 0 lends its shape.
    like = [*streams, *(s for s, _ in shortcuts)][:1]
    exact = requant(sums or [(x, torch.zeros_like(offset)) for x in like], [], offset, shift)
    written = saturate32(exact)
    total = written
    for s, k in shortcuts:
        total = total + s * _along_channels(k, s)
    for stream in streams:
        total = total + stream
    stream = saturate32(total)
    return stream, (exact != written) | (total != stream)


def saturate32(x: Tensor) -> Tensor:
    """Clamp to -2^31 .. 2^31 - 1."""
    return x.clamp(-(2**31), 2**31 - 1)


def _along_channels(values: Tensor, like: Tensor) -> Tensor:
    """Shape [C] so that it meets axis 2 of ``[T, N, C, ...]``; [T, C] meets axis 0, too."""
    if values.dim() == 1:
        return values.view(-1, *[1] * (like.dim() - 3))
    if len(values) < len(like):
        raise ValueError(f"there are factors for {len(values)} steps, got {len(like)}")
    rows = values[: len(like)]
    return rows.view(len(rows), 1, -1, *[1] * (like.dim() - 3))


def maxpool2d(x: Tensor, kernel: Pair, stride: Pair | None = None, padding: Padding = _NO_PADDING) -> Tensor:
    """Spikes: 1 where any spike lies in the window (an OR). Padding never fires.

    float32: the largest in the window, padding left out; of equal ones the first in the order row, column.
    """
    if x.dtype != torch.int64:
        return _largest(x, kernel, stride or kernel, padding)
    y = torch.zeros((), dtype=torch.int64)
    for _, _, window in _windows(x, kernel, stride or kernel, padding):
        y = y | window
    return y


def _largest(x: Tensor, kernel: Pair, stride: Pair, padding: Padding) -> Tensor:
    sides = zip(padding, (kernel[0], kernel[0], kernel[1], kernel[1]), strict=True)
    if any(pad >= side for pad, side in sides):
        raise ValueError(
            f"padding of real values must be smaller than the kernel {list(kernel)}, got {list(padding)}"
        )
    inside = torch.ones_like(x, dtype=torch.bool)
    windows = _windows(x, kernel, stride, padding), _windows(inside, kernel, stride, padding)
    y, known = torch.zeros(()), torch.zeros((), dtype=torch.bool)
    for (_, _, value), (_, _, there) in zip(*windows, strict=True):
        larger = ~(value <= y) & ~torch.isnan(y)
        y = torch.where(there & (~known | larger), value, y)
        known = known | there
    return y


def avgpool2d(x: Tensor, kernel: Pair, stride: Pair | None = None, padding: Padding = _NO_PADDING) -> Tensor:
    """int64: the sum over the window; the caller's unit is divided by its size. float32: the mean.

    The float32 sum runs from +0 in the order row, column, and is divided by ``float32(kh * kw)``. Padding
    counts as zeros.
    """
    y = torch.zeros((), dtype=x.dtype)
    for _, _, window in _windows(x, kernel, stride or kernel, padding):
        y = y + window
    if x.dtype != torch.int64:
        y = y / torch.tensor(float(kernel[0] * kernel[1]))
    return y


def _windows(
    frames: Tensor, kernel: Pair, stride: Pair, padding: Padding, dilation: Pair = (1, 1)
) -> Iterator[tuple[int, int, Tensor]]:
    """Yield, for each place (r, s) of the kernel, what lies under it: ``[..., H_out, W_out]``."""
    top, bottom, left, right = padding
    padded = F.pad(frames, (left, right, top, bottom))
    height = (padded.shape[-2] - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    width = (padded.shape[-1] - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            row, column = r * dilation[0], s * dilation[1]
            rows = slice(row, row + (height - 1) * stride[0] + 1, stride[0])
            columns = slice(column, column + (width - 1) * stride[1] + 1, stride[1])
            yield r, s, padded[..., rows, columns]


def add(inputs: Sequence[Tensor]) -> Tensor:
    """Sum of arrays of one shape and type, in their order."""
    y = inputs[0]
    for x in inputs[1:]:
        y = y + x
    return y


def couple(x: Tensor, before: Tensor, now: Tensor) -> Tensor:
    """``y = x + (before + now) / 2``, float32, rounded in this order."""
    return x + (before + now) / 2


def flatten(x: Tensor) -> Tensor:
    """``[T, N, C, H, W]`` to ``[T, N, F]`` in the order of the file: row, column, channel."""
    return x.permute(0, 1, 3, 4, 2).flatten(2)


def delay(x: Tensor, steps: int) -> Tensor:
    """Return what `x` was `steps` steps ago, zero before: ``y[t] = x[t - steps]``."""
    return torch.cat([torch.zeros_like(x[:steps]), x[: max(0, len(x) - steps)]])


def unflatten(x: Tensor, height: int, width: int) -> Tensor:
    """Undo `flatten`, but leave a vector: ``[T, N, F]`` in the order channel, row, column."""
    return x.reshape(*x.shape[:-1], height, width, -1).movedim(-1, -3).flatten(-3)


Mode = Literal["sum", "mean", "last"]


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """``y[n, c] = sum_m (sum_d q[n, d] * k[m, d]) * v[m, c]``: exact, int64, no soft-max.

    Spikes q, k, v ``[..., tokens, dim]``; the axes in front are independent heads.
    """
    return attention_apply(_scores(q, k), v)


def attention_map(q: Tensor, k: Tensor, threshold: int) -> Tensor:
    """``y[n, m] = 1 if sum_d q[n, d] * k[m, d] >= threshold else 0``, as `attention` otherwise."""
    return (_scores(q, k) >= threshold).to(torch.int64)


def attention_apply(scores: Tensor, v: Tensor) -> Tensor:
    """``y[n, c] = sum_m scores[n, m] * v[m, c]``.

    scores ``[..., tokens, tokens]``, v ``[..., tokens, dim]``.
    """
    return torch.einsum("...nm,...mc->...nc", scores.double(), v.double()).to(torch.int64)


def _scores(q: Tensor, k: Tensor) -> Tensor:
    """Float64 products of integers below 2^53, so none is rounded."""
    return torch.einsum("...nd,...md->...nm", q.double(), k.double()).to(torch.int64)


Over = Literal["channels", "tokens", "all"]
Variant = Literal["qk", "kv"]


def head_attention(q: Tensor, k: Tensor, v: Tensor, heads: int = 1) -> Tensor:
    """`attention` of images ``[T, N, D, H, W]``: pixels are tokens, a head is D / heads channels."""
    tokens = q.shape[3] * q.shape[4]
    apart = [x.reshape(*x.shape[:2], heads, -1, tokens).transpose(-1, -2) for x in (q, k, v)]
    return attention(*apart).transpose(-1, -2).reshape(q.shape)


def map_scores(x: Tensor, y: Tensor, *, variant: Variant, heads: int = 1) -> Tensor:
    """Count what pairs share, in images ``[T, N, D, H, W]``: ``[T, N, b, heads, a]``.

    `variant` ``"qk"``: ``s[n, m] = sum_c x[n, c] * y[m, c]`` of tokens; ``"kv"``:
    ``s[j, i] = sum_n x[n, j] * y[n, i]`` of channels. Axes a and b are those of x and y.
    """
    first, second = (_pairs(z, variant, heads) for z in (x, y))
    return _scores(first, second).movedim(-1, 2)


def map_product(maps: Tensor, x: Tensor, *, variant: Variant, heads: int = 1) -> Tensor:
    """Count what maps ``[T, N, b, heads, a]`` select of images ``[T, N, D, H, W]``: alike.

    `variant` ``"qk"``: ``y[n, c] = sum_m map[n, m] * x[m, c]``; ``"kv"``:
    ``y[n, j] = sum_i map[j, i] * x[n, i]``.
    """
    rows = maps.movedim(2, -1)  # [T, N, heads, a, b]
    spikes = x.reshape(*x.shape[:2], heads, -1, x.shape[3] * x.shape[4])  # [T, N, heads, channel, token]
    if variant == "qk":
        return _scores(spikes, rows).reshape(x.shape)
    return _scores(rows, spikes.transpose(-1, -2)).reshape(x.shape)


def _pairs(x: Tensor, variant: Variant, heads: int) -> Tensor:
    """Turn to ``[T, N, heads, ...]``, what is paired and then what is counted over."""
    apart = x.reshape(*x.shape[:2], heads, -1, x.shape[3] * x.shape[4])
    return apart.transpose(-1, -2) if variant == "qk" else apart


def count(x: Tensor, y: Tensor | None = None, *, over: Over, heads: int = 1) -> Tensor:
    """Count the spikes of x, or those that x and y share, in images ``[T, N, D, H, W]``.

    `over` ``"channels"``: those of each head's D / heads channels ``[T, N, heads, H, W]``; ``"tokens"``: over
    all pixels ``[T, N, D, 1, 1]``; ``"all"``: over both ``[T, N, heads, 1, 1]``.
    """
    both = x if y is None else x * y
    if over != "channels":
        both = both.sum((-1, -2), keepdim=True)
    return both if over == "tokens" else both.reshape(*both.shape[:2], heads, -1, *both.shape[3:]).sum(3)


def mask(x: Tensor, passes: Tensor) -> Tensor:
    """``y = x AND passes``, for images ``[T, N, D, H, W]``.

    `passes` is ``[T, N, G, H, W]``, where each holds for D / G channels one behind the other, or
    ``[T, N, D, 1, 1]``.
    """
    return x * passes.repeat_interleave(x.shape[2] // passes.shape[2], 2)


def readout_sum(x: Tensor, mode: Mode) -> Tensor:
    """``S = sum_t x[t]`` (`mode` ``"last"``: the last step), int64 exact or float32 in order from +0.

    The pixels of an image, which is a stream, are summed, too.
    """
    if x.dim() == 5:
        x = x.sum((3, 4))
    if mode == "last":
        return x[-1]
    total = torch.zeros_like(x[0])
    for t in range(x.shape[0]):
        total = total + x[t]
    return total


def readout(
    total: Tensor,
    steps: int,
    mode: Mode,
    scale: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """Turn what `readout_sum` gives for T = `steps` into the value float32 ``[N, F]``.

    Integers, in float64 in this order: ``y = float32(S * scale [/ T if mean] + bias [* T if sum])``.
    Real values: ``y = S [/ float32(T) if mean]`` in float32.
    """
    if total.dtype != torch.int64:
        return total / torch.tensor(float(steps)) if mode == "mean" else total
    if scale is None or bias is None:
        raise ValueError("a readout of integers needs scale and bias")
    y = total.double() * scale.double()
    if mode == "mean":
        y = y / float(steps)
    y = y + (bias.double() * float(steps) if mode == "sum" else bias.double())
    return y.float()
