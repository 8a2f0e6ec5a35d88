"""Files as lava-dl writes them, and the published rule that runs them, in NumPy alone.

`simulate` follows `lava.lib.dl.netx` 0.6 and the bit-accurate process models of Lava 0.10: their LIF, Dense,
DelayDense and Conv. Spikes are [T, C, H, W] or [T, F]; all arithmetic is that of integers.
"""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

CUBA = {"type": "CUBA", "iDecay": 1024, "vDecay": 128, "vThMant": 80, "refDelay": 1, "gradedSpike": False}


def cuba(**changes: Any) -> dict[str, Any]:
    return {**CUBA, **changes}


def write(path, *blocks: dict[str, Any], dtype=np.float32):
    """Write blocks as `export_hdf5` does: words of ten bytes in an array of one, weights as floats."""
    with h5py.File(path, "w") as file:
        layer = file.create_group("layer")
        for i, block in enumerate(blocks):
            group = layer.create_group(str(i))
            for key, value in block.items():
                if key == "type":
                    group.create_dataset("type", (1,), "S10", [value.encode("ascii", "ignore")])
                elif key == "neuron":
                    for name, entry in value.items():
                        group.create_dataset(f"neuron/{name}", data=entry)
                elif key in ("weight", "weight_rec", "bias", "delay"):
                    group.create_dataset(key, data=np.asarray(value, dtype))
                else:
                    group.create_dataset(key, data=value)
        file["simulation/Ts"] = 1
    return path


def dense(weight, neuron=None, **more):
    weight = np.asarray(weight)
    sizes = {"shape": [len(weight)], "inFeatures": weight.shape[-1], "outFeatures": len(weight)}
    neuron = {} if neuron is None else {"neuron": neuron}
    return {
        "type": "dense_rec" if "weight_rec" in more else "dense",
        **sizes,
        "weight": weight,
        **neuron,
        **more,
    }


def conv(weight, shape, neuron=CUBA, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, **more):
    return {
        "type": "conv", "shape": list(shape), "inChannels": weight.shape[1] * groups,
        "outChannels": len(weight), "kernelSize": weight.shape[2:4], "stride": stride, "padding": padding,
        "dilation": dilation, "groups": groups, "weight": weight, "neuron": neuron, **more,
    }  # fmt: skip


def pool(value, kernel, shape, neuron=CUBA):
    return {
        "type": "pool", "shape": list(shape), "kernelSize": kernel, "stride": kernel, "padding": (0, 0),
        "dilation": (1, 1), "weight": np.full((1, 1, *kernel), value), "neuron": neuron,
    }  # fmt: skip


# ---- the rule ----


def simulate(blocks, x, layer_delay=True):
    """Spikes, currents u and voltages v of every block with a neuron, by its number."""
    steps, wait, found = len(x), int(layer_delay), {}
    for i, b in enumerate(blocks):
        if b["type"] == "input" and "neuron" in b:
            zero = np.zeros((steps, *x.shape[1:]), np.int64)
            x, u, v = lif(b["neuron"], lambda t, s, zero=zero: zero[0], zero.shape, bias=x)
        elif b["type"] == "flatten":
            x = x.reshape(steps, -1)
            continue
        elif b["type"].startswith("dense"):
            x, u, v = run_dense(b, x, wait)
        elif b["type"] in ("conv", "pool"):
            x, u, v = run_conv(b, x, wait)
        else:
            continue
        found[i] = (x, u, v)
    return found


def run_dense(b, x, wait):
    weights = [np.asarray(b["weight"]).astype(int)]
    if "weight_rec" in b:
        weights.append(np.asarray(b["weight_rec"]).astype(int))
    shifted, bits, exponent = optimised(np.hstack(weights))
    parts = np.split(shifted, [weights[0].shape[1]], axis=1)
    forward = held(parts[0], bits)
    delays = spread(b["delay"], forward.shape) if "delay" in b else np.zeros_like(forward)

    def current(t, spikes):
        total = np.zeros(len(forward), np.int64)
        for delay in np.unique(delays):
            then = t - wait - delay
            if then >= 0:
                total += (np.where(delays == delay, forward, 0) @ x[then].astype(int)) >> exponent
        if len(weights) > 1 and t > 0:
            total += (held(parts[1], bits) @ spikes[t - 1].astype(int)) >> exponent
        return total

    neuron = b.get("neuron", {"iDecay": 0, "vDecay": 4096, "vThMant": 1 << 17})
    return lif(neuron, current, (len(x), len(forward)), np.broadcast_to(b.get("bias", 0), len(forward)))


def spread(delay, shape):
    delay = np.minimum(np.asarray(delay), 62).astype(int)
    if delay.ndim == 1:
        delay = delay[:, None] if delay.size == shape[0] else delay[None, :]
    return np.broadcast_to(delay, shape)


def run_conv(b, x, wait):
    weight, stride, dilation, groups = np.asarray(b["weight"]), b["stride"], b["dilation"], b.get("groups", 1)
    weight = weight.reshape(weight.shape[:4]).astype(int)
    pads = [(p, p) for p in b["padding"]]
    if b["type"] == "pool":
        groups, weight = x.shape[1], np.repeat(weight, x.shape[1], axis=0)
        pads = [(p, p + n % k) for (p, _), n, k in zip(pads, x.shape[2:], weight.shape[2:], strict=True)]
    channels, height, width = b["shape"]
    padded = np.pad(x.astype(int), [(0, 0), (0, 0), *pads])
    sums = np.zeros((len(x), channels, height, width), np.int64)
    for c in range(channels):
        first = c // (channels // groups) * weight.shape[1]
        for k in range(weight.shape[1]):
            for i in range(weight.shape[2]):
                for j in range(weight.shape[3]):
                    rows = slice(i * dilation[0], i * dilation[0] + stride[0] * (height - 1) + 1, stride[0])
                    columns = slice(j * dilation[1], j * dilation[1] + stride[1] * (width - 1) + 1, stride[1])
                    sums[:, c] += weight[c, k, i, j] * padded[:, first + k, rows, columns]
    delays = np.broadcast_to(np.asarray(b.get("delay", 0)).astype(int), channels)

    def current(t, spikes):
        then = t - wait - delays
        return np.stack([sums[at, c] if at >= 0 else 0 * sums[0, c] for c, at in enumerate(then)])

    bias = np.broadcast_to(b.get("bias", 0), channels)[:, None, None]
    return lif(b["neuron"], current, sums.shape, bias)


def lif(neuron, current, shape, bias):
    """PyLifModelBitAcc; `bias` stays, or has a value for each step."""
    du, dv, vth = neuron["iDecay"] - 1, neuron["vDecay"], int(neuron["vThMant"]) << 6
    spikes, us, vs = np.zeros(shape, bool), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    u, v = np.zeros(shape[1:], np.int64), np.zeros(shape[1:], np.int64)
    for t in range(shape[0]):
        u = np.sign(u) * (np.abs(u) * (4096 - (du + 1)) >> 12) + (current(t, spikes) << 6)
        u = np.where(u > 2**23, u - 2**24, np.where(u <= -(2**23), u + 2**24, u))
        now = bias[t] if np.ndim(bias) == len(shape) else bias
        v = np.sign(v) * (np.abs(v) * (4096 - dv) >> 12) + u + (np.asarray(now).astype(np.int64) << 6)
        v = np.clip(v, 1 - 2**23, 2**23 - 1)
        spikes[t] = v > vth
        v = np.where(spikes[t], 0, v)
        us[t], vs[t] = u, v
    return spikes, us, vs


def optimised(weight):
    """`netx.utils.optimize_weight_bits`: shifted weights, bits, and the exponent that undoes the shift."""
    high, low = weight.max(), weight.min()
    signed = not (high < 0 or low >= 0)
    with np.errstate(divide="ignore"):
        if high < 0:
            scale = -256 / low
        elif low >= 0:
            scale = np.float64(255) / high if high else 1.0
        else:
            scale = min(np.float64(127) / high, -128 / low)
    up = int(np.floor(np.log2(scale))) + signed
    zeros = next((n for n in range(8, 0, -1) if not (weight / 2**n != np.round(weight / 2**n)).any()), 0)
    return weight << up, 8 - up - (zeros - signed), up


def held(weight, bits):
    """Lava's `clip_weights` and `truncate_weights`, of one matrix."""
    inhibitory = weight.min() < 0 and weight.max() <= 0
    mixed = weight.min() < 0 < weight.max()
    weight = np.clip(-weight if inhibitory else weight, -256 if mixed else 0, 255)
    cut = 8 - bits + mixed
    weight = weight >> cut << cut
    return -weight if inhibitory else weight
